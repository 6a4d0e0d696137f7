"""The compiled loss and gradient: ``Derivation.compile``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.compile.arrays import bind, check_dtype
from symgrad.compile.block_source import block_plan
from symgrad.compile.compiled import Compiled
from symgrad.compile.forms import check_not_empty, must_not_be_empty
from symgrad.compile.gradient_source import NAME, gradient_source, is_tiny
from symgrad.compile.passes import REUSE, Planned, chosen, planned
from symgrad.compile.plan import How, Plan
from symgrad.compile.rows import Separation, best, separations
from symgrad.compile.sweeping import BlockKernel
from symgrad.ops.dims import Dim, shape_of
from symgrad.program import Program

if TYPE_CHECKING:
    from symgrad.compile.for_scipy import ScipyProblem


@dataclass
class Kernel:
    """A compiled function of a program's inputs.

    Attributes:
        program: what it computes.
        dtype: ``float32`` or ``float64``.
        planned: the program that is compiled, and what the passes changed.
        reuse: whether values take the memory of earlier ones.
        timings: seconds spent on ``plan``, ``compile`` and the last ``run``.
    """

    program: Program
    dtype: str
    planned: Planned
    reuse: bool = True
    timings: dict[str, float] = field(default_factory=dict)
    _rows: tuple[Separation, ...] = ()
    _variants: dict[str, Compiled | BlockKernel] = field(default_factory=dict)
    _last: Separation | None = None
    _sizes: Mapping[str, int] | None = None
    _not_empty: tuple[tuple[str, Dim], ...] = ()

    @property
    def source(self) -> str:
        """The text of the kernel file: of the last call's, as large data takes another kernel than small data."""
        return self._variant(self._last).source

    @property
    def plan(self) -> Plan:
        """What was decided and why, for the sizes of the last call; prints as a text."""
        program = self.planned.program
        how: How = "blocks" if self._last is not None else "scalars" if is_tiny(program) else "loops"
        return Plan(program, self.dtype, self.planned.changes, self._sizes, how, self._last, reuse=self.reuse)

    def __call__(
        self, arrays: Mapping[str, Any] | None = None, /, **named: Any
    ) -> tuple[float, dict[str, np.ndarray]]:
        """The loss, and for each parameter its gradient as a new array of the parameter's shape.

        Raises:
            SpecError, ShapeError, DataError: the arrays do not fit.
            DataError: a matrix without an inverse, an index out of range.
        """
        values, sizes = bind(self.program, {**(arrays or {}), **named}, self.dtype)
        check_not_empty(self._not_empty, sizes)
        grads = {
            label: np.empty(shape_of(self.program.type(value).shape, sizes), self.dtype)
            for label, value in self.program.outputs
            if label != "loss"
        }
        self._sizes = sizes
        self._last = best(self.planned.program, self._rows, sizes)
        variant = self._variant(self._last)
        arguments = (*values.values(), *grads.values())
        spent = variant.prepare(arguments)
        if spent:
            self.timings["compile"] = spent
        start = perf_counter()
        loss = variant.run(arguments)
        self.timings["run"] = perf_counter() - start
        return np.dtype(self.dtype).type(loss), grads

    def for_scipy(self, params: Mapping[str, Any], data: Mapping[str, Any] | None = None) -> ScipyProblem:
        """The loss as a problem for ``scipy.optimize.minimize(p.fun, p.x0, jac=True)``, in float64.

        A kernel of float32 gives the same problem: SciPy's optimizers compute in float64.  The Hessian, for
        ``hess=p.hess``, and its product with a vector, for ``hessp=p.hessp``, are compiled when first called.

        Args:
            params: first values of the parameters, those names that the loss was derived by.
            data: the other inputs.

        Returns:
            A named tuple ``fun, x0, unpack, hess, hessp``.

        Raises:
            SpecError: a name is missing or does not belong there; ShapeError: the sizes do not fit.
            DataError: no real numbers, or first values that are not finite.
        """
        from symgrad.compile.for_scipy import for_scipy

        return for_scipy(self, params, {} if data is None else data)

    def _variant(self, rows: Separation | None) -> Compiled | BlockKernel:
        key = rows.symbol.name if rows is not None else ""
        if key not in self._variants:
            program = self.planned.program
            self._variants[key] = (
                BlockKernel(block_plan(program, self.dtype, rows, reuse=self.reuse), where=NAME)
                if rows is not None
                else Compiled(gradient_source(program, self.dtype, self.reuse), NAME)
            )
        return self._variants[key]


def compile_gradient(program: Program, dtype: Any = "float64", passes: Sequence[str] | None = None) -> Kernel:
    """A kernel for a program with the outputs ``loss`` and one for each parameter; it compiles when first called.

    Args:
        passes: names of the passes that may rewrite the program before; all but ``scale`` if None.

    Raises:
        SpecError: a dtype other than float32 and float64, a name that is no pass.
    """
    start = perf_counter()
    name = check_dtype(dtype)
    made = planned(program, passes)
    needed = tuple(must_not_be_empty(program))
    rows, reuse = separations(made.program), REUSE in chosen(passes)
    kernel = Kernel(program, name, made, reuse, _rows=rows, _not_empty=needed)
    kernel._variant(None)  # an operation that has no compiled form is refused here
    kernel.timings["plan"] = perf_counter() - start
    return kernel
