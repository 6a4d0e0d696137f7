"""``derive``: from a loss in any spelling to its gradient as a formula."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Mapping, Sequence
from typing import Any

from symgrad.api.derivation import Derivation
from symgrad.calculus import differentiate
from symgrad.errors import SpecError, SymgradWarning
from symgrad.trace import trace_loss


def derive(
    loss: Any,
    shapes: Mapping[str, object] | None = None,
    wrt: str | Sequence[str] | None = None,
    *,
    given: Mapping[str, Any] | None = None,
    criterion: Any = None,
    domains: Mapping[str, str] | None = None,
    syntax: str = "numpy",
) -> Derivation:
    """Derive the gradient of a scalar loss.

    Args:
        loss: a NumPy function, a text in NumPy syntax, a SymPy expression, or an ``nn.Module``.
        shapes: for each argument its shape: ``"n d"``, ``("n", 1)``, ``""`` for a scalar; for a module the
            shapes of its data.  A SymPy expression brings its own.
        wrt: the parameter, or several; None takes all parameters of a module, or the only argument.
        given: for arguments of the loss that are themselves computed, the function that computes them.
        criterion: the loss module that is applied to the module's result.
        domains: restrictions of the data's values, such as ``{"y": "onehot"}``.
        syntax: how text is read.

    Raises:
        SymgradError: a subclass that says what does not fit.
    """
    traced = trace_loss(loss, shapes, given, criterion, domains, syntax)
    names, single = _parameters(loss, traced.program.inputs, wrt)
    for w in traced.warnings:
        python_warnings.warn(w, SymgradWarning, stacklevel=2)
    return Derivation(differentiate(traced.program, names), names, single, traced.warnings)


def _parameters(
    loss: Any, inputs: Sequence[Any], wrt: str | Sequence[str] | None
) -> tuple[tuple[str, ...], bool]:
    if isinstance(wrt, str):
        return (wrt,), True
    if wrt is not None:
        if not isinstance(wrt, Sequence) or not all(isinstance(name, str) for name in wrt):
            raise SpecError("wrt is a name or a list of names.", where="wrt", got=repr(wrt))
        names = tuple(wrt)
        if not names or len(set(names)) < len(names):
            raise SpecError("wrt names each parameter once.", where="wrt", got=", ".join(names) or "nothing")
        return names, False
    if hasattr(loss, "named_parameters"):
        return tuple(name for name, _ in loss.named_parameters()), False
    if len(inputs) == 1:
        return (inputs[0].name,), True
    raise SpecError(
        "Nothing says which argument is the parameter.",
        where="wrt",
        expected=f"wrt= with one or more of {', '.join(i.name for i in inputs)}",
    )
