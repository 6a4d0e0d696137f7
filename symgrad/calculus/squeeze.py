"""A program without axes of size 1: a column (d, 1) becomes a vector (d,), a 1×1 matrix a number.

Second derivatives by a column have the shape (d, 1, d, 1); with vectors they are d×d matrices, and the formulas
are those of the book.  Sizes that are symbols stay, whatever they turn out to be.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.ops.dims import Shape
from symgrad.ops.record import ARG
from symgrad.ops.sum import sum_attrs
from symgrad.program import Binding, Builder, Program


def squeezed(shape: Shape) -> Shape:
    """The shape without its axes of size 1."""
    return tuple(d for d in shape if d != 1)


def squeeze(program: Program) -> Program:
    """The same values under squeezed shapes; inputs keep theirs."""
    return _Squeezer(program).result()


class _Squeezer:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.builder = Builder(program.inputs)
        self.value: dict[str, str] = {}
        for i in program.inputs:
            self.value[i.name] = self.reshape(i.name, squeezed(i.shape))
        for b in program.bindings:
            made = self.binding(b)
            self.value[b.name] = made
            if b.label is not None:
                self.builder.label(made, b.label)

    def result(self) -> Program:
        return self.builder.finish([(label, self.value[name]) for label, name in self.program.outputs])

    def reshape(self, name: str, shape: Sequence[object]) -> str:
        return self.builder.emit("reshape", name, shape=tuple(shape))

    def shape(self, name: str) -> Shape:
        """The shape that an argument has in the program."""
        return self.program.type(name).shape

    def binding(self, b: Binding) -> str:
        args, e = [self.value[a] for a in b.args], self.builder
        if b.op == "pointwise":
            return e.emit("pointwise", *(self.aligned(a, b.shape) for a in b.args), **b.attrs)
        if b.op == "matmul" and max(len(self.shape(a)) for a in b.args) <= 2:
            return self.product(b.args[0], b.args[1])
        if b.op == "outer":
            both = all(squeezed(self.shape(a)) for a in b.args)
            return e.emit("outer", *args) if both else e.emit("pointwise", *args, fn=ARG(0) * ARG(1))
        if b.op == "sum":
            return self.total(b)
        if b.op == "transpose":
            return self.transposed(b)
        if b.op == "broadcast_to":
            return e.emit("broadcast_to", self.aligned(b.args[0], b.shape), shape=squeezed(b.shape))
        if b.op == "reshape":
            return self.reshape(args[0], squeezed(b.shape))
        whole = [self.reshape(a, self.shape(n)) for a, n in zip(args, b.args, strict=True)]
        return self.reshape(e.emit(b.op, *whole, **b.attrs), squeezed(b.shape))

    def aligned(self, arg: str, out: Shape) -> str:
        """An argument placed so that it broadcasts to the squeezed ``out`` as it did to ``out``."""
        own = self.shape(arg)
        kept = [d for d, size in zip(own, out[len(out) - len(own) :], strict=True) if size != 1]
        while kept and kept[0] == 1:
            kept = kept[1:]
        return self.reshape(self.value[arg], kept)

    def product(self, a: str, b: str) -> str:
        args = (self.value[a], self.value[b])
        if self.shape(a)[-1] != 1:
            return self.builder.emit("matmul", *args)
        if all(squeezed(self.shape(x)) for x in (a, b)):
            return self.builder.emit("outer", *args)
        return self.builder.emit("pointwise", *args, fn=ARG(0) * ARG(1))

    def total(self, b: Binding) -> str:
        shape = self.shape(b.args[0])
        place = {axis: i for i, axis in enumerate(a for a, d in enumerate(shape) if d != 1)}
        axes = [place[axis] for axis in b.attrs["axes"] if axis in place]
        if not axes:
            return self.value[b.args[0]]
        return self.builder.emit("sum", self.value[b.args[0]], **sum_attrs(len(place), axes))

    def transposed(self, b: Binding) -> str:
        shape = self.shape(b.args[0])
        place = {axis: i for i, axis in enumerate(a for a, d in enumerate(shape) if d != 1)}
        axes = tuple(place[axis] for axis in b.attrs["axes"] if axis in place)
        if axes == tuple(range(len(axes))):
            return self.value[b.args[0]]
        return self.builder.emit("transpose", self.value[b.args[0]], axes=axes)
