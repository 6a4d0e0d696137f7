"""How contenders are verified, timed and reported, whatever they compute.

workload     what is compared, and what is wanted
measure      verification, then timing in turns
results      medians, ratios, spread
processes    first calls, and other times that need a process of their own
machine      what the numbers were measured on
report       the tables of docs/benchmarks.md
"""
