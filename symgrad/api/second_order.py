"""Hessians, products with them, and Jacobians: how they are made from a loss or a function."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any

from symgrad.api.derivation import Derivation
from symgrad.api.derive import Question
from symgrad.api.derived_array import DerivedArray
from symgrad.api.sizes import Instance
from symgrad.calculus import (
    differentiate,
    free_name,
    jacobian_rows,
    numbered,
    reshape_output,
    squeezed,
    vector_jacobian,
)
from symgrad.errors import SpecError, SymgradWarning
from symgrad.ops.scalars import functions as f
from symgrad.program import Program
from symgrad.render import Equation, log_softmax, recognise, share_functions, simplify

_FLAT = (f.Step, f.Sign, f.Above, f.Comparison)
"""Functions that are constant between jumps."""

_KINK = "note: where the first derivative jumps, as a comparison or sign does, its derivative is taken as 0"


def hessian(d: Derivation, wrt: str | None) -> DerivedArray:
    """The second derivatives of a derivation's loss by one parameter, of shape s.

    Returns:
        An array of shape s + s; entry (i, j) is the derivative of gradient entry i by parameter entry j.

    Raises:
        SpecError: no such parameter; UnsupportedError: an operation on the way has no rule for stacks.
    """
    start = perf_counter()
    name = _parameter(d, wrt)
    program, loss_sign = d.program, d.document.loss_sign
    computed = _gradient(program, name)
    shown = _freely(_seen(program, name), name)
    shape = program.type(name).shape
    made = reshape_output(jacobian_rows(computed, "gradient", name, "hessian"), "hessian", (*shape, *shape))
    if len(squeezed(shape)) < 2:
        page, matrix = _page(jacobian_rows(shown, "gradient", name, "hessian")), True
    else:  # as a map of directions
        page, matrix = _product(shown, name, _direction(shown, name, "V"), "hessian"), False

    def sign(style: str, named: Callable[[str], str]) -> str:
        applied = "" if matrix else _applied(style, page, named)
        return _second(style, loss_sign(style), named(name)) + applied

    def written() -> Program:
        return _page(jacobian_rows(_freely(computed, name), "gradient", name, "hessian"))

    equation = Equation(page, "hessian", loss_sign, sign, written)
    sizes = d.sizes and d.sizes.through(lambda i: hessian(_at(d, i), name))
    spent = _timings(d.timings, perf_counter() - start)
    return DerivedArray("hessian", made.only("hessian"), equation, matrix, _notes(program), sizes, spent)


def hessian_product(d: Derivation, wrt: str | None, direction: str | None) -> DerivedArray:
    """The Hessian times a direction, at the cost of a few gradients (Pearlmutter 1994).

    Args:
        d, wrt: as for :func:`hessian`.
        direction: the name of the new input, of the shape of ``wrt``; None takes ``v`` or the next free name.

    Raises:
        SpecError: no such parameter, or the direction's name is taken.
    """
    start = perf_counter()
    name = _parameter(d, wrt)
    program, loss_sign = d.program, d.document.loss_sign
    computed = _gradient(program, name)
    along = direction or _direction(computed, name, "v")
    if along in computed.by_name:
        raise SpecError(
            "The direction needs a name of its own.", where="direction", got=along, fix="choose another one"
        )
    made = vector_jacobian(computed, "gradient", name, along, "hvp")
    page = _product(_freely(_seen(program, name), name), name, along, "hvp")

    def sign(style: str, named: Callable[[str], str]) -> str:
        times = r" \, " if style == "latex" else "*" if style == "ascii" else "·"
        return _second(style, loss_sign(style), named(name)) + times + named(along)

    def written() -> Program:
        return _product(_freely(computed, name), name, along, "hvp")

    equation = Equation(page, "hvp", loss_sign, sign, written)
    sizes = d.sizes
    if sizes is not None:
        shapes = dict(sizes.shapes)
        shapes |= {along: shapes[name]} if name in shapes else {}
        sizes = sizes.through(lambda i: hessian_product(_at(d, i), name, along), shapes)
    spent = _timings(d.timings, perf_counter() - start)
    return DerivedArray("hvp", made.only("hvp"), equation, True, _notes(program), sizes, spent)


def jacobian(
    function: Any,
    shapes: Mapping[str, object] | None = None,
    wrt: str | None = None,
    *,
    given: Mapping[str, Any] | None = None,
    domains: Mapping[str, str] | None = None,
    syntax: str = "numpy",
) -> DerivedArray:
    """The Jacobian of a function whose result is an array.

    Args:
        function: a NumPy function, a text in NumPy syntax, or a SymPy expression, with one result of shape r.
        shapes, given, domains, syntax: as for :func:`symgrad.derive`.
        wrt: the argument, of shape s; None takes the only one.

    Returns:
        An array of shape r + s that prints, evaluates and compiles as a derivation does; entry (i, j) is the
        derivative of result entry i by argument entry j.  Of a scalar function it is the gradient.

    Raises:
        SymgradError: a subclass that says what does not fit; UnsupportedError: an operation has no rule for stacks.
    """
    question = Question(function, shapes, wrt, given, None, domains, syntax)
    made, warnings = _jacobian(question)
    for w in warnings:
        python_warnings.warn(w, SymgradWarning, stacklevel=2)
    return made


def _at(d: Derivation, instance: Instance) -> Derivation:
    """The derivation for an instance."""
    made: Derivation = d.sizes.other(instance) if d.sizes is not None else d
    return made


def _jacobian(question: Question, at: Instance | None = None) -> tuple[DerivedArray, tuple[str, ...]]:
    begin = perf_counter()
    traced = question.trace(at, scalar=False)
    read = perf_counter()
    program = traced.program
    name = _argument(program, question.wrt)
    shown = _freely(recognise(program), name)
    whole = (*program.type(program.output["loss"]).shape, *program.type(name).shape)
    made = reshape_output(jacobian_rows(program, "loss", name, "jacobian"), "jacobian", whole)
    if len(squeezed(whole)) <= 2:
        page, matrix = _page(jacobian_rows(shown, "loss", name, "jacobian")), True
    else:
        page, matrix = _pushed(shown, name), False
    called = _sign_of(question.loss, program)

    def start(style: str) -> str:
        return rf"\mathrm{{{called}}}".replace("_", r"\_") if style == "latex" and len(called) > 1 else called

    def sign(style: str, named: Callable[[str], str]) -> str:
        applied = "" if matrix else _applied(style, page, named)
        return _first(style, start(style), named(name)) + applied

    def written() -> Program:
        return _page(jacobian_rows(_freely(program, name), "loss", name, "jacobian"))

    equation = Equation(page, "jacobian", start, sign, written)
    sizes = question.sizes(traced, lambda i: _jacobian(question, i)[0])
    notes = (*(f"warning: {w}" for w in traced.warnings), *_notes(program))
    spent = _timings({"trace": read - begin}, perf_counter() - read)
    made = made.only("jacobian")
    return DerivedArray("jacobian", made, equation, matrix, notes, sizes, spent), traced.warnings


def _timings(before: Mapping[str, float], spent: float) -> dict[str, float]:
    """The seconds of a derivation and of what was derived from it."""
    return {**before, "derive": before.get("derive", 0.0) + spent}


def _parameter(d: Derivation, wrt: str | None) -> str:
    if wrt is None and len(d.wrt) == 1:
        return d.wrt[0]
    if wrt not in d.wrt:
        raise SpecError(
            "Second derivatives are taken by one of the parameters.",
            where="wrt",
            expected=f"one of {', '.join(d.wrt)}",
            got=repr(wrt),
            fix=None if wrt is None else f"derive the loss with wrt={wrt!r}",
        )
    return wrt


def _gradient(program: Program, wrt: str) -> Program:
    """The loss and one gradient, which is called ``gradient``."""
    outputs = (("loss", program.output["loss"]), ("gradient", program.output[wrt]))
    return Program(program.inputs, program.bindings, outputs).only("loss", "gradient")


def _seen(program: Program, wrt: str) -> Program:
    """The loss as a reader recognises it, with σ and softmax seen in it, and its gradient."""
    return _gradient(differentiate(recognise(program.only("loss")), (wrt,)).program, wrt)


def _product(gradient: Program, wrt: str, direction: str, label: str) -> Program:
    return _page(vector_jacobian(gradient, "gradient", wrt, direction, label))


def _pushed(program: Program, wrt: str) -> Program:
    """The derivative in a direction V: what a vector-Jacobian product, which is linear, is the transpose of."""
    seed = free_name(program, numbered("seed"))
    back = vector_jacobian(program, "loss", wrt, seed, "back")
    return _page(vector_jacobian(back, "back", seed, _direction(back, wrt, "V"), "jacobian"))


def _freely(program: Program, wrt: str) -> Program:
    """Simplified without what is known of the parameter's values: its neighbours, to differentiate, lack it.

    The inverse of a symmetric matrix is symmetric, but not its derivative by one entry.
    """
    freed = tuple(replace(i, domain="real") if i.name == wrt else i for i in program.inputs)
    made = simplify(Program(freed, program.bindings, program.outputs))
    return Program(program.inputs, made.bindings, made.outputs)


def _page(program: Program) -> Program:
    return log_softmax(share_functions(simplify(program)))


def _direction(program: Program, wrt: str, stem: str) -> str:
    return free_name(program, (stem, f"{stem}_{wrt}", *(f"{stem}_{wrt}_{i}" for i in range(2, 99))))


def _applied(style: str, page: Program, name: Callable[[str], str]) -> str:
    """``[V]``: the direction, which is the last input."""
    shown = name(page.inputs[-1].name)
    return rf"\left[{shown}\right]" if style == "latex" else f"[{shown}]"


def _first(style: str, top: str, bottom: str) -> str:
    if style == "latex":
        return rf"\frac{{\partial {top}}}{{\partial {bottom}}}"
    return f"d{top}/d{bottom}" if style == "ascii" else f"∂{top}/∂{bottom}"


def _second(style: str, loss: str, parameter: str) -> str:
    if style == "latex":
        return rf"\frac{{\partial^2 {loss}}}{{\partial {parameter}^2}}"
    return f"d^2{loss}/d{parameter}^2" if style == "ascii" else f"∂²{loss}/∂{parameter}²"


def _notes(program: Program) -> tuple[str, ...]:
    jumps = any(b.op == "pointwise" and b.attrs["fn"].atoms(*_FLAT) for b in program.bindings)
    return (_KINK,) if jumps else ()


def _sign_of(function: Any, program: Program) -> str:
    """The function's own name where it has one that the page does not use yet."""
    own = getattr(function, "__name__", "f")
    taken = {i.name for i in program.inputs} | {
        str(s) for i in program.inputs for d in i.shape for s in _symbols(d)
    }
    candidates = (own if own.isidentifier() else "f", "f", "g", *(f"f_{i}" for i in range(1, 99)))
    return next(n for n in candidates if n not in taken)


def _symbols(dim: Any) -> Any:
    return getattr(dim, "free_symbols", ())


def _argument(program: Program, wrt: object) -> str:
    names = [i.name for i in program.inputs]
    if wrt is None and len(names) == 1:
        return names[0]
    if not isinstance(wrt, str):
        raise SpecError(
            "A Jacobian is taken by one argument.",
            where="wrt",
            expected=f"one of {', '.join(names)}",
            got=repr(wrt),
        )
    if wrt not in names:
        raise SpecError(
            f"{wrt!r} is not an argument of the function.", where="wrt", expected=", ".join(names), got=wrt
        )
    return wrt
