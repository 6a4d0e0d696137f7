"""From a program with gradients to compiled code.

``loops`` and ``unrolled`` write the statements of one evaluation, for arrays and for single entries;
``scalar_code`` writes one expression, ``source`` the file around it, ``update`` the optimizer's step;
``gradient`` and ``training`` make kernels of them, ``arrays`` checks what callers pass, ``cache`` keeps the files.
"""

from symgrad.compile.arrays import as_array, bind, check_dtype
from symgrad.compile.cache import cache_folder
from symgrad.compile.gradient import Kernel, compile_gradient
from symgrad.compile.training import TrainingKernel, TrainingPlan, plan_training, training_kernel
from symgrad.compile.update import hyper_values

__all__ = [
    "Kernel",
    "TrainingKernel",
    "TrainingPlan",
    "as_array",
    "bind",
    "cache_folder",
    "check_dtype",
    "compile_gradient",
    "hyper_values",
    "plan_training",
    "training_kernel",
]
