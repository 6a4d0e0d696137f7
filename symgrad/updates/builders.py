"""The update rules, written once each.

The arithmetic is OneFlow's; where PyTorch's differs, the docstring says so.  Hyperparameters are
ordinary Python floats here, while OneFlow rounds them to float32 first, also for float64 parameters:
runs in float64 can differ from OneFlow's by 1e-8 to 5e-6.  An option that is zero leaves no trace in the
rule: without momentum there is no buffer, without weight decay no term.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any

import sympy
from sympy import sqrt

from symgrad.errors import SpecError, SymgradWarning
from symgrad.updates import checks
from symgrad.updates.rule import GRADIENT as g
from symgrad.updates.rule import PARAMETER as w
from symgrad.updates.rule import STEP as t
from symgrad.updates.rule import Assignment, UpdateRule, hyper_symbol

LR, DECAY, EPS = (hyper_symbol(name) for name in ("lr", "weight_decay", "eps"))
Steps = tuple[Assignment, ...]


def _decayed(decay: bool) -> tuple[list[Assignment], sympy.Expr]:
    """The gradient with L2 weight decay added, as a temporary where there is some."""
    if not decay:
        return [], g
    return [Assignment("d", g + DECAY * w)], hyper_symbol("d")


def _hyper(**values: float) -> tuple[tuple[str, float], ...]:
    return tuple(values.items())


def sgd(
    lr: float = 0.001,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
) -> UpdateRule:
    """Stochastic gradient descent (H. Robbins, S. Monro, 1951; momentum: B. T. Polyak, 1964; Nesterov's form:
    I. Sutskever et al., 2013).

    The momentum buffer starts at zero, so that with dampening the first step is damped too; PyTorch's first
    step is not.  `maximize` flips the step after weight decay was added to the gradient, as OneFlow
    does, so that decay then grows the weights: a SymgradWarning says so.  Without momentum OneFlow
    ignores `maximize`; here it holds.

    Raises:
        SpecError: an option is out of range, or `nesterov` without momentum.
    """
    lr = checks.learning_rate("SGD", lr)
    momentum = checks.number("SGD", "momentum", momentum, 0.0)
    dampening = checks.number("SGD", "dampening", dampening, 0.0)
    weight_decay = checks.number("SGD", "weight_decay", weight_decay, 0.0)
    if nesterov and momentum == 0:
        raise SpecError(
            "Nesterov's step needs momentum",
            where="SGD, nesterov",
            expected="momentum > 0",
            got="momentum = 0",
            fix="SGD(..., momentum=0.9, nesterov=True)",
        )
    if maximize and weight_decay:
        warnings.warn(
            "SGD with maximize=True and weight_decay grows the weights: the step is flipped after the decay",
            SymgradWarning,
            stacklevel=2,
        )
    hyper = {"lr": lr}
    if momentum:
        hyper["momentum"] = momentum
        if dampening:
            hyper["dampening"] = dampening
    if weight_decay:
        hyper["weight_decay"] = weight_decay
    steps = _sgd_steps(momentum != 0, dampening != 0, weight_decay != 0, bool(nesterov), bool(maximize))
    return UpdateRule(
        "SGD",
        _hyper(**hyper),
        ("m",) if momentum else (),
        steps,
        "Robbins & Monro 1951; Sutskever et al. 2013, eq. 1–4",
    )


@lru_cache
def _sgd_steps(momentum: bool, dampening: bool, decay: bool, nesterov: bool, maximize: bool) -> Steps:
    steps, d = _decayed(decay)
    direction = d
    if momentum:
        mu, tau, m = (hyper_symbol(name) for name in ("momentum", "dampening", "m"))
        steps.append(Assignment("m", mu * m + ((1 - tau) * d if dampening else d)))
        direction = m
        if nesterov:
            steps.append(Assignment("p", d + mu * m))
            direction = hyper_symbol("p")
    steps.append(Assignment("w", w + LR * direction if maximize else w - LR * direction))
    return tuple(steps)


def adam(
    lr: float = 0.001,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
    do_bias_correction: bool = True,
) -> UpdateRule:
    """Adam (D. P. Kingma, J. Ba, 2015, algorithm 1), weight decay added to the gradient.

    `amsgrad` keeps the largest second moment so far (S. J. Reddi, S. Kale, S. Kumar, 2018), uncorrected, as
    OneFlow and PyTorch do.

    Raises:
        SpecError: an option is out of range.
    """
    return _adam_rule("Adam", lr, betas, eps, weight_decay, amsgrad, do_bias_correction)


def adamw(
    lr: float = 0.001,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
    do_bias_correction: bool = True,
) -> UpdateRule:
    """Adam with decoupled weight decay: −lr · weight_decay · w, of the old w (I. Loshchilov, F. Hutter,
    2019).

    `weight_decay` is 0 by default, as in OneFlow; PyTorch's default is 0.01.

    Raises:
        SpecError: an option is out of range.
    """
    return _adam_rule("AdamW", lr, betas, eps, weight_decay, amsgrad, do_bias_correction)


def _adam_rule(
    name: str, lr: Any, betas: Any, eps: Any, weight_decay: Any, amsgrad: bool, do_bias_correction: bool
) -> UpdateRule:
    beta1, beta2 = checks.pair(name, betas)
    hyper = {
        "lr": checks.learning_rate(name, lr),
        "beta1": beta1,
        "beta2": beta2,
        "eps": checks.number(name, "eps", eps, 0.0),
    }
    decay = checks.number(name, "weight_decay", weight_decay, 0.0)
    if decay:
        hyper["weight_decay"] = decay
    decoupled = name == "AdamW"
    steps = _adam_steps(decay != 0, decoupled, bool(amsgrad), bool(do_bias_correction))
    source = "Kingma & Ba 2015, algorithm 1" + (
        "; Loshchilov & Hutter 2019, algorithm 2" if decoupled else ""
    )
    return UpdateRule(name, _hyper(**hyper), ("m", "v", "vmax") if amsgrad else ("m", "v"), steps, source)


@lru_cache
def _adam_steps(decay: bool, decoupled: bool, amsgrad: bool, correct: bool) -> Steps:
    beta1, beta2, m, v, vmax = (hyper_symbol(name) for name in ("beta1", "beta2", "m", "v", "vmax"))
    steps, d = _decayed(decay and not decoupled)
    steps.append(Assignment("m", beta1 * m + (1 - beta1) * d))
    steps.append(Assignment("v", beta2 * v + (1 - beta2) * d**2))
    second = v
    if amsgrad:
        steps.append(Assignment("vmax", sympy.Max(vmax, v)))
        second = vmax
    if correct:
        rate, root = hyper_symbol("a"), hyper_symbol("b")
        steps.append(Assignment("a", LR / (1 - beta1**t)))
        steps.append(Assignment("b", sqrt(1 - beta2**t)))
        change = rate * m / (sqrt(second) / root + EPS)
    else:
        change = LR * m / (sqrt(second) + EPS)
    steps.append(Assignment("w", w - change - (LR * DECAY * w if decay and decoupled else 0)))
    return tuple(steps)


def rmsprop(
    lr: float = 0.001,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    centered: bool = False,
) -> UpdateRule:
    """RMSprop (T. Tieleman, G. Hinton, 2012; centered: A. Graves, 2013, eqs. 38–40).

    eps stands inside the root, as in OneFlow; PyTorch adds it to the root.

    Raises:
        SpecError: an option is out of range, or momentum is not 0, which OneFlow does not have either.
    """
    if checks.number("RMSprop", "momentum", momentum, 0.0) != 0:
        raise SpecError(
            "RMSprop has no momentum",
            where="RMSprop, momentum",
            expected=0.0,
            got=momentum,
            fix="use Adam, or SGD",
        )
    hyper = {
        "lr": checks.learning_rate("RMSprop", lr),
        "alpha": checks.decay_rate("RMSprop", "alpha", alpha),
        "eps": checks.number("RMSprop", "eps", eps, 0.0),
    }
    decay = checks.number("RMSprop", "weight_decay", weight_decay, 0.0)
    if decay:
        hyper["weight_decay"] = decay
    steps = _rmsprop_steps(decay != 0, bool(centered))
    return UpdateRule(
        "RMSprop",
        _hyper(**hyper),
        ("v", "m") if centered else ("v",),
        steps,
        "Tieleman & Hinton 2012; Graves 2013, eq. 38",
    )


@lru_cache
def _rmsprop_steps(decay: bool, centered: bool) -> Steps:
    alpha, v, m = (hyper_symbol(name) for name in ("alpha", "v", "m"))
    steps, d = _decayed(decay)
    steps.append(Assignment("v", alpha * v + (1 - alpha) * d**2))
    spread = v
    if centered:
        steps.append(Assignment("m", alpha * m + (1 - alpha) * d))
        spread = v - m**2
    steps.append(Assignment("w", w - LR * d / sqrt(spread + EPS)))
    return tuple(steps)


def adagrad(
    lr: float = 0.001,
    lr_decay: float = 0.0,
    weight_decay: float = 0.0,
    initial_accumulator_value: float = 0.0,
    eps: float = 1e-10,
) -> UpdateRule:
    """Adagrad (J. Duchi, E. Hazan, Y. Singer, 2011, eq. 1, its diagonal form), with a falling learning rate.

    Raises:
        SpecError: an option is out of range.
    """
    hyper = {"lr": checks.learning_rate("Adagrad", lr)}
    falling = checks.number("Adagrad", "lr_decay", lr_decay, 0.0)
    decay = checks.number("Adagrad", "weight_decay", weight_decay, 0.0)
    first = checks.number("Adagrad", "initial_accumulator_value", initial_accumulator_value, 0.0)
    hyper["eps"] = checks.number("Adagrad", "eps", eps, 0.0)
    if falling:
        hyper["lr_decay"] = falling
    if decay:
        hyper["weight_decay"] = decay
    steps = _adagrad_steps(falling != 0, decay != 0)
    initial = (("h", first),) if first else ()
    return UpdateRule("Adagrad", _hyper(**hyper), ("h",), steps, "Duchi, Hazan & Singer 2011, eq. 1", initial)


@lru_cache
def _adagrad_steps(falling: bool, decay: bool) -> Steps:
    h, lr_decay, rate = (hyper_symbol(name) for name in ("h", "lr_decay", "a"))
    steps, d = _decayed(decay)
    steps.append(Assignment("h", h + d**2))
    if falling:
        steps.append(Assignment("a", LR / (1 + (t - 1) * lr_decay)))
    steps.append(Assignment("w", w - (rate if falling else LR) * d / (sqrt(h) + EPS)))
    return tuple(steps)


def adadelta(
    lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0.0, maximize: bool = False
) -> UpdateRule:
    """Adadelta (M. D. Zeiler, 2012, algorithm 1).

    Raises:
        SpecError: an option is out of range, or `maximize` together with weight decay.
    """
    hyper = {
        "lr": checks.learning_rate("Adadelta", lr),
        "rho": checks.decay_rate("Adadelta", "rho", rho),
        "eps": checks.number("Adadelta", "eps", eps, 0.0),
    }
    decay = checks.number("Adadelta", "weight_decay", weight_decay, 0.0)
    if decay and maximize:
        raise SpecError(
            "Adadelta does not combine maximize with weight decay",
            where="Adadelta, maximize",
            fix="put the decay into the loss, or minimise the negative",
        )
    if decay:
        hyper["weight_decay"] = decay
    return UpdateRule(
        "Adadelta",
        _hyper(**hyper),
        ("h", "q"),
        _adadelta_steps(decay != 0, bool(maximize)),
        "Zeiler 2012, algorithm 1",
    )


@lru_cache
def _adadelta_steps(decay: bool, maximize: bool) -> Steps:
    h, q, rho, delta = (hyper_symbol(name) for name in ("h", "q", "rho", "delta"))
    steps, d = _decayed(decay)
    steps.append(Assignment("h", rho * h + (1 - rho) * d**2))
    steps.append(Assignment("delta", sqrt(q + EPS) / sqrt(h + EPS) * d))
    steps.append(Assignment("q", rho * q + (1 - rho) * delta**2))
    steps.append(Assignment("w", w + LR * delta if maximize else w - LR * delta))
    return tuple(steps)
