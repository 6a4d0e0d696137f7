"""``DerivedArray``: what ``d.hessian``, ``d.hvp`` and ``sg.jacobian`` return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from symgrad.api.arguments import checked, evaluate
from symgrad.api.sizes import Sizes
from symgrad.errors import UnsupportedError
from symgrad.ops.dims import Shape, format_shape
from symgrad.program import Program, numpy_source
from symgrad.render import Equation, to_sympy

if TYPE_CHECKING:
    import numpy as np

    from symgrad.compile import Kernel, Plan


@dataclass(frozen=True)
class DerivedArray:
    """One array of derivatives: a Hessian, its product with a vector, a Jacobian.

    Attributes:
        label: ``hessian``, ``hvp`` or ``jacobian``, also the name of the program's output.
        program: computes it.
        equation: the printed form, from a simplified program whose axes of size 1 are left out.
        closed: whether the formula is the array itself, and not what it does to a direction.
        notes: what to know of it.
        sizes: for which sizes it holds; None if for all.
        timings: seconds spent on ``trace`` and ``derive``.
    """

    label: str
    program: Program
    equation: Equation
    closed: bool
    notes: tuple[str, ...] = ()
    sizes: Sizes | None = None
    timings: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def shape(self) -> Shape:
        """The shape of the array, in symbolic sizes."""
        return self.program.type(self.program.output[self.label]).shape

    @property
    def formula(self) -> str:
        """The right-hand side; of an array with more than two axes what it does to a direction."""
        return self.equation.formula()

    # Printed forms ----------------------------------------------------------------------------------------

    def to_text(self, ascii: bool = False) -> str:
        """What is differentiated, named values, the result with its shape."""
        lines = self.equation.lines("ascii" if ascii else "text")
        width = max(len(x.left) for x in lines)
        out = [f"{x.left:>{width}} = {x.right}" for x in lines]
        shown = self.equation.program.type(lines[-1].value).shape
        out[-1] += f"    {format_shape(shown)}"
        if shown != self.shape:
            out[-1] += f", the array is {format_shape(self.shape)}"
        if self.sizes is not None and self.sizes.note() is not None:
            out.append(str(self.sizes.note()))
        return "\n".join([*out, *self.notes])

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f"<{self.label} {self.equation.lines()[-1].left}, {format_shape(self.shape)}>"

    def to_latex(self) -> str:
        """An ``aligned`` block: what is differentiated, named values, the result."""
        rows = [f"{x.left} &= {x.right}" for x in self.equation.lines("latex")]
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.to_latex()}$"

    def to_numpy(self) -> str:
        """NumPy source of a function of the inputs that returns the array; calling this object runs the same."""
        return numpy_source(self.program, self.label)

    def to_sympy(self) -> Any:
        """A SymPy expression; vectors are columns.

        Raises:
            UnsupportedError: the array has more than two axes of a size other than 1.
        """
        if not self.closed:
            raise UnsupportedError(
                "SymPy's matrices have two axes.",
                where="to_sympy",
                got=format_shape(self.shape),
                fix="use to_numpy()",
            )
        return to_sympy(self.equation.written(), self.label)

    # Running ------------------------------------------------------------------------------------------------

    def __call__(self, arrays: Mapping[str, Any] | None = None, /, **named: Any) -> np.ndarray:
        """Evaluate in NumPy.

        Args:
            arrays, named: one array for each input; the dtype is NumPy's promotion of them.

        Raises:
            SpecError: an input is missing or unknown; ShapeError: sizes do not fit; DataError: no numbers.
        """
        import numpy as np

        given = {**(arrays or {}), **named}
        values = checked(self.program, given)
        if self.sizes is not None:
            other = self.sizes.elsewhere(self.program, values)
            if other is not None:
                return other(given)
        value, dtype = evaluate(self.program, values)
        return np.array(value, dtype=dtype)

    def compile(self, dtype: str = "float64") -> DerivedArrayKernel:
        """A compiled function of the same inputs that returns the same array."""
        from symgrad.compile import compile_arrays

        kernel = compile_arrays(self.program, (self.label,), dtype)
        kernel.timings = {**self.timings, **kernel.timings}
        return DerivedArrayKernel(kernel, self.label)


@dataclass(frozen=True)
class DerivedArrayKernel:
    """A compiled ``DerivedArray``; ``kernel`` has the source, the dtype and the timings."""

    kernel: Kernel
    label: str

    @property
    def source(self) -> str:
        """The text of the kernel file."""
        return self.kernel.source

    @property
    def plan(self) -> Plan:
        """What was decided about the kernel and why; prints as a text."""
        return self.kernel.plan

    @property
    def timings(self) -> dict[str, float]:
        """Seconds spent on ``trace``, ``derive``, ``plan``, ``compile`` and the last ``run``."""
        return self.kernel.timings

    def __call__(self, arrays: Mapping[str, Any] | None = None, /, **named: Any) -> np.ndarray:
        """The array.

        Raises:
            SpecError, ShapeError, DataError: the arrays do not fit.
        """
        _, made = self.kernel(arrays, **named)
        return made[self.label]
