"""``lambdify``: a SymPy expression as a compiled function of numbers, arrays and matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from sympy.logic.boolalg import Boolean
from sympy.matrices.expressions import MatrixExpr

from symgrad.api.lambdify_arguments import Arguments, One
from symgrad.api.lambdify_calls import Again, Pattern, collapsed, common_shape
from symgrad.api.lambdify_results import grid_of, put_together, taken_apart
from symgrad.errors import ShapeError
from symgrad.ops.dims import Dim, Shape, bind_dims, dim_symbol, shape_of
from symgrad.program import Builder, Input, Program
from symgrad.trace import Traced, moves
from symgrad.trace.sympy_expr import Index
from symgrad.trace.sympy_sharing import SharingReader

if TYPE_CHECKING:
    from symgrad.compile.compiled import Compiled

LARGE, LARGE_FOR_FUNCTIONS = 2**15, 2**14
"""Entries of a result from which on two threads gain more than they cost; where there are functions such as exp.

Measured with 2 threads, one thread's time by theirs at 2¹³, 2¹⁴, 2¹⁵, 2¹⁶, 2¹⁷ entries: ``x*y + 1`` .9 .7 1.2 1.3 1.3,
``exp(-x**2)*y`` 1.0 1.2 1.4 1.5 1.7, ``tanh(x*y) + sin(x)*exp(-y**2)`` 1.3 1.4 1.9 1.8 1.8.
"""
_WHOLE = 2**63
_NUMBERS = frozenset({float, int, bool, np.float64, np.float32, np.int64, np.int32})

_SUMS = (sympy.Sum, sympy.Product)


def lambdify(args: Any, expr: Any, *, dtype: Any = "float64", parallel: bool = False) -> Lambdified:
    """A compiled function of a SymPy expression, as ``sympy.lambdify`` makes one for NumPy.

    Args:
        args: a symbol, a MatrixSymbol, an explicit matrix of symbols, or a sequence of these and of sequences.
        expr: an expression, an explicit matrix, a matrix expression, or a list, tuple or dict of them.
        dtype: of all arithmetic and of the results, ``float64`` or ``float32``.
        parallel: whether calls that broadcast over 32 768 entries and more (16 384 where there are functions
            such as exp) run on threads.

    Returns:
        A function of the arguments.  Numbers broadcast as in NumPy where all arguments are numbers: arguments of
        shapes that broadcast to S give S for a scalar and ``(r, c, *S)`` for an explicit r × c matrix.  Matrices
        have the shape of their MatrixSymbol, whose symbolic sizes are read from the arrays.

    Raises:
        UnsupportedError: a node of the expression has no rule; it is named.
        SpecError: a symbol is not among the arguments; arguments, dtype or expression of another kind.
    """
    from symgrad.compile import check_dtype

    template, found = taken_apart(expr)
    arguments = Arguments.read(args)
    leaves = [e.xreplace(arguments.renamed) for e in found]
    return Lambdified(arguments, template, leaves, check_dtype(dtype), bool(parallel))


@dataclass
class Lambdified:
    """A compiled function; its kernels are made for the ways in which calls broadcast, and kept on disk.

    Attributes:
        timings: seconds spent on ``trace``, ``plan``, ``compile`` and the last ``run``.
    """

    _arguments: Arguments
    _template: Any
    _leaves: Sequence[Any]
    _dtype: str
    _parallel: bool
    timings: dict[str, float] = field(default_factory=dict)
    _plans: dict[Pattern, _Plan] = field(default_factory=dict)
    _variants: dict[tuple[Pattern, bool], Compiled] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._names = list(self._arguments.shapes)
        self._on_matrices = any(self._arguments.shapes.values()) or any(
            isinstance(e, (MatrixExpr, sympy.Trace, sympy.Determinant))
            and not isinstance(e, sympy.MatrixBase)
            for e in _nodes(self._leaves)
        )
        self._sums = any(isinstance(e, _SUMS) for e in _nodes(self._leaves))
        self._plain = not self._on_matrices and all(isinstance(s, One) for s in self._arguments.slots)
        self._grids = [grid_of(e) for e in self._leaves]
        self._truths = [isinstance(e, Boolean) and not isinstance(e, sympy.Symbol) for e in self._leaves]
        self._floats = (float,) * len(self._names)
        self._filled_in = [g.shape for g in self._grids if g.shape]
        self._bare = self._template == 0 and not self._filled_in and not self._truths[0]
        in_order = isinstance(self._template, (list, tuple)) and [*self._template] == [
            *range(len(self._leaves))
        ]
        self._flat = type(self._template) if in_order and not any(self._truths) else None
        self._whole = (np.ndarray,) * len(self._names) if self._names else None
        self._again: Again | None = None
        self._ready = False
        self._of_numbers = self._variant(((),) * len(self._names), False)  # what has no rule is refused here
        self._last = self._of_numbers

    @property
    def source(self) -> str:
        """The text of the kernel file: of the last call's, as arrays take another kernel than numbers."""
        return self._last.source

    def __repr__(self) -> str:
        return f"<function of {', '.join(self._names) or 'nothing'} in {self._dtype}>"

    def __call__(self, *args: Any, **named: Any) -> Any:
        """The results: a float where all arguments are numbers and the expression is scalar, else arrays.

        Raises:
            SpecError: an argument is missing or unknown.
            ShapeError: the arrays do not broadcast, or a matrix has another shape.
            DataError: an array holds no real numbers; a matrix without an inverse.
        """
        kinds = (*map(type, args),)
        if self._plain and not named:
            if kinds == self._floats:
                return self._run_numbers(args)
            if len(kinds) == len(self._floats) and _NUMBERS.issuperset(kinds) and _fit(args):
                return self._run_numbers([*map(float, args)])
            again = self._again if kinds == self._whole else None
            if again is not None and again.layout == [(a.shape, a.dtype, a.flags.num) for a in args]:
                return self._filled(self._run_again(again, args))
        values = self._arguments.unpack(args, named)
        arrays = [self._array(n, v) for n, v in zip(self._names, values, strict=True)]
        if self._on_matrices:
            made = self._run_whole(arrays)
            return self._filled([r.item() if r.ndim == 0 else r for r in made])
        shape = common_shape(self._names, arrays)
        if not shape:
            return self._run_numbers([*map(float, arrays)])
        pattern, sizes = collapsed(shape, [a.shape for a in arrays])
        ready = [
            a.reshape([size if own else 1 for size, own in zip(sizes, p, strict=True)] if any(p) else ())
            for a, p in zip(arrays, pattern, strict=True)
        ]
        found = self._run(ready, pattern, sizes, shape)
        if self._plain and all(a is v for a, v in zip(arrays, values, strict=True)):
            self._again = self._as_called(arrays, ready, sizes, shape)
        return self._filled(found)

    def _array(self, name: str, value: Any) -> np.ndarray:
        from symgrad.compile import as_array

        return as_array(name, value, self._dtype)

    def _run_numbers(self, numbers: Sequence[float]) -> Any:
        """Python floats go into the kernel, and come out of it, as they are."""
        variant = self._of_numbers
        arrays = [np.empty(s, self._dtype) for s in self._filled_in]
        arguments = (*numbers, *arrays)
        if not self._ready:
            self.timings["compile"] = variant.prepare(arguments)
            self._ready = True
        start = perf_counter()
        found = variant.run(arguments)
        self.timings["run"] = perf_counter() - start
        self._last = variant
        if self._bare:
            return found
        values: Sequence[Any] = found if isinstance(found, tuple) else (found,)
        if arrays:
            filled, given = iter(arrays), iter(values)
            values = [next(filled) if g.shape else next(given) for g in self._grids]
        return self._filled(values)

    def _run(
        self, arrays: Sequence[np.ndarray], pattern: Pattern, sizes: Sequence[int], shape: tuple[int, ...]
    ) -> list[np.ndarray]:
        """Numbers broadcast: results over ``sizes``, seen as ``shape``."""
        threads = self._parallel and prod(shape) >= self._plan(pattern).large
        variant = self._variant(pattern, threads)
        results = [np.empty((*g.shape, *sizes), self._dtype) for g in self._grids]
        self._execute(variant, (*arrays, *results))
        return [r.reshape((*g.shape, *shape)) for r, g in zip(results, self._grids, strict=True)]

    def _as_called(
        self,
        arrays: Sequence[np.ndarray],
        ready: Sequence[np.ndarray],
        sizes: Sequence[int],
        shape: tuple[int, ...],
    ) -> Again:
        """What a call with arrays of these layouts comes to, now that it has been made."""
        return Again(
            [(a.shape, a.dtype, a.flags.num) for a in arrays],
            self._last,
            None
            if all(r.shape == a.shape for a, r in zip(arrays, ready, strict=True))
            else [r.shape for r in ready],
            np.dtype(self._dtype),
            [(*g.shape, *sizes) for g in self._grids],
            [(*g.shape, *shape) for g in self._grids] if shape != tuple(sizes) else None,
        )

    def _run_again(self, call: Again, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The last call, with other arrays of the same layouts."""
        if call.ready is not None:
            arrays = [a.reshape(s) for a, s in zip(arrays, call.ready, strict=True)]
        results = [np.empty(s, call.dtype) for s in call.made]
        start = perf_counter()
        call.variant.run((*arrays, *results))
        self.timings["run"] = perf_counter() - start
        self._last = call.variant
        if call.seen is None:
            return results
        return [r.reshape(s) for r, s in zip(results, call.seen, strict=True)]

    def _run_whole(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Matrices: every argument has the shape that it was declared with."""
        pattern: Pattern = ((),) * len(arrays)
        plan = self._plan(pattern)
        shapes = self._arguments.shapes
        sizes = bind_dims(shapes, {n: a.shape for n, a in zip(self._names, arrays, strict=True)})
        plan.check(sizes)
        results = [
            np.empty((*g.shape, *shape_of(s, sizes)), self._dtype)
            for g, s in zip(self._grids, plan.shapes, strict=True)
        ]
        self._execute(self._variant(pattern, False), (*arrays, *results))
        return results

    def _execute(self, variant: Compiled, arguments: tuple[Any, ...]) -> None:
        spent = variant.prepare(arguments)
        if spent:
            self.timings["compile"] = spent
        start = perf_counter()
        variant.run(arguments)
        self.timings["run"] = perf_counter() - start
        self._last = variant

    def _filled(self, results: Sequence[Any]) -> Any:
        if self._flat is not None:
            return self._flat(results)
        if any(self._truths):
            results = [r != 0 if truth else r for r, truth in zip(results, self._truths, strict=True)]
        return put_together(self._template, results)

    # Programs and kernels -----------------------------------------------------------------------------------

    def _plan(self, pattern: Pattern) -> _Plan:
        if pattern not in self._plans:
            start = perf_counter()
            self._plans[pattern] = self._traced(pattern)
            self.timings["trace"] = perf_counter() - start
        return self._plans[pattern]

    def _variant(self, pattern: Pattern, threads: bool) -> Compiled:
        from symgrad.compile.compiled import Compiled
        from symgrad.compile.lambdify_source import NAME, Result, evaluation_source, numbers_source

        key = pattern, threads
        if key not in self._variants:
            plan = self._plan(pattern)
            start = perf_counter()
            results = [
                Result(tuple((_label(k, p), p) for p in g.positions())) for k, g in enumerate(self._grids)
            ]
            axes = max(map(len, pattern), default=0)
            if axes or self._on_matrices:
                source = evaluation_source(plan.program, results, self._dtype, axes, threads)
            else:
                source = numbers_source(plan.program, results, self._dtype)
            # Blocks of numbers call no BLAS, whose threads would have to be kept from starting.
            self._variants[key] = Compiled(source, NAME)
            self.timings["plan"] = perf_counter() - start
        return self._variants[key]

    def _traced(self, pattern: Pattern) -> _Plan:
        """The program for arguments that have these axes.

        Raises:
            UnsupportedError, SpecError: as the front end says.
        """
        axes = max(map(len, pattern), default=0)
        dims: Shape = tuple(dim_symbol(f"n{k}" if axes > 1 else "n") for k in range(axes))
        inputs = []
        for (name, shape), own in zip(self._arguments.shapes.items(), pattern, strict=True):
            broadcast = tuple(d if has else 1 for d, has in zip(dims, own, strict=True)) if any(own) else ()
            inputs.append(Input(name, shape or broadcast))
        builder = Builder(inputs)
        along = tuple(Index(sympy.Dummy(), 0, d) for d in dims) if self._sums else ()
        reader = SharingReader(builder, {i.name: Traced(builder, i.name) for i in inputs}, along, len(along))
        outputs, shapes = [], []
        for k, grid in enumerate(self._grids):
            own_shape: Shape = ()
            for position, entry in grid.entries.items():
                value = reader.value(entry)
                if not isinstance(entry, MatrixExpr) and value.dims == (1, 1) and not axes:
                    value = moves.reshape_dims(value, ())
                if dims and value.dims != dims:
                    value = moves.broadcast_to(value, dims)
                outputs.append((_label(k, position), value.name))
                own_shape = value.dims
            shapes.append(own_shape)
        return _Plan(builder.finish(outputs), tuple(shapes), tuple(builder.assumptions))


@dataclass(frozen=True)
class _Plan:
    """A program, the shape of each result's entries, and what has to hold of the sizes."""

    program: Program
    shapes: tuple[Shape, ...]
    assumptions: tuple[sympy.Basic, ...]

    @cached_property
    def large(self) -> int:
        """From how many entries on threads pay."""
        from symgrad.compile.placement import has_functions

        fns = (b.attrs["fn"] for b in self.program.bindings if b.op == "pointwise")
        return LARGE_FOR_FUNCTIONS if any(map(has_functions, fns)) else LARGE

    @cached_property
    def _not_empty(self) -> tuple[tuple[str, Dim], ...]:
        from symgrad.compile.forms import must_not_be_empty

        return tuple(must_not_be_empty(self.program))

    def check(self, sizes: dict[str, int]) -> None:
        """Refuse sizes at which the program does not hold, or has nothing to choose from."""
        from symgrad.compile.forms import check_not_empty

        known = {dim_symbol(n): s for n, s in sizes.items()}
        for relation in self.assumptions:
            if relation.subs(known) == sympy.false:
                raise ShapeError("The sizes do not fit.", expected=str(relation), got=str(sizes))
        check_not_empty(self._not_empty, sizes)


def _nodes(exprs: Sequence[Any]) -> Iterator[Any]:
    """Every node once: SymPy's own walks visit a shared one as often as it is written."""
    waiting, met = list(exprs), set(exprs)
    while waiting:
        e = waiting.pop()
        yield e
        new = [
            a for a in (e if isinstance(e, (sympy.MatrixBase, sympy.NDimArray)) else e.args) if a not in met
        ]
        met.update(new)
        waiting += new


def _fit(numbers: Sequence[Any]) -> bool:
    """Whether there is no whole number too large for an array."""
    return all(type(v) is not int or -_WHOLE < v < _WHOLE for v in numbers)


def _label(result: int, position: tuple[int, ...]) -> str:
    return "_".join(["result", str(result), *map(str, position)])


__all__ = ["Lambdified", "lambdify"]
