"""Modules, layers and losses, in the style of OneFlow and PyTorch.

    parameter.py   Parameter, a tensor that a module finds by assignment
    module.py      Module: the tree of parameters, buffers and submodules
    containers.py  Sequential, ModuleList
    layers.py      Linear, and activations as modules
    functional.py  losses as functions, checked shapes, reductions
    loss_checks.py what losses refuse
    losses.py      the same losses as modules
    init.py        filling parameters at random
    swap.py        other objects in the place of a module's parameters, for tracing

Everything a module computes goes through `symgrad.autograd.functions`, so that an argument with
`__symgrad_function__` can follow it (see the README of `symgrad/autograd`).
"""

from symgrad.nn import functional, init
from symgrad.nn.containers import ModuleList, Sequential
from symgrad.nn.layers import (
    ELU,
    GELU,
    Flatten,
    Identity,
    LeakyReLU,
    Linear,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from symgrad.nn.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from symgrad.nn.module import Module
from symgrad.nn.parameter import Parameter
from symgrad.nn.swap import swap_parameters

__all__ = [
    "ELU",
    "GELU",
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "Flatten",
    "Identity",
    "KLDivLoss",
    "L1Loss",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "Module",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Tanh",
    "functional",
    "init",
    "swap_parameters",
]
