"""Writing a program down, one binding at a time.

The builder types each binding by its record, shares equal bindings, and applies only rewrites that lose
nothing: a value transposed twice, a broadcast that the reader would broadcast anyway, numbers folded into
the scalar functions that calculus makes (never into those the user wrote).
"""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import sympy

from symgrad.errors import SpecError, SymgradError
from symgrad.ops import OPS
from symgrad.ops.dims import Dim, Shape, broadcast, product, same
from symgrad.ops.record import ARG, Type
from symgrad.ops.scalars.functions import Select
from symgrad.ops.sum import sum_attrs
from symgrad.program.masks import inside_selection
from symgrad.program.program import Binding, Input, Program
from symgrad.program.rewrites import squared_norm, times_identity, whole_array


def exact_number(value: object) -> sympy.Expr:
    """A Python, NumPy or SymPy number as an exact SymPy number; a float as the dyadic rational it is.

    Raises:
        SpecError: the value is no finite real number.
    """
    if isinstance(value, sympy.Expr):
        if value.is_Float:
            value = float(value)
        elif value.has(sympy.Float):
            return value.replace(lambda e: e.is_Float, lambda e: exact_number(float(e)))
        else:
            return value
    if isinstance(value, bool):
        return sympy.Integer(int(value))
    if isinstance(value, int) and abs(value) <= sys.float_info.max:
        return sympy.Integer(value)
    try:
        number = float(value)  # type: ignore[arg-type]
        fraction = Fraction(number)
    except (TypeError, ValueError, OverflowError):
        raise SpecError("A constant has to be a finite real number.", got=repr(value)) from None
    return sympy.Rational(fraction.numerator, fraction.denominator)


