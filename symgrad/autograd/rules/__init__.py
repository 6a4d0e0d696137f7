"""The hand-written rules, one record per operation, grouped by what they do.

arithmetic   + − × ÷ powers, |x|, maxima and minima of two, choice
analytic     exp, log, sin, tanh, erf and their kin
activations  the nonlinearities of networks, in forms that do not overflow
linear       matmul
shapes       the same elements in another shape, order or type
indexing     taking elements out, joining tensors
reductions   sums, means, extrema, softmax
comparisons  comparisons and positions: results without a gradient
"""
