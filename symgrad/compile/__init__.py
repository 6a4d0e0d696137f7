"""From a program with gradients to compiled code.

``loops`` and ``unrolled`` write the statements of one evaluation, for arrays and for single entries;
``scalar_code`` writes one expression, ``source`` the file around it, ``update`` the optimizer's step;
``gradient`` and ``training`` make kernels of them, ``arrays`` checks what callers pass, ``cache`` keeps the files.
"""

from symgrad.compile.cache import cache_folder
from symgrad.compile.gradient import Kernel, compile_gradient

__all__ = ["Kernel", "cache_folder", "compile_gradient"]
