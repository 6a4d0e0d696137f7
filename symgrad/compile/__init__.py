"""From a program with gradients to compiled code.

From source text to source text, without numba:
    names            every name in a kernel is given out once
    scalar_code      one expression; helper functions
    vector_math      exp, tanh and their like as code that becomes vector instructions
    placement        which values get memory, which are written into their readers
    nests, loops     one evaluation as loops over arrays
    costs, passes    operations and bytes; rewritings of the program before all else
    rows, blocks     one evaluation as a sweep over blocks of rows, on threads
    unrolled         one evaluation of a tiny problem, every entry a variable
    update           an optimizer's step
    source           the file around a function
    gradient_source, training_source    the two kinds of kernel

    plan             what was decided, for people

From text to something that runs:
    arrays           checks what callers pass
    cache            keeps files and compiled code for the next process
    compiled         one function of a file, compiled when first called
    gradient, training    what callers hold
"""

from symgrad.compile.arrays import as_array, bind, check_dtype, real_array
from symgrad.compile.cache import cache_folder
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
    "compile_gradient",
    "hyper_values",
    "plan_training",
    "real_array",
    "training_kernel",
]
