"""Elementwise functions of arrays that NumPy broadcasts, in the notation of matrices.

On paper nothing is repeated by itself: a row added to every row of a matrix is 𝟏bᵀ, a matrix whose rows are scaled
is diag(s)A, a column times a row is their outer product. Vectors are columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import sympy

from symgrad.ops.dims import Shape
from symgrad.ops.record import Piece
from symgrad.ops.scalars.printer import ATOM, POW, ScalarPrinter

SCALAR, COLUMN, ROW, FULL = range(4)
"""Along which of two axes a value varies: none, the first, the second, both (their union is ``|``)."""


class MatrixSigns(Protocol):
    """The part of a notation that broadcasting needs."""

    def printer(self, symbols: Mapping[sympy.Symbol, Piece]) -> ScalarPrinter: ...
    def transpose(self, a: Piece) -> Piece: ...
    def matmul(self, a: Piece, b: Piece) -> Piece: ...
    def ones(self, shape: Shape) -> Piece: ...
    def call(self, name: str, *args: Piece) -> Piece: ...


def out_shape(shapes: Sequence[Shape]) -> Shape:
    """The shape that these broadcast to; they are known to fit."""
    rank = max((len(s) for s in shapes), default=0)
    padded = [(1,) * (rank - len(s)) + tuple(s) for s in shapes]
    return tuple(next((s[i] for s in padded if s[i] != 1), 1) for i in range(rank))


def entrywise(
    style: MatrixSigns,
    fn: sympy.Expr,
    symbols: Mapping[sympy.Symbol, Piece],
    sizes: Mapping[sympy.Symbol, Piece],
) -> Piece:
    """The function, its broadcast arguments written out.

    Args:
        style: the signs.
        fn: the function.
        symbols: for each array symbol the piece that stands for it.
        sizes: the same for the dimension symbols.
    """
    shapes = [p.shape for p in symbols.values() if p.shape is not None]
    out = out_shape(shapes)
    if len(shapes) < len(symbols) or len(out) != 2:
        few = {s: _plain(p, out) for s, p in symbols.items()}
        return style.printer(few | dict(sizes)).piece(fn)
    kinds = {s: _kind(p.shape or (), out) for s, p in symbols.items()}
    pieces = {s: _plain(p, out) for s, p in symbols.items()}
    vectors = {s for s, p in symbols.items() if len(p.shape or ()) == 1 and kinds[s] != SCALAR}
    upright = bool(vectors) and vectors == {s for s in symbols if kinds[s] == ROW}
    if not upright:  # beside rows a vector lies down
        pieces |= {s: style.transpose(pieces[s]) for s in vectors}
    standing = {s: _plain(symbols[s], out) for s in vectors}
    writer = _Spread(style, pieces, kinds, upright, dict(sizes), standing)
    return writer.printed(writer.full(fn))


def _plain(piece: Piece, out: Shape) -> Piece:
    """A single entry is a number where it stands beside an array."""
    single = piece.shape is not None and all(d == 1 for d in piece.shape) and any(d != 1 for d in out)
    return replace(piece, rank=0) if single else piece


def _kind(shape: Shape, out: Shape) -> int:
    """Where an output axis has one entry, nothing varies along it, and everything is said to."""
    padded = (1,) * (2 - len(shape)) + tuple(shape)
    if shape == () or (all(d == 1 for d in shape) and any(d != 1 for d in out)):
        return SCALAR
    return sum(flag for flag, a, b in zip((COLUMN, ROW), padded, out, strict=True) if a == b)


class _Spread:
    """Writes one function; each part that is written out becomes a symbol of its own for the printer."""

    def __init__(
        self,
        style: MatrixSigns,
        pieces: dict[sympy.Symbol, Piece],
        kinds: dict[sympy.Symbol, int],
        upright: bool,
        sizes: dict[sympy.Symbol, Piece],
        standing: dict[sympy.Symbol, Piece],
    ) -> None:
        self.style = style
        self.pieces = pieces
        self.kinds = kinds
        self.upright = upright
        self.sizes = sizes
        self.standing = standing
        self.place: dict[sympy.Symbol, float] = {s: i for i, s in enumerate(pieces)}

    def kind(self, expr: sympy.Expr) -> int:
        found = SCALAR
        for s in expr.free_symbols:
            found |= self.kinds.get(s, SCALAR)
        return found

    def printed(self, expr: sympy.Expr) -> Piece:
        ordered = sorted(self.pieces, key=lambda s: self.place[s])
        return self.style.printer({s: self.pieces[s] for s in ordered} | self.sizes).piece(expr)

    def symbol(self, piece: Piece, of: sympy.Expr) -> sympy.Symbol:
        new = sympy.Dummy(real=True)
        self.pieces[new] = piece
        self.place[new] = min((self.place[s] for s in of.free_symbols if s in self.place), default=0)
        self.kinds[new] = FULL
        return new

    def full(self, expr: sympy.Expr) -> sympy.Expr:
        """An expression in which every symbol has the shape of the result, or is a number."""
        if expr.is_Symbol or self.kind(expr) == SCALAR or self._even(expr):
            return expr
        if expr.is_Add:
            return expr.func(*(self.lifted(t) for t in expr.args))
        if expr.is_Mul:
            return self._product(expr)
        return expr.func(*(self.lifted(a) for a in expr.args))

    def _even(self, expr: sympy.Expr) -> bool:
        return all(self.kinds.get(s, SCALAR) in (SCALAR, FULL) for s in expr.free_symbols)

    def lifted(self, expr: sympy.Expr) -> sympy.Expr:
        """A term or an argument; one that varies along one axis only is repeated by a vector of ones."""
        kind = self.kind(expr)
        if kind == SCALAR:
            return expr
        if kind == FULL:
            return self.full(expr)
        scalars, arrays = self._split(expr)
        body = sympy.Mul(*arrays)
        piece = self.printed(body)
        if kind == COLUMN:
            piece = self.style.matmul(piece, self.style.ones((1, "n")))
        else:
            row = self.style.transpose(piece) if self.upright else piece
            piece = self.style.matmul(self.style.ones(("n", 1)), row)
        return sympy.Mul(*scalars) * self.symbol(replace(piece, rank=2), body)

    def _split(self, expr: sympy.Expr) -> tuple[list[sympy.Expr], list[sympy.Expr]]:
        factors = sympy.Mul.make_args(expr)
        scalars = [f for f in factors if self.kind(f) == SCALAR]
        return scalars, [f for f in factors if self.kind(f) != SCALAR]

    def _product(self, expr: sympy.Expr) -> sympy.Expr:
        """Rows scaled from the left, columns from the right."""
        scalars, arrays = self._split(expr)
        by_kind = {k: [f for f in arrays if self.kind(f) == k] for k in (COLUMN, ROW, FULL)}
        left, right = sympy.Mul(*by_kind[COLUMN]), sympy.Mul(*by_kind[ROW])
        inner = sympy.Mul(*(self.full(f) for f in by_kind[FULL]))
        if not by_kind[COLUMN] and not by_kind[ROW]:
            return sympy.Mul(*scalars, inner)
        if not by_kind[FULL]:
            row = self.printed(right)
            piece = self.style.matmul(self.printed(left), self.style.transpose(row) if self.upright else row)
        else:
            piece = self.printed(inner)
            if by_kind[COLUMN]:
                piece = self.style.matmul(self.diagonal(left), piece)
            if by_kind[ROW]:
                piece = self.style.matmul(piece, self.diagonal(right))
        return sympy.Mul(*scalars) * self.symbol(replace(piece, rank=2), expr)

    def diagonal(self, expr: sympy.Expr) -> Piece:
        """diag(s), or diag(s)⁻¹ for a divisor; of a vector as it stands."""
        arrays = {s for s in expr.free_symbols if self.kind(s) != SCALAR}
        if arrays <= self.standing.keys():
            lying = self.pieces
            self.pieces = {**lying, **self.standing}
            piece = self._diagonal(expr)
            self.pieces = lying
            return piece
        return self._diagonal(expr)

    def _diagonal(self, expr: sympy.Expr) -> Piece:
        if expr.is_Pow and expr.exp.is_negative and expr.exp.is_number:
            inner = self.style.call("diag", self.printed(expr.base ** (-expr.exp)))
            x = sympy.Dummy(real=True)
            power = self.style.printer({x: replace(inner, rank=2)}).power(x, sympy.Integer(-1))
            return Piece(power.text, POW, 2)
        return Piece(self.style.call("diag", self.printed(expr)).text, ATOM, 2)
