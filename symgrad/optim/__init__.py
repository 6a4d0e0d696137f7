"""Optimizers and learning-rate schedules, in the style of OneFlow and PyTorch.

    optimizer.py     Optimizer: parameter groups, stepping by the group's UpdateRule, saving and loading
    optimizers.py    SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta: options; the arithmetic is in `updates`
    lr_scheduler.py  schedules, each a closed form of the step

Without parameters an optimizer is an unbound rule: `SGD(lr=0.01).formula()` prints it, and compiled
loops take it.
"""

from symgrad.optim import lr_scheduler
from symgrad.optim.optimizer import Optimizer
from symgrad.optim.optimizers import SGD, Adadelta, Adagrad, Adam, AdamW, RMSprop

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]
