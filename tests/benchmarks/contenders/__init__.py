"""How each library does the work: losses with gradients, training runs, Hessians.

Every function takes a model and returns what makes a call from the data.  Each is written as somebody would who knows
the library and wants it fast: compiled where it can be, no copies between calls, all cores.
"""
