"""Running training kernels.

``loop`` drives one run from a ``Job`` to an ``Outcome``, ``batches`` draws the rows of each step, ``compress`` takes
fewer rows where the loss allows it, ``reference`` is the same run in plain NumPy.
"""

from symgrad.train.loop import Job, Outcome, run
from symgrad.train.reference import numpy_loop

__all__ = ["Job", "Outcome", "numpy_loop", "run"]
