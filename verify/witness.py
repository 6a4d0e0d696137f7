"""An independent witness of the derived gradient: SymPy's scalar derivative of the loss written out.

The loss is written entry by entry at small fixed sizes from the records' definitions, every function of
ours in SymPy's own terms, and differentiated by one input entry after another.  No vector-Jacobian product,
no matrix rule and no ``fdiff`` takes part.  Both sides are evaluated at rational points to thirty digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import sympy

from symgrad.errors import UnsupportedError
from symgrad.ops.dims import shape_of
from symgrad.ops.scalars import in_own_terms
from symgrad.program import Input, Program, at_sizes, labels_of
from symgrad.program.scalarise import Position, scalar_expressions
from verify.drawing import symbols_of
from verify.spec import Spec, make_spec

DIGITS = 30
SMALL = (2, 3, 2, 1)

Entries = Mapping[tuple[str, Position], sympy.Expr]


def check_derivation(
    of: Any,
    shapes: Mapping[str, object],
    wrt: str | Sequence[str],
    given: Mapping[str, Any] | None = None,
    domains: Mapping[str, str] | None = None,
    criterion: Any = None,
) -> None:
    """Compare the derived gradient of a loss with the witness.

    Raises:
        AssertionError: they differ; the message says where.
    """
    spec = make_spec(of, shapes, wrt, given, domains, criterion)
    problem = disagreement(spec)
    if problem is not None:
        raise AssertionError(problem)


def disagreement(spec: Spec) -> str | None:
    """None where the gradients agree with the scalar derivatives, at unequal and at equal small sizes."""
    symbols = symbols_of(spec.inputs)
    unequal = {s: SMALL[i % len(SMALL)] for i, s in enumerate(symbols)}
    for wanted in (unequal, dict.fromkeys(symbols, 2)) if symbols else ({},):
        sizes = spec.plan.fit(wanted, spec.inputs)
        there = spec.at(sizes)
        if there is None:
            raise UnsupportedError(
                "The loss cannot be derived at the witness's sizes.",
                where="check_derivation",
                expected="a loss of small sizes",
                got=", ".join(f"{n} = {size}" for n, size in sizes.items()),
            )
        domains = {i.name: at_sizes(i.domain, sizes) for i in spec.inputs}
        inputs = [replace(i, domain=domains[i.name]) for i in there.program.inputs]
        problem = _problem(replace(there.program, inputs=tuple(inputs)), spec.wrt, sizes)
        if problem is not None:
            return problem
    return None


def _problem(program: Program, wrt: Sequence[str], sizes: Mapping[str, int]) -> str | None:
    """Where the two differ at these sizes; None where they agree."""
    entries = _symbols(program.inputs, sizes)
    loss = program.only("loss")
    written = scalar_expressions(loss, sizes, entries)
    total = in_own_terms(written[loss.output["loss"], ()])
    point = _point(program.inputs, sizes, entries)
    derived = _derived(program, sizes, entries, point)
    for name in wrt:
        shape = shape_of(program.type(name).shape, sizes)
        for at in product(*(range(d) for d in shape)):
            symbol = entries[name, at]
            want = _digits(sympy.diff(total, symbol), point)
            got = derived[program.output[name], at]
            if abs(want - got) > sympy.Float(10) ** (8 - DIGITS) * (1 + abs(want)):
                where = f"{name}[{', '.join(map(str, at))}]" if at else name
                return (
                    f"∂loss/∂{where} = {sympy.N(want, 8)}, derived {sympy.N(got, 8)} at sizes {dict(sizes)}"
                )
    return None


def _symbols(inputs: Sequence[Input], sizes: Mapping[str, int]) -> dict[tuple[str, Position], sympy.Expr]:
    entries: dict[tuple[str, Position], sympy.Expr] = {}
    for i in inputs:
        for count, at in enumerate(product(*(range(d) for d in shape_of(i.shape, sizes)))):
            if i.kind != "real":  # whole numbers and truth values are not differentiated by
                entries[i.name, at] = sympy.Integer((count + 1) % _limit(i))
                continue
            entries[i.name, at] = sympy.Symbol("_".join([i.name, *map(str, at)]), real=True)
    return entries


def _limit(i: Input) -> int:
    """How many whole numbers, from 0 on, an input may hold."""
    labels = labels_of(i.domain)
    if labels is not None and isinstance(labels.limit, int):
        return max(labels.limit, 1)
    return 2 if i.kind == "bool" else 3


def _point(
    inputs: Sequence[Input], sizes: Mapping[str, int], entries: Entries
) -> dict[sympy.Expr, sympy.Expr]:
    """A rational number for each entry, none of them special, in the domain of its input."""
    domain = {i.name: i.domain for i in inputs}
    values: dict[sympy.Expr, sympy.Expr] = {}
    for k, ((name, at), symbol) in enumerate(entries.items()):
        if symbol.is_number:
            values[symbol] = symbol
            continue
        value = sympy.Rational((17 * k * k + 29 * k + 11) % 61 - 30, 37)
        if domain[name] == "positive":
            value = abs(value) + sympy.Rational(1, 5)
        elif domain[name] == "prob":
            value = (abs(value) + sympy.Rational(1, 9)) / 2
        elif domain[name] == "nonzero":
            value = value if value else sympy.Rational(3, 7)
        elif domain[name] == "binary":
            value = sympy.Integer(k % 2)
        elif domain[name] == "onehot":
            value = sympy.Integer(int(at[-1] == sum(at[:-1]) % _last(inputs, name, sizes)))
        elif domain[name] == "spd":
            value = value / 9 + (3 if at[0] == at[-1] else 0)
        values[symbol] = value
    return values


def _last(inputs: Sequence[Input], name: str, sizes: Mapping[str, int]) -> int:
    shape = next(i.shape for i in inputs if i.name == name)
    return shape_of(shape, sizes)[-1]


def _derived(program: Program, sizes: Mapping[str, int], entries: Entries, point: Mapping[Any, Any]) -> Any:
    """The derived program at the point, entry by entry; each entry becomes a number at once."""
    known: dict[tuple[str, Position], sympy.Expr] = {key: point[s] for key, s in entries.items()}
    single: dict[tuple[str, Position], sympy.Expr] = dict(known)
    for b in program.bindings:
        one = Program(
            tuple(Input(n, program.type(n).shape, program.type(n).kind) for n in dict.fromkeys(b.args)),
            (b,),
            (("value", b.name),),
        )
        result = scalar_expressions(one, sizes, {k: v for k, v in single.items() if k[0] in b.args})
        for key, value in result.items():
            if key[0] == b.name:
                single[key] = _digits(in_own_terms(value), {})
    return single


def _digits(expr: sympy.Expr, point: Mapping[Any, Any]) -> sympy.Expr:
    value = sympy.N(expr.xreplace(dict(point)), DIGITS)
    if not value.is_number or value.is_finite is False or value.has(sympy.nan, sympy.zoo):
        raise UnsupportedError("The loss has no finite derivative at the witness's point.", got=str(value))
    return value
