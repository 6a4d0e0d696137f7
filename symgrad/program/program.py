"""The one language of symgrad: a frozen list of let-bindings, ``name := op(args)``, with symbolic shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import Any

from symgrad.ops import OPS, Op
from symgrad.ops.dims import Shape, format_shape
from symgrad.ops.record import Attrs, Type


@dataclass(frozen=True)
class Input:
    """A named array that the program is given.

    ``domain`` restricts its values (``real``, ``positive``, ``binary``, …) where verification draws them.
    """

    name: str
    shape: Shape
    kind: str = "real"
    domain: str = "real"

    @property
    def type(self) -> Type:
        return Type(self.shape, self.kind)


@dataclass(frozen=True)
class Binding:
    """``name := op(args)`` with the operation's attributes and the result's type.

    ``label`` is the name that the user gave the value (a local variable, a key of ``given``), if any.
    """

    name: str
    op: str
    args: tuple[str, ...]
    items: tuple[tuple[str, Any], ...]
    shape: Shape
    kind: str = "real"
    label: str | None = field(default=None, compare=False)

    @cached_property
    def attrs(self) -> Attrs:
        return MappingProxyType(dict(self.items))

    @property
    def record(self) -> Op:
        return OPS[self.op]

    @property
    def type(self) -> Type:
        return Type(self.shape, self.kind)

    def __getstate__(self) -> dict[str, Any]:
        return _fields(self)

    def __str__(self) -> str:
        details = [*self.args, *(f"{k}={v}" for k, v in self.items if k not in ("total",))]
        return f"{self.name} := {self.op}({', '.join(details)})  {format_shape(self.shape)}"


@dataclass(frozen=True)
class Program:
    """Inputs, bindings in an order in which they can be computed, and named outputs.

    ``outputs`` pairs a label (``loss``, ``w`` for the gradient by w) with a binding's or an input's name.
    """

    inputs: tuple[Input, ...]
    bindings: tuple[Binding, ...]
    outputs: tuple[tuple[str, str], ...]

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        """The shape of each input."""
        return MappingProxyType({i.name: i.shape for i in self.inputs})

    @cached_property
    def by_name(self) -> Mapping[str, Binding | Input]:
        names: dict[str, Binding | Input] = {i.name: i for i in self.inputs}
        names.update((b.name, b) for b in self.bindings)
        return MappingProxyType(names)

    @cached_property
    def output(self) -> Mapping[str, str]:
        return MappingProxyType(dict(self.outputs))

    @cached_property
    def uses(self) -> Mapping[str, int]:
        """How often each value is read, outputs included."""
        count = dict.fromkeys(self.by_name, 0)
        for b in self.bindings:
            for a in b.args:
                count[a] += 1
        for _, name in self.outputs:
            count[name] += 1
        return MappingProxyType(count)

    def type(self, name: str) -> Type:
        return self.by_name[name].type

    def is_input(self, name: str) -> bool:
        return isinstance(self.by_name[name], Input)

    def __iter__(self) -> Iterator[Binding]:
        return iter(self.bindings)

    def only(self, *labels: str) -> Program:
        """The part that computes these outputs."""
        outputs = tuple(o for o in self.outputs if o[0] in labels)
        needed = {name for _, name in outputs}
        kept = []
        for b in reversed(self.bindings):
            if b.name in needed:
                needed.update(b.args)
                kept.append(b)
        return Program(self.inputs, tuple(reversed(kept)), outputs)

    def __getstate__(self) -> dict[str, Any]:
        return _fields(self)

    def __str__(self) -> str:
        lines = [f"{i.name}: {format_shape(i.shape)}" for i in self.inputs]
        lines += [str(b) for b in self.bindings]
        lines += [f"{label} = {name}" for label, name in self.outputs]
        return "\n".join(lines)


def _fields(record: Binding | Program) -> dict[str, Any]:
    """What another process is sent: the fields, without what was computed from them."""
    return {f.name: getattr(record, f.name) for f in fields(record)}
