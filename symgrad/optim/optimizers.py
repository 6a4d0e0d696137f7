"""The optimizers: their options and defaults, which are OneFlow's.

`contiguous_params` and `fused` choose memory layouts and GPU kernels in OneFlow; they are accepted, so
that its programs run, and change nothing here.
"""

from __future__ import annotations

from symgrad import updates
from symgrad.optim.optimizer import Optimizer, Params


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum where wanted; see `updates.sgd` for the arithmetic.

    Args:
        params: parameters or groups of them; None for an unbound rule.
        lr: learning rate.
        momentum: share of the buffer that is kept.
        dampening: share of the gradient that does not enter the buffer.
        weight_decay: factor of w that is added to the gradient.
        nesterov: look ahead by the momentum.
        maximize: go uphill.
        contiguous_params: accepted, without effect.
        fused: accepted, without effect.
    """

    builder = staticmethod(updates.sgd)

    def __init__(
        self,
        params: Params | None = None,
        lr: float = 0.001,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        maximize: bool = False,
        contiguous_params: bool = False,
        fused: bool = False,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, {**options, "nesterov": nesterov, "maximize": maximize})


class _AdamFamily(Optimizer):
    """Options that Adam and AdamW share.

    Args:
        params: parameters or groups of them; None for an unbound rule.
        lr: learning rate.
        betas: shares that the running means of g and g² keep.
        eps: added to the root of the second moment.
        weight_decay: Adam adds its product with w to the gradient, AdamW subtracts it from w, times lr.
        amsgrad: divide by the largest second moment so far.
        do_bias_correction: correct for the means having started at zero.
        contiguous_params: accepted, without effect.
        fused: accepted, without effect.
    """

    def __init__(
        self,
        params: Params | None = None,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        do_bias_correction: bool = True,
        contiguous_params: bool = False,
        fused: bool = False,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**options, "amsgrad": amsgrad, "do_bias_correction": do_bias_correction})


class Adam(_AdamFamily):
    __doc__ = f"Adam, weight decay in the gradient; see `updates.adam`.\n\n{_AdamFamily.__doc__}"

    builder = staticmethod(updates.adam)


class AdamW(_AdamFamily):
    __doc__ = f"Adam with decoupled weight decay; see `updates.adamw`.\n\n{_AdamFamily.__doc__}"

    builder = staticmethod(updates.adamw)


class RMSprop(Optimizer):
    """RMSprop with eps inside the root; see `updates.rmsprop`.

    Args:
        params: parameters or groups of them; None for an unbound rule.
        lr: learning rate.
        alpha: share that the running mean of g² keeps.
        eps: added under the root.
        weight_decay: factor of w that is added to the gradient.
        momentum: must be 0.
        centered: subtract the square of the running mean of g.
        contiguous_params: accepted, without effect.
    """

    builder = staticmethod(updates.rmsprop)

    def __init__(
        self,
        params: Params | None = None,
        lr: float = 0.001,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        contiguous_params: bool = False,
    ) -> None:
        options = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**options, "momentum": momentum, "centered": centered})


class Adagrad(Optimizer):
    """Adagrad; see `updates.adagrad`.

    Args:
        params: parameters or groups of them; None for an unbound rule.
        lr: learning rate.
        lr_decay: the rate falls as 1 / (1 + (t − 1) · lr_decay).
        weight_decay: factor of w that is added to the gradient.
        initial_accumulator_value: what the sum of g² starts from.
        eps: added to the root.
        contiguous_params: accepted, without effect.
    """

    builder = staticmethod(updates.adagrad)

    def __init__(
        self,
        params: Params | None = None,
        lr: float = 0.001,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        contiguous_params: bool = False,
    ) -> None:
        options = {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay}
        options |= {"initial_accumulator_value": initial_accumulator_value, "eps": eps}
        super().__init__(params, options)


class Adadelta(Optimizer):
    """Adadelta; see `updates.adadelta`.

    Args:
        params: parameters or groups of them; None for an unbound rule.
        lr: factor of the step.
        rho: share that the running means keep.
        eps: added under the roots.
        weight_decay: factor of w that is added to the gradient.
        maximize: go uphill.
        contiguous_params: accepted, without effect.
    """

    builder = staticmethod(updates.adadelta)

    def __init__(
        self,
        params: Params | None = None,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        maximize: bool = False,
        contiguous_params: bool = False,
    ) -> None:
        options = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**options, "maximize": maximize})
