"""Losses and layers as functions.

Each is written in the functional interface of the tape alone.  Where a loss compares two tensors element by
element, their shapes must be equal: (n,) against (n, 1) would broadcast to n × n and train on the wrong
thing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import symgrad.autograd.functions as F
from symgrad.autograd import Tensor
from symgrad.autograd.functions import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from symgrad.errors import DataError, ShapeError, SpecError
from symgrad.nn.loss_checks import (
    check_class_weight,
    check_reduction,
    check_same_shape,
    check_weight,
    shape_of,
)

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "elu",
    "gelu",
    "kl_div",
    "l1_loss",
    "leaky_relu",
    "linear",
    "log_softmax",
    "mse_loss",
    "nll_loss",
    "relu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "tanh",
]


def _reduce(values: Any, reduction: str) -> Any:
    if reduction == "none":
        return values
    return F.sum(values) if reduction == "sum" else F.mean(values)


def linear(x: Any, weight: Any, bias: Any = None) -> Tensor:
    """x weightᵀ + bias; x (…, in), weight (out, in), bias (out)."""
    product = F.matmul(x, F.transpose(weight))
    return product if bias is None else F.add(product, bias)


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """(input − target)².

    Raises:
        ShapeError: the shapes differ.
        SpecError: unknown reduction.
    """
    check_reduction("mse_loss", reduction)
    check_same_shape("mse_loss", input, target)
    return _reduce(F.square(F.sub(input, target)), reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """|input − target|."""
    check_reduction("l1_loss", reduction)
    check_same_shape("l1_loss", input, target)
    return _reduce(F.abs(F.sub(input, target)), reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """r²/(2 beta) where |r| < beta, else |r| − beta/2, for r = input − target (P. J. Huber, 1964, scaled)."""
    check_reduction("smooth_l1_loss", reduction)
    check_same_shape("smooth_l1_loss", input, target)
    if not beta >= 0:
        raise SpecError(
            "smooth_l1_loss needs beta ≥ 0", where="smooth_l1_loss, beta", expected="≥ 0", got=beta
        )
    if beta == 0:
        return l1_loss(input, target, reduction)
    size = F.abs(F.sub(input, target))
    inner = F.div(F.square(size), 2 * beta)
    return _reduce(F.where(F.lt(size, beta), inner, F.sub(size, beta / 2)), reduction)


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Tensor:
    """−t log p − (1 − t) log(1 − p), p = input in [0, 1]; log 0 counts as −100, as in PyTorch.

    Raises:
        DataError: an input lies outside [0, 1].
    """
    check_reduction("binary_cross_entropy", reduction)
    check_same_shape("binary_cross_entropy", input, target)
    if isinstance(input, Tensor) and bool(((input.data < 0) | (input.data > 1)).any()):
        raise DataError(
            "binary_cross_entropy takes probabilities",
            where="binary_cross_entropy, input",
            expected="numbers from 0 to 1",
            got=f"numbers from {input.data.min()} to {input.data.max()}",
            fix="apply sigmoid first, or use BCEWithLogitsLoss",
        )
    yes = F.mul(target, _log_probability(input))
    no = F.mul(F.sub(1, target), _log_complement(input))
    return _reduce(_weighted("binary_cross_entropy", F.neg(F.add(yes, no)), weight), reduction)


def _log_probability(p: Any) -> Any:
    """log p, and −100 with slope 0 at p = 0."""
    if not isinstance(p, Tensor):
        return F.log(p)
    return F.where(F.gt(p, 0), F.log(F.where(F.gt(p, 0), p, 1)), -100.0)


def _log_complement(p: Any) -> Any:
    """log(1 − p), and −100 with slope 0 at p = 1."""
    if not isinstance(p, Tensor):
        return F.log(F.sub(1, p))
    return F.where(F.lt(p, 1), F.log1p(F.neg(F.where(F.lt(p, 1), p, 0))), -100.0)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Tensor:
    """Binary cross entropy of sigmoid(input): q t softplus(−z) + (1 − t) softplus(z), terms that cannot
    cancel.

    Args:
        input: logits z.
        target: t in [0, 1].
        weight: factor of each element's loss.
        reduction: "mean", "sum" or "none".
        pos_weight: factor q of the positive class.

    Raises:
        ShapeError: the shapes differ, or a weight does not broadcast to them.
        SpecError: unknown reduction.
    """
    where = "binary_cross_entropy_with_logits"
    check_reduction(where, reduction)
    check_same_shape(where, input, target)
    yes = _weighted(where, F.mul(target, F.softplus(F.neg(input))), pos_weight)
    no = F.mul(F.sub(1, target), F.softplus(input))
    return _reduce(_weighted(where, F.add(yes, no), weight), reduction)


def _weighted(where: str, loss: Any, weight: Any) -> Any:
    if weight is None:
        return loss
    check_weight(where, weight, shape_of(loss))
    return F.mul(weight, loss)


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """t (log t − input), where input is a log-probability and t the target, or exp(target) if it is a
    logarithm too.

    `reduction="mean"` divides by the number of elements, as in PyTorch; a batch's divergence is "sum" / n.
    """
    check_reduction("kl_div", reduction)
    check_same_shape("kl_div", input, target)
    if log_target:
        return _reduce(F.mul(F.exp(target), F.sub(target, input)), reduction)
    positive = F.where(F.eq(target, 0), 1, target)  # 0 log 0 = 0
    return _reduce(F.sub(F.mul(target, F.log(positive)), F.mul(target, input)), reduction)


def nll_loss(
    input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """−input[i, target[i]] for log-probabilities; the mean is weighted by the classes' weights.

    Args:
        input: (n, k), or (k,) with one label.
        target: integer labels, (n,) or ().
        weight: (k,), one factor per class.
        ignore_index: a label whose rows count nothing.  A derivation has them in its formula only if it is not
            -100; with -100 it refuses them.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: labels and rows do not match.
        DataError: labels are no integers, or outside 0 … k − 1.
    """
    check_reduction("nll_loss", reduction)
    shape, labels_shape = shape_of(input), shape_of(target)
    if len(shape) == 1 and len(labels_shape) == 0:
        row = nll_loss(F.unsqueeze(input, 0), F.unsqueeze(target, 0), weight, ignore_index, reduction)
        return F.squeeze(row, 0) if reduction == "none" else row
    if len(shape) != 2 or len(labels_shape) != 1 or shape[0] != labels_shape[0]:
        raise ShapeError(
            "nll_loss takes one label per row",
            where="nll_loss(input, target)",
            expected="input (n, k) and target (n,)",
            got=f"{shape} and {labels_shape}",
        )
    check_class_weight("nll_loss", weight, shape[1])
    labels, kept = _labels(target, shape[1], ignore_index)
    picked = F.neg(F.squeeze(F.take_along_axis(input, F.unsqueeze(labels, 1), axis=1), 1))
    if kept is None and weight is None:
        return _reduce(picked, reduction)
    factor = F.cast(kept, input.dtype) if weight is None else F.getitem(weight, labels)
    if kept is not None:
        factor = F.where(kept, factor, 0)
        picked = F.where(kept, picked, 0)  # also where the loss of an ignored row is inf
    weighted = F.mul(factor, picked)
    return F.div(F.sum(weighted), F.sum(factor)) if reduction == "mean" else _reduce(weighted, reduction)


def _labels(target: Any, classes: Any, ignore_index: int) -> tuple[Any, Any]:
    """Labels that can be used as indices, and which rows count (None: all)."""
    if hasattr(target, "__symgrad_labels__"):
        return target.__symgrad_labels__(classes, ignore_index)  # has no values yet that could be checked
    if isinstance(target, np.ndarray):
        target = Tensor(target)
    if not isinstance(target, Tensor):
        return target, None
    if target.data.dtype.kind not in "iu":
        raise DataError(
            "labels are integers",
            where="nll_loss, target",
            expected="int64",
            got=str(target.dtype),
            fix="target.long()",
        )
    ignored = target.data == ignore_index
    bad = ~ignored & ((target.data < 0) | (target.data >= classes))
    if bad.any():
        raise DataError(
            "a label is no class",
            where="nll_loss, target",
            expected=f"0 … {classes - 1}",
            got=int(target.data[bad][0]),
        )
    if not ignored.any():
        return target, None
    return F.where(ignored, 0, target), Tensor(~ignored)


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross entropy of softmax(input): logits (n, k) with labels (n,), or with probabilities (n, k).

    Args:
        input: logits, (n, k), or (k,) for one row.
        target: labels (n,), or probabilities of the shape of `input`.
        weight: (k,), one factor per class.
        ignore_index: a label whose rows count nothing.  A derivation has them in its formula only if it is not
            -100; with -100 it refuses them.
        reduction: "mean", "sum" or "none"; with labels the mean is weighted.
        label_smoothing: must be 0; smooth the probabilities yourself and pass them as the target.

    Raises:
        ShapeError: labels and rows do not match.
        DataError: labels are no integers, or outside 0 … k − 1.
        SpecError: label_smoothing is not 0, or the reduction is unknown.
    """
    check_reduction("cross_entropy", reduction)
    if label_smoothing != 0:
        raise SpecError(
            "cross_entropy has no label smoothing",
            where="cross_entropy, label_smoothing",
            expected=0.0,
            got=label_smoothing,
            fix="pass probabilities as the target: (1 - s) * onehot + s / k",
        )
    logp = F.log_softmax(input, axis=-1)
    if shape_of(input) != shape_of(target):
        return nll_loss(logp, target, weight, ignore_index, reduction)
    if isinstance(target, Tensor) and target.data.dtype.kind != "f":
        raise DataError(
            "probabilities are floating point numbers",
            where="cross_entropy, target",
            expected="labels of shape (n,), or probabilities of the input's shape",
            got=f"{target.dtype}, shape {target.shape}",
        )
    check_class_weight("cross_entropy", weight, shape_of(input)[-1])
    terms = F.mul(target, logp)
    rows = F.neg(F.sum(terms if weight is None else F.mul(weight, terms), axis=-1))
    return _reduce(rows, reduction)
