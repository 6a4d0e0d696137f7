"""Dimensions and shapes.

A dimension is a Python ``int`` (a fixed size) or a SymPy expression over non-negative integer symbols
(``n``, ``2*n``).  A shape is a tuple of dimensions; broadcasting is NumPy's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TypeAlias

import sympy

from symgrad.errors import ShapeError, SpecError

Dim: TypeAlias = "int | sympy.Expr"
Shape: TypeAlias = tuple[Dim, ...]

_NAME = re.compile(r"[^\W\d]\w*\Z")


@cache
def dim_symbol(name: str) -> sympy.Symbol:
    """The symbol that stands for the size called ``name``."""
    return sympy.Symbol(name, integer=True, nonnegative=True)


def as_dim(value: object) -> Dim:
    """Bring an int, a name, or a SymPy expression into the one form that shapes are compared in."""
    if isinstance(value, bool):
        raise SpecError("A dimension is an int or a name.", got=repr(value))
    if isinstance(value, str):
        value = value.strip()
        if value.isdecimal():
            return int(value)
        if not _NAME.match(value):
            raise SpecError("A dimension is an int or a name.", expected="such as 3 or n", got=repr(value))
        return dim_symbol(value)
    if isinstance(value, sympy.Expr):
        return _canonical(value)
    try:
        size = int(value.__index__())  # type: ignore[attr-defined]
    except AttributeError:
        raise SpecError("A dimension is an int or a name.", got=repr(value)) from None
    if size < 0:
        raise SpecError("A dimension is not negative.", got=size)
    return size


def _canonical(expr: sympy.Expr) -> Dim:
    renamed = {s: dim_symbol(s.name) for s in expr.free_symbols if s != dim_symbol(s.name)}
    expr = sympy.expand(expr.xreplace(renamed))
    return int(expr) if expr.is_Integer else expr


def product(dims: Iterable[Dim]) -> Dim:
    """The number of entries of an array with these dimensions."""
    out: Dim = 1
    for d in dims:
        out = out * d
    return _canonical(out) if isinstance(out, sympy.Expr) else out


def parse_shape(text: object) -> Shape:
    """Read ``"n d"``, ``"n"``, ``""`` or a tuple of ints and names.

    Raises:
        SpecError: the text is none of these.
    """
    if isinstance(text, str):
        return tuple(as_dim(part) for part in text.replace(",", " ").strip("() ").split())
    if isinstance(text, sympy.Expr) or hasattr(text, "__index__"):
        return (as_dim(text),)
    if isinstance(text, Iterable):
        return tuple(as_dim(part) for part in text)
    raise SpecError(
        "A shape is a text or a tuple.", expected='"n d", ("n", 3), or "" for a scalar', got=repr(text)
    )


def format_shape(shape: Sequence[Dim]) -> str:
    """``(n, d)``, ``(n,)``, ``()`` as NumPy prints shapes."""
    inner = ", ".join(str(d) for d in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def same(a: Dim, b: Dim) -> bool:
    """Whether two dimensions are equal for every value of their symbols."""
    return bool(a == b)


def broadcast(shapes: Sequence[Shape], where: str) -> Shape:
    """NumPy's broadcasting; a symbol matches itself and 1 only.

    Raises:
        ShapeError: two sizes on one axis differ and neither is 1.
    """
    rank = max((len(s) for s in shapes), default=0)
    out: list[Dim] = []
    for axis in range(rank):
        size: Dim = 1
        for shape in shapes:
            position = axis - rank + len(shape)
            if position < 0:
                continue
            this = shape[position]
            if same(size, 1):
                size = this
            elif not same(this, 1) and not same(this, size):
                error = ShapeError(
                    "These shapes do not broadcast.",
                    where=where,
                    expected="equal sizes, or 1, on every axis counted from the right",
                    got=" and ".join(format_shape(s) for s in shapes),
                    fix=f"if {size} and {this} are meant to be the same size, give them the same name",
                )
                error.clash = (size, this)
                raise error
        out.append(size)
    return tuple(out)


def bind_dims(shapes: Mapping[str, Shape], actual: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Solve the symbolic shapes for the sizes of actual arrays.

    Returns:
        The value of every dimension symbol.

    Raises:
        ShapeError: ranks differ, a fixed size differs, or a symbol would need two values.
    """
    sizes: dict[str, int] = {}
    found_in: dict[str, str] = {}
    for name, shape in shapes.items():
        got = tuple(actual[name])
        if len(got) != len(shape):
            raise ShapeError(
                f"{name!r} has {len(got)} axes.",
                where=name,
                expected=format_shape(shape),
                got=format_shape(got),
            )
        for want, have in zip(shape, got, strict=True):
            if isinstance(want, sympy.Symbol):
                first = sizes.setdefault(want.name, have)
                found_in.setdefault(want.name, name)
                if first != have:
                    raise ShapeError(
                        f"The dimension {want} cannot be {first} and {have} at once.",
                        where=name,
                        expected=f"{format_shape(shape)} with {want} = {first}, as {found_in[want.name]!r} has it",
                        got=format_shape(got),
                    )
    for name, shape in shapes.items():
        for want, have in zip(shape, actual[name], strict=True):
            if size_of(want, sizes) != have:
                raise ShapeError(
                    f"{name!r} has the wrong size.",
                    where=name,
                    expected=format_shape(shape),
                    got=format_shape(actual[name]),
                )
    return sizes


def size_of(dim: Dim, sizes: Mapping[str, int]) -> int:
    """The value of a dimension once the symbols have theirs."""
    if isinstance(dim, int):
        return dim
    if isinstance(dim, sympy.Symbol) and dim.name in sizes:
        return sizes[dim.name]
    value = dim.subs({s: sizes[s.name] for s in dim.free_symbols if s.name in sizes})
    if not value.is_Integer:
        raise ShapeError(f"The size {dim} is not known.", expected=f"an array that has an axis {dim}")
    return int(value)


def shape_of(shape: Shape, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """A shape once the symbols have their values."""
    return tuple(size_of(d, sizes) for d in shape)


def has_size(shape: Shape, symbol: sympy.Symbol) -> bool:
    """Whether a shape depends on that size."""
    return any(symbol in sympy.sympify(d).free_symbols for d in shape)


def only_axis(shape: Shape, symbol: sympy.Symbol) -> int | None:
    """The one axis of that size; None where the symbol occurs otherwise, too."""
    if symbol not in shape or sum(has_size((d,), symbol) for d in shape) != 1:
        return None
    return shape.index(symbol)
