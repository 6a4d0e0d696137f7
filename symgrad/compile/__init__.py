"""From a program with gradients to compiled code.

From source text to source text, without numba:
    broadcasts       two passes over a program: what rows have in common, scaled transposes
    names            every name in a kernel is given out once
    scalar_code      one expression; helper functions
    vector_math      exp, tanh and their like as code that becomes vector instructions
    placement        which values get memory, which are written into their readers
    forms, products, calls    loops or calls for each operation; products of matrices and vectors
    nests, loops     one evaluation as loops over arrays
    costs, passes    operations and bytes; rewritings of the program before all else
    rows, parts      which part of a program works row by row; the parts as programs
    blocks, block_source    one evaluation as sweeps over blocks of rows: the plan, and its functions
    degrees, fewer_rows    losses that fewer rows give as well
    unrolled         one evaluation of a tiny problem, every entry a variable
    update           an optimizer's step
    source           the file around the functions
    gradient_source, training_source    the two kinds of kernel

    plan             what was decided, for people

From text to something that runs:
    arrays           checks what callers pass
    folder           files that only the user can write to, and not too many
    cache            keeps sources and compiled code there for the next process
    factor           fewer rows with the same sums of products
    compiled         one function of a file, compiled when first called
    threads, sweeping    shares of the rows on threads; an evaluation of a plan of blocks
    gradient, training, training_blocks    what callers hold
    derived_arrays   Hessians and Jacobians
    for_scipy        a gradient kernel as SciPy's optimizers take it
"""

from symgrad.compile.arrays import as_array, bind, check_dtype, real_array
from symgrad.compile.derived_arrays import compile_arrays
from symgrad.compile.folder import cache_folder
from symgrad.compile.gradient import Kernel, compile_gradient
from symgrad.compile.passes import chosen
from symgrad.compile.plan import Plan
from symgrad.compile.training import TrainingKernel, training_kernel
from symgrad.compile.training_source import TrainingPlan, plan_training
from symgrad.compile.update import hyper_values

__all__ = [
    "Kernel",
    "Plan",
    "TrainingKernel",
    "TrainingPlan",
    "as_array",
    "bind",
    "cache_folder",
    "check_dtype",
    "chosen",
    "compile_arrays",
    "compile_gradient",
    "hyper_values",
    "plan_training",
    "real_array",
    "training_kernel",
]
