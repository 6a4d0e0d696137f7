"""``Derivation``: what ``sg.derive`` returns."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.api.arguments import checked, evaluate
from symgrad.api.sizes import Instance, Sizes
from symgrad.calculus import Differentiated
from symgrad.errors import SpecError
from symgrad.ops.dims import format_shape
from symgrad.program import Program, numpy_source
from symgrad.render import Document, Step, steps, to_ascii, to_sympy

if TYPE_CHECKING:
    from symgrad.api.derived_array import DerivedArray
    from symgrad.compile import Kernel


@dataclass(frozen=True)
class Formula:
    """One side of an equation: prints as text, and gives LaTeX or SymPy."""

    document: Document
    output: str

    def __str__(self) -> str:
        return self.document.formula(self.output)

    def __repr__(self) -> str:
        return f"<formula {self}>"

    def to_latex(self) -> str:
        """The right-hand side in LaTeX."""
        return self.document.formula(self.output, "latex")

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.to_latex()}$"

    def to_sympy(self) -> Any:
        """A SymPy expression; vectors are columns."""
        return to_sympy(self.document.written, self.output)


@dataclass(frozen=True)
class Derivation:
    """The gradient of one loss.

    Attributes:
        differentiated: the program with its gradients, as calculus made it.
        wrt: the parameters.
        single: whether ``wrt`` was one name, so that ``gradient`` exists.
        warnings: what is legal in the loss but probably not meant.
        sizes: for which sizes it holds; None if for all.
        timings: seconds spent on ``trace`` and ``derive``.
    """

    differentiated: Differentiated
    wrt: tuple[str, ...]
    single: bool
    warnings: tuple[str, ...] = ()
    sizes: Sizes | None = None
    timings: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def program(self) -> Program:
        """Inputs, bindings, and the outputs ``loss`` and one for each parameter."""
        return self.differentiated.program

    @cached_property
    def document(self) -> Document:
        return Document(self.differentiated, self.wrt)

    @property
    def loss(self) -> Formula:
        """The loss as a formula."""
        return Formula(self.document, "loss")

    @property
    def gradients(self) -> Mapping[str, Formula]:
        """For each parameter its gradient as a formula."""
        return {name: Formula(self.document, name) for name in self.wrt}

    @property
    def gradient(self) -> Formula:
        """The gradient, where ``wrt`` was one name.

        Raises:
            SpecError: ``wrt`` named several parameters.
        """
        if not self.single:
            raise SpecError(
                "There is more than one gradient.",
                where="gradient",
                expected=f"gradients[name] with a name of {', '.join(self.wrt)}",
            )
        return self.gradients[self.wrt[0]]

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Forward pass, then backward pass, each line with its rule, shape and reason."""
        return steps(self.differentiated, self.wrt)

    # Printed forms ----------------------------------------------------------------------------------------

    def to_text(self, ascii: bool = False, with_steps: bool = False) -> str:
        """The derivation as lines of text.

        Args:
            ascii: write ``x'`` for ``xᵀ`` and the like.
            with_steps: put the way to the gradient in front.
        """
        style = "ascii" if ascii else "text"
        out = []
        if with_steps:
            out += _steps_text(steps(self.differentiated, self.wrt, style))
        lines = self.document.lines(style)
        width = max(len(x.left) for x in lines)
        program = self.document.program
        for x in lines:
            shape = format_shape(program.type(x.value).shape) if x.kind == "gradient" else ""
            text = f"{x.left:>{width}} = {x.right}"
            out.append(f"{text}    {shape}".rstrip())
        if self.sizes is not None and self.sizes.note() is not None:
            out.append(str(self.sizes.note()))
        out += [f"warning: {to_ascii(w) if ascii else w}" for w in self.warnings]
        return "\n".join(out)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f"<Derivation of {', '.join(f'∂L/∂{n}' for n in self.wrt)}>"

    def to_latex(self) -> str:
        """An ``aligned`` block: the loss, named values, gradients."""
        rows = [f"{x.left} &= {x.right}" for x in self.document.lines("latex")]
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.to_latex()}$"

    def to_numpy(self) -> str:
        """NumPy source of ``loss_and_gradient``, which is also what calling the derivation runs."""
        return numpy_source(self.program)

    def to_sympy(self) -> Any:
        """The gradient as a SymPy expression, or a dict of them where ``wrt`` named several parameters."""
        found = {name: f.to_sympy() for name, f in self.gradients.items()}
        return found[self.wrt[0]] if self.single else found

    # Running ------------------------------------------------------------------------------------------------

    def __call__(
        self, arrays: Mapping[str, Any] | None = None, /, **named: Any
    ) -> tuple[Any, dict[str, np.ndarray]]:
        """Evaluate loss and gradients in NumPy.

        Args:
            arrays, named: one array for each input; the dtype is NumPy's promotion of them.

        Returns:
            The loss and a dict with a gradient of its parameter's shape for each name in ``wrt``.

        Raises:
            SpecError: an input is missing or unknown; ShapeError: sizes do not fit; DataError: no numbers.
        """
        given = {**(arrays or {}), **named}
        values = checked(self.program, given)
        if self.sizes is not None:
            other = self.sizes.elsewhere(self.program, values)
            if other is not None:
                return other(given)
        (value, grads), dtype = evaluate(self.program, values)
        return value, {n: np.array(g, dtype=dtype) for n, g in grads.items()}

    def at(self, sizes: Mapping[str, int] | None = None, /, **named: int) -> Derivation:
        """The same loss with these sizes as numbers, such as ``d.at(n=10)``.

        Raises:
            SpecError: a name that is no size of the shapes.
        """
        wanted = {**(sizes or {}), **named}
        if self.sizes is None:
            raise SpecError("This derivation holds for all sizes.", where="at")
        return self.sizes.other(Instance(wanted, self.sizes.found))

    # Second order -------------------------------------------------------------------------------------------

    def hessian(self, wrt: str | None = None) -> DerivedArray:
        """The second derivatives by one parameter, an array of shape wrt.shape + wrt.shape.

        Raises:
            SpecError: ``wrt`` is none of the parameters; UnsupportedError: an operation has no rule for stacks.
        """
        from symgrad.api.second_order import hessian

        return hessian(self, wrt)

    def hvp(self, wrt: str | None = None, direction: str | None = None) -> DerivedArray:
        """The Hessian by one parameter times a direction, which is a new input of the parameter's shape.

        Args:
            wrt: the parameter.
            direction: the new input's name; None takes ``v``, or ``v_`` and the parameter's name where that is
                taken.

        Raises:
            SpecError: ``wrt`` is none of the parameters, or the direction's name is taken.
        """
        from symgrad.api.second_order import hessian_product

        return hessian_product(self, wrt, direction)

    def compile(self, dtype: str = "float64", passes: Sequence[str] | None = None) -> Kernel:
        """A compiled function of the same inputs that returns the same values; its ``plan`` tells how.

        Args:
            dtype: ``float32`` or ``float64``.
            passes: names of the planner's passes that may rewrite the program; all but ``scale`` if None.

        Its ``timings`` are seconds spent on ``trace``, ``derive``, ``plan``, ``compile`` and the last ``run``.

        Raises:
            SpecError: another dtype, or a name that is no pass.
        """
        from symgrad.compile import compile_gradient

        kernel = compile_gradient(self.program, dtype, passes)
        kernel.timings = {**self.timings, **kernel.timings}
        return kernel


def _steps_text(all_steps: tuple[Step, ...]) -> list[str]:
    out = []
    for phase in ("forward", "backward"):
        chosen = [s for s in all_steps if s.phase == phase]
        out.append(f"{phase} pass")
        width = max((_width(s.text) for s in chosen), default=0)
        for s in chosen:
            out.append(f"  {s.text}{' ' * (width - _width(s.text))}  {s.shape}")
            if s.why:
                out.append(f"      {s.rule}")
                out.append(f"      {s.why}")
    out.append("result")
    return out


def _width(text: str) -> int:
    """Columns that a text takes in a terminal; a bar over a letter takes none."""
    return sum(not unicodedata.combining(c) for c in text)
