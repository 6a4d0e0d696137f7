"""Tiny problems of fixed size: every entry a scalar in a register, every sum a balanced tree.

The entries come from the records' definitions (``symgrad.program.scalarise``), the same text that the scalar
witness differentiates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import sympy

from symgrad.compile.forms import Call, form_of, reads_at_values
from symgrad.compile.names import Namer
from symgrad.compile.scalar_code import KernelPrinter, balanced_sum
from symgrad.ops.dims import Shape, shape_of
from symgrad.ops.record import ARG, Definition, Piece
from symgrad.ops.scalars.functions import Comparison, Select
from symgrad.ops.scalars.printer import ATOM
from symgrad.program import Program, scalarise
from symgrad.program.scalarise import RELATIONS, Entry, Position

LIMIT = 600
"""At most this many scalar operations; beyond it loops win and compiling gets slow."""


def positions(shape: Sequence[int]) -> list[Position]:
    """All index tuples of an array, in C order."""
    return list(product(*map(range, shape)))


def place_in(array: str, position: Position) -> str:
    """``w[1, 0]``."""
    return f"{array}[{', '.join(map(str, position)) or '()'}]"


def cost(program: Program, sizes: Mapping[str, int]) -> int:
    """The number of scalar operations of one evaluation, inputs included, at most ``LIMIT`` + 1.

    What a scalar formula cannot say well is beyond the limit: an inverse, an entry whose index is a value, the
    place of a largest entry.
    """
    if any(i.kind == "int" for i in program.inputs):
        return LIMIT + 1
    count = sum(prod(shape_of(i.shape, sizes)) for i in program.inputs)
    for b in program.bindings:
        if count > LIMIT:
            break
        form = form_of(program, b)
        if isinstance(form, Call) and b.op != "matmul":
            return LIMIT + 1
        reduced: Shape = ()
        if isinstance(form, Definition):
            if reads_at_values(form):
                return LIMIT + 1
            reduced = form.reduce
        elif b.op == "matmul":
            reduced = program.type(b.args[0]).shape[-1:]
        count += prod(shape_of(b.shape, sizes)) * prod(shape_of(reduced, sizes))
    return min(count, LIMIT + 1)


@dataclass(frozen=True)
class Scalars:
    """One evaluation.

    Attributes:
        loads: statements that read the inputs' entries.
        statements: the evaluation.
        entry: for each entry of each value the variable or number that it is.
    """

    loads: tuple[str, ...]
    statements: tuple[str, ...]
    entry: Mapping[tuple[str, Position], str]


def evaluation(
    program: Program,
    sizes: Mapping[str, int],
    helpers: set[str],
    namer: Namer,
    numbers: Mapping[str, str] | None = None,
) -> Scalars:
    """One evaluation of the program with every entry a variable.

    Args:
        program, sizes, helpers, namer: as elsewhere.
        numbers: inputs that are numbers in double precision, not arrays, and the names of the variables.
    """
    numbers = numbers or {}
    entry: dict[tuple[str, Position], str] = {}
    loads: list[str] = []
    for i in program.inputs:
        array = namer.values[i.name]
        for p in positions(shape_of(i.shape, sizes)):
            entry[i.name, p] = _variable(namer, array, p)
            read = numbers.get(i.name) or place_in(array, p)
            cast = i.kind != "real" or i.name in numbers
            loads.append(f"{entry[i.name, p]} = {f'F({read})' if cast else read}")
    statements: list[str] = []
    for e in scalarise(program, sizes):
        key = (e.name, e.position)
        text = _entry_text(e, entry, helpers)
        if text.isidentifier() or _NUMBER.fullmatch(text):
            entry[key] = text  # a copy or a number needs no statement
            continue
        entry[key] = _variable(namer, namer.values[e.name], e.position)
        statements.append(f"{entry[key]} = {text}")
    return Scalars(tuple(loads), tuple(statements), entry)


_NUMBER = re.compile(r"\(?-?F\([-+.\w]+\)\)?")


def _variable(namer: Namer, array: str, position: Position) -> str:
    if not position:
        return namer.fresh(f"{array}_now")
    return namer.fresh("_".join([array, *map(str, position)]))


def _entry_text(e: Entry, known: Mapping[tuple[str, Position], str], helpers: set[str]) -> str:
    """The expression of one entry: its terms combined in a balanced tree, and what is done to the result."""
    shifted = e.combine == "sum" and e.after == sympy.log(ARG(0)) and _all_exponentials(e)
    terms = []
    for t in e.terms:
        fn = settled(t.fn.args[0] if shifted else t.fn)
        if fn == _NEUTRAL.get(e.combine) and not shifted:
            continue
        terms.append(_term(fn, [known[source] for source in t.sources], helpers))
    if shifted:
        return _balanced(terms, "logaddexp({}, {})", "F(-np.inf)", helpers)
    if e.combine == "sum":
        text = balanced_sum(terms)
    else:
        form = {"prod": "({}*{})", "max": "maximum({}, {})", "min": "minimum({}, {})"}[e.combine]
        text = _balanced(terms, form, "F(1)", helpers)
    if e.after == ARG(0):
        return text
    return KernelPrinter({ARG(0): Piece(f"({text})", ATOM)}, helpers).text(e.after)


_NEUTRAL = {"sum": sympy.S.Zero, "prod": sympy.S.One}


def _all_exponentials(e: Entry) -> bool:
    return all(isinstance(t.fn, sympy.exp) for t in e.terms)


def _balanced(terms: Sequence[str], form: str, empty: str, helpers: set[str]) -> str:
    """The terms combined two by two by a helper or an operator, as a balanced tree."""
    if not terms:
        return empty
    if len(terms) == 1:
        return terms[0]
    name = form.partition("(")[0]
    helpers |= {name} - {""}
    half = (len(terms) + 1) // 2
    return form.format(
        _balanced(terms[:half], form, empty, helpers), _balanced(terms[half:], form, empty, helpers)
    )


def settled(fn: sympy.Expr) -> sympy.Expr:
    """The expression with comparisons of numbers decided, and choices that hang on them made."""
    if not fn.args or not fn.has(Comparison, Select):
        return fn
    args = [settled(a) for a in fn.args]
    if isinstance(fn, Comparison) and all(a.is_number for a in args):
        return sympy.Integer(bool(RELATIONS[fn.sign](args[0], args[1])))
    if isinstance(fn, Select) and args[0].is_number:
        return args[1] if args[0] != 0 else args[2]
    return fn.func(*args)


def _term(fn: sympy.Expr, arguments: list[str], helpers: set[str]) -> str:
    symbols = {ARG(j): Piece(text, ATOM) for j, text in enumerate(arguments)}
    text = KernelPrinter(symbols, helpers).text(fn)
    return f"({text})" if fn.is_number and text.startswith("-") else text