class Builder:
    """Collects bindings; ``finish`` returns the frozen program."""

    def __init__(self, inputs: Iterable[Input] = ()) -> None:
        self.inputs: list[Input] = []
        self.bindings: list[Binding] = []
        self._by_name: dict[str, Binding | Input] = {}
        self._known: dict[tuple[Any, ...], str] = {}
        self._labels: dict[str, str] = {}
        self._count = 0
        self.refusal: SymgradError | None = None
        self.assumptions: list[sympy.Basic] = []
        self.dtypes_read: set[str] = set()
        for i in inputs:
            self.input(i)

    @classmethod
    def extending(cls, program: Program) -> Builder:
        """A builder that already holds a program's inputs and bindings."""
        self = cls(program.inputs)
        for b in program.bindings:
            self._add(b)
        return self

    def _add(self, binding: Binding) -> None:
        self.bindings.append(binding)
        self._by_name[binding.name] = binding
        self._known.setdefault((binding.op, binding.args, binding.items), binding.name)

    def input(self, i: Input) -> str:
        self.inputs.append(i)
        self._by_name[i.name] = i
        return i.name

    def _fresh(self) -> str:
        while True:
            self._count += 1
            name = f"v{self._count}"
            if name not in self._by_name:
                return name

    # What records and passes use ------------------------------------------------------------------------

    def type(self, name: str) -> Type:
        return self._by_name[name].type

    def binding(self, name: str) -> Binding | None:
        """The binding of that name, or None for an input."""
        found = self._by_name[name]
        return found if isinstance(found, Binding) else None

    def emit(self, op: str, *args: str, **attrs: Any) -> str:
        """Add ``op(args)`` and return its name.

        Raises:
            ShapeError: the record refuses these shapes.
        """
        record = OPS[op]
        if op == "transpose":
            inner = self.binding(args[0])
            if inner is not None and inner.op == "transpose":
                axes = tuple(inner.attrs["axes"][i] for i in attrs["axes"])
                if axes == tuple(range(len(axes))):
                    return inner.args[0]
                args, attrs = inner.args, {"axes": axes}
        if op == "matmul":
            product = times_identity(self, *args)
            if product is not None:
                return product
        if op == "pointwise" and len(args) == 1 and attrs["fn"] == ARG(0) ** 2:
            squares = squared_norm(self, args[0])
            if squares is not None:
                return squares
        if op == "slice" and whole_array(self.type(args[0]).shape, attrs):
            kept = tuple(d for i, d in enumerate(self.type(args[0]).shape) if i not in attrs["drop"])
            return self.emit("reshape", *args, shape=kept)
        if op in ("reshape", "broadcast_to") and self.type(args[0]).shape == tuple(attrs["shape"]):
            return args[0]
        items = tuple(sorted(attrs.items()))
        key = (op, args, items)
        if key in self._known:
            return self._known[key]
        result = record.infer([self.type(a) for a in args], attrs)
        name = self._fresh()
        self._add(Binding(name, op, args, items, result.shape, result.kind))
        return name

    def constant(self, value: object) -> str:
        return self.emit("constant", value=exact_number(value))

    def constant_value(self, name: str) -> sympy.Expr | None:
        """The number that a binding is, wherever it is broadcast to; None if it is no constant."""
        b = self.binding(name)
        while b is not None and b.op in ("broadcast_to", "reshape"):
            b = self.binding(b.args[0])
        return b.attrs["value"] if b is not None and b.op == "constant" else None

    def pointwise(self, fn: sympy.Expr, *args: str) -> str:
        """An elementwise function that calculus made: constants among its arguments are folded in."""
        masked = inside_selection(self, fn, args)
        if masked is not None:
            return masked
        values = [self.constant_value(a) for a in args]
        fn = fn.xreplace({ARG(i): v for i, v in enumerate(values) if v is not None})
        left = [i for i in range(len(args)) if fn.has(ARG(i))]
        fn = fn.xreplace({ARG(i): ARG(j) for j, i in enumerate(left)})
        kept = tuple(self._unbroadcast(args[i]) for i in left)
        if not kept:
            return self.constant(fn)
        fn = self._counting(fn, kept)
        if fn == ARG(0):
            return kept[0]
        return self.emit("pointwise", *kept, fn=fn)

    def _counting(self, fn: sympy.Expr, args: Sequence[str]) -> sympy.Expr:
        """Truth values as 0 and 1, where they do not choose between branches or weigh a real factor.

        NumPy's sum of two truth values is "or", and they have no negative.
        """
        masks = [ARG(i) for i, a in enumerate(args) if self.type(a).kind == "bool"]
        real = [ARG(i) for i in range(len(args)) if ARG(i) not in masks]
        for m in masks:
            chooses = isinstance(fn, Select) and fn.args[0] == m and not any(a.has(m) for a in fn.args[1:])
            positive = not fn.as_coeff_Mul()[0].is_negative  # a minus would stand before the truth value
            weighs = positive and fn.is_Mul and m in fn.args and any(a.has(*real) for a in fn.args if real)
            if not chooses and not weighs:
                fn = fn.xreplace({m: Select(m, sympy.S.One, sympy.S.Zero)})
        return fn

    def _unbroadcast(self, name: str) -> str:
        # Safe: an adjoint may have a smaller shape than it stands for (see ``Emitter``).
        b = self.binding(name)
        return b.args[0] if b is not None and b.op == "broadcast_to" else name

    def full(self, g: str, shape: Shape) -> str:
        """Write an adjoint out to the shape it stands for."""
        return g if self.type(g).shape == shape else self.emit("broadcast_to", g, shape=shape)

    def sum_to(self, g: str, full: Shape, shape: Shape) -> str:
        """Sum an adjoint that stands for ``full`` over the axes along which ``shape`` was broadcast."""
        have = self.type(g).shape
        lead = len(full) - len(shape)
        repeated: Dim = 1
        drop: list[int] = []
        keep: list[int] = []
        for axis, size in enumerate(full):
            inside = axis - lead
            if inside >= 0 and same(shape[inside], size):
                continue
            position = axis - (len(full) - len(have))
            present = position >= 0 and not same(have[position], 1)
            if not present:
                repeated = repeated * size  # the same adjoint, once for each repetition
                if position >= 0 and inside < 0:
                    drop.append(position)
            else:
                (keep if inside >= 0 else drop).append(position)
        if keep:
            g = self.emit("sum", g, **sum_attrs(len(have), keep, keepdims=True))
        if drop:
            g = self.emit("sum", g, **sum_attrs(len(have), drop))
        if not same(product([repeated]), 1):
            g = self.pointwise(ARG(0) * sympy.sympify(product([repeated])), g)
        return g

    def add(self, a: str, b: str) -> str:
        """The sum of two adjoints of the same value."""
        broadcast([self.type(a).shape, self.type(b).shape], "add")
        return self.pointwise(ARG(0) + ARG(1), a, b)

    def reads(self, name: str) -> set[str]:
        """The inputs that a value depends on."""
        found: set[str] = set()
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            name = waiting.pop()
            b = self.binding(name)
            if b is None:
                found.add(name)
            elif name not in seen:
                seen.add(name)
                waiting += b.args
        return found

    def refuse(self, error: SymgradError) -> SymgradError:
        """Remember why the program cannot be written, also where the user's code catches the error."""
        self.refusal = self.refusal or error
        return error

    # Names ------------------------------------------------------------------------------------------------

    def label(self, name: str, label: str) -> None:
        """Remember the user's name for a value; the first one wins."""
        if self.binding(name) is not None:
            self._labels.setdefault(name, label)

    def finish(self, outputs: Iterable[tuple[str, str]]) -> Program:
        """The program that computes these outputs, without what they do not need, under the user's names."""
        outputs = tuple(outputs)
        needed = {name for _, name in outputs}
        for b in reversed(self.bindings):
            if b.name in needed:
                needed.update(b.args)
        kept = [b for b in self.bindings if b.name in needed]
        taken = {i.name for i in self.inputs}
        rename: dict[str, str] = {i.name: i.name for i in self.inputs}
        for b in kept:
            label = self._labels.get(b.name, b.label)
            usable = label is not None and label.isidentifier() and not keyword.iskeyword(label)
            if usable and label not in taken and not re.fullmatch(r"v\d+", label or ""):
                rename[b.name] = str(label)
                taken.add(str(label))
        count = 0
        for b in kept:
            if b.name not in rename:
                count += 1
                while f"v{count}" in taken:
                    count += 1
                rename[b.name] = f"v{count}"
        bindings = tuple(
            Binding(
                rename[b.name],
                b.op,
                tuple(rename[a] for a in b.args),
                b.items,
                b.shape,
                b.kind,
                self._labels.get(b.name, b.label),
            )
            for b in kept
        )
        return Program(tuple(self.inputs), bindings, tuple((label, rename[n]) for label, n in outputs))
