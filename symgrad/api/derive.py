"""``derive``: from a loss in any spelling to its gradient as a formula."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import sympy

from symgrad.api.derivation import Derivation
from symgrad.api.sizes import Instance, Sizes
from symgrad.calculus import differentiate
from symgrad.errors import SpecError, SymgradWarning
from symgrad.ops.dims import as_dim, dim_symbol, parse_shape
from symgrad.program import at_sizes
from symgrad.trace import TracedLoss, trace_loss


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
    question = Question(loss, shapes, wrt, given, criterion, domains, syntax)
    made = question.derive()
    for w in made.warnings:
        python_warnings.warn(w, SymgradWarning, stacklevel=2)
    return made


@dataclass(frozen=True)
class Question:
    """What ``derive`` was asked; it can be asked again with numbers for the sizes."""

    loss: Any
    shapes: Mapping[str, object] | None
    wrt: str | Sequence[str] | None
    given: Mapping[str, Any] | None
    criterion: Any
    domains: Mapping[str, str] | None
    syntax: str

    def derive(self, at: Instance | None = None) -> Derivation:
        """Derive for an instance, and where a function needs more sizes as numbers, with small ones."""
        start = perf_counter()
        traced = self.trace(at)
        read = perf_counter()
        names, single = _parameters(self.loss, traced.program.inputs, self.wrt)
        made = differentiate(traced.program, names)
        timings = {"trace": read - start, "derive": perf_counter() - read}
        return Derivation(made, names, single, traced.warnings, self.sizes(traced, self.derive), timings)

    def sizes(self, traced: TracedLoss, derive: Callable[[Instance], Any]) -> Sizes:
        """For which sizes it holds what was traced, and how to have it for others."""
        shapes = {n: parse_shape(s) for n, s in (self.shapes or {}).items()}
        wrt = (self.wrt,) if isinstance(self.wrt, str) else self.wrt or ()
        found = {n: kind for n, kind in traced.found.items() if n not in wrt}
        return Sizes(shapes, traced.pinned, traced.assumptions, found, derive)

    def trace(self, at: Instance | None = None, scalar: bool = True) -> TracedLoss:
        """The program, for an instance or for all."""
        at = at or Instance()
        shapes = self.shapes
        if at.sizes and shapes is not None:
            values = {dim_symbol(n): sympy.Integer(s) for n, s in at.sizes.items()}
            shapes = {
                n: tuple(as_dim(sympy.sympify(d).xreplace(values)) for d in parse_shape(s))
                for n, s in shapes.items()
            }
        domains = {n: at_sizes(d, at.sizes) for n, d in (self.domains or {}).items()} | dict(at.kinds)
        return trace_loss(
            self.loss, shapes, self.given, self.criterion, domains, self.syntax, scalar, pin=True
        )


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
