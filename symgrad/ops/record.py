"""What is known of an operation: one record, in one place.

Every pass of symgrad asks the record and nothing else: tracing asks for the result's shape, calculus for the
vector-Jacobian product, evaluation and source printing for the NumPy spelling, rendering for the notation,
compilation and the scalar witness for the definition in index notation, verification for the magnitudes
that bound rounding errors.  A new operation is one new file with one record in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import sympy

from symgrad.ops.dims import Dim, Shape

Attrs = Mapping[str, Any]


@cache
def ARG(position: int) -> sympy.Symbol:
    """The real symbol that stands for one entry of an operation's argument number ``position``."""
    return sympy.Symbol(f"a{position}", real=True)


_ENTRY = ARG(0)


@cache
def INDEX(position: int) -> sympy.Symbol:
    """The index symbol number ``position``: the output's axes first, the reduced ones after them."""
    return sympy.Symbol(f"#{position}", integer=True, nonnegative=True)  # no size can have that name


OUT = sympy.Symbol("out", real=True)
"""The result of the operation itself, in derivatives that reuse it: tanh′ = 1 − out²."""


@dataclass(frozen=True)
class Type:
    """Shape and kind of a value; ``kind`` is ``"real"``, ``"int"`` or ``"bool"``."""

    shape: Shape
    kind: str = "real"


@dataclass(frozen=True)
class Access:
    """One entry of one argument, at an index written in terms of ``INDEX`` symbols and ints."""

    arg: int
    index: tuple[Any, ...]


@dataclass(frozen=True)
class Part:
    """Some entries of a result that is 0 elsewhere: ``out[target] = fn(accesses…)`` for every index of ``sizes``.

    ``INDEX(0), …`` run over ``sizes``.  In ``target`` and in an access ``ARG(j)`` is the whole number that an
    earlier access found; a negative one counts from the end.  ``adds`` where several indices may have one target:
    then their values add up.
    """

    sizes: tuple[Dim, ...]
    access: tuple[Access, ...]
    target: tuple[Any, ...]
    fn: sympy.Expr = _ENTRY
    adds: bool = False


@dataclass(frozen=True)
class Definition:
    """The operation entry by entry: ``out[i…] = after(Σ over the reduced indices of fn(accesses…))``.

    ``fn`` is a SymPy expression in ``ARG(j)`` for access number ``j``, in ``INDEX`` symbols and in sizes;
    ``reduce`` holds the sizes of the reduced indices, which are numbered after the ``rank`` output indices.
    ``combine`` says how they are reduced: ``sum``, ``prod``, ``max`` or ``min``; ``after`` is an expression in
    ``ARG(0)``, what is done to the result of that.  ``parts`` says the same with less work, where most terms are 0:
    every part in turn is written into zeros.
    """

    rank: int
    access: tuple[Access, ...]
    fn: sympy.Expr
    reduce: tuple[Dim, ...] = ()
    combine: str = "sum"
    after: sympy.Expr = _ENTRY
    parts: tuple[Part, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether it is a sum of a function of entries, and nothing else."""
        indexed = any(s.name.startswith("#") for s in sympy.sympify(self.fn).free_symbols)
        return self.combine == "sum" and self.after == ARG(0) and not indexed


@dataclass(frozen=True)
class Whole:
    """The operation on whole arrays, for what has no formula entry by entry: a determinant, an inverse.

    ``fn`` takes object arrays of SymPy expressions, one for each argument, and returns the result as such an
    array, by a rule that is exact and shares nothing with NumPy's algorithm.
    """

    fn: Callable[..., Any]


class Node(Protocol):
    """The part of a binding that the rules read."""

    @property
    def name(self) -> str: ...
    @property
    def args(self) -> tuple[str, ...]: ...
    @property
    def attrs(self) -> Attrs: ...
    @property
    def shape(self) -> Shape: ...


class Emitter(Protocol):
    """What a vector-Jacobian product may use to write its result down.

    ``g`` stands for an adjoint.  It may have a smaller shape that broadcasts to the one it stands for
    (the adjoint of a sum is one number, not a matrix of ones); ``full`` writes it out where that matters.
    """

    def emit(self, op: str, *args: str, **attrs: Any) -> str: ...
    def type(self, name: str) -> Type: ...
    def constant(self, value: object) -> str: ...
    def pointwise(self, fn: sympy.Expr, *args: str) -> str: ...
    def full(self, g: str, shape: Shape) -> str: ...
    def sum_to(self, g: str, full: Shape, shape: Shape) -> str: ...


@dataclass(frozen=True)
class Piece:
    """A printed part of a formula with the binding strength of its outermost operator.

    ``rank`` is the number of axes of what it stands for, ``is_size`` marks a dimension such as n; ``shape``
    is known of the arguments that a record's ``notation`` is given.
    """

    text: str
    strength: int
    rank: int = 0
    is_size: bool = False
    shape: Shape | None = None


class Notation(Protocol):
    """The signs of one style of printing (Unicode, ASCII, LaTeX)."""

    def transpose(self, a: Piece) -> Piece: ...
    def inverse(self, a: Piece) -> Piece: ...
    def identity(self) -> Piece: ...
    def matrix_power(self, a: Piece, p: int) -> Piece: ...
    def norm(self, a: Piece) -> Piece: ...
    def matmul(self, a: Piece, b: Piece) -> Piece: ...
    def outer(self, a: Piece, b: Piece) -> Piece: ...
    def inner(self, a: Piece, b: Piece) -> Piece: ...
    def call(self, name: str, *args: Piece) -> Piece: ...
    def total(self, a: Piece, axes: tuple[int, ...] | None, keepdims: bool = False) -> Piece: ...
    def reshape(self, a: Piece, shape: Shape) -> Piece: ...
    def spread(self, a: Piece, shape: Shape) -> Piece: ...
    def scalar(self, fn: sympy.Expr, args: Sequence[Piece]) -> Piece: ...
    def ones(self, shape: Shape) -> Piece: ...


@dataclass(frozen=True)
class Magnitude:
    """A computed value, and the size of the terms that went into it (entrywise, ``size >= |value|``)."""

    value: Any
    size: Any


@dataclass(frozen=True)
class Condition:
    """What a magnitude is made of that is no sum of terms, and how far it can be believed.

    ``grows`` says by how much a small change of the arguments, relative to their sizes, grows on the way to the
    result; first-order bounds hold as long as that times the rounding is small.
    """

    text: str
    grows: Callable[[Sequence[Magnitude], Attrs], Any]


@dataclass(frozen=True)
class Example:
    """Argument shapes and attributes for which the record's own tests are run.

    ``domains`` restricts the values of each argument (``real`` if empty): ``positive``, ``spd``,
    ``labels k`` for whole numbers below k.  ``nonempty`` leaves sizes of 0 out.
    """

    shapes: tuple[Shape, ...]
    attrs: Attrs = field(default_factory=dict)
    domains: tuple[str, ...] = ()
    nonempty: bool = False


@dataclass(frozen=True)
class Op:
    """One operation.

    Attributes:
        name: the key in ``OPS``.
        infer: argument types and attributes to the result's type; raises ``ShapeError``.
        vjp: for each argument the adjoint that flows back to it, or None where none does.
        define: the result entry by entry.
        numpy: NumPy source text for the result, given source texts for arguments and dimensions.
        notation: the printed formula.
        magnitude: the sizes of the terms summed into the result, for rounding-error bounds.
        roundings: how many roundings in sequence one entry of the result may go through.
        rule: the vector-Jacobian product in one line, as a textbook states it.
        why: for each argument, one sentence that explains its rule.
        source: author and equation.
        examples: where the record is tested.
        explain: rule and sentence for one argument, where they depend on the attributes and on whether the
            argument was broadcast; None takes ``rule`` and ``why``.
        stack: the operation on a stack of arguments: the new argument names, and which of them have one axis
            more in front; the result has it too.  None where Jacobians cannot be taken through it.
        sympy: the result as a SymPy matrix expression, given those of the arguments (vectors are columns),
            the arguments' shapes, the attributes and the result's shape; None where SymPy has none.
        imports: lines that the NumPy source needs besides ``import numpy as np``.
        condition: where ``magnitude`` holds for well conditioned arguments only; None where it is a sum of terms.
    """

    name: str
    infer: Callable[[Sequence[Type], Attrs], Type]
    vjp: Callable[[Emitter, Node, str], Sequence[str | None]]
    define: Callable[[Sequence[Type], Attrs, Type], Definition | Whole]
    numpy: Callable[[Sequence[str], Attrs, Callable[[Dim], str]], str]
    notation: Callable[[Notation, Sequence[Piece], Attrs], Piece]
    magnitude: Callable[[Sequence[Magnitude], Attrs, Any], Any]
    roundings: Callable[[Sequence[tuple[int, ...]], Attrs], int]
    rule: str
    why: tuple[str, ...]
    source: str
    examples: tuple[Example, ...]
    explain: Callable[[Attrs, int, bool], tuple[str, str]] | None = None
    stack: Callable[[Emitter, Node, Sequence[str], Sequence[bool]], str] | None = None
    sympy: Callable[[Sequence[Any], Sequence[Shape], Attrs, Shape], Any] | None = None
    imports: tuple[str, ...] = ()
    condition: Condition | None = None

    def explanation(self, attrs: Attrs, position: int, broadcast: bool) -> tuple[str, str]:
        """The rule for one argument in one line, and one sentence why."""
        if self.explain is not None:
            return self.explain(attrs, position, broadcast)
        return self.rule, self.why[min(position, len(self.why) - 1)]
