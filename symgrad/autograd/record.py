"""The record of one operation on the tape: everything known of it, in one place.

A rule names what it reads.  The backward rule of `mul` for its operand `a` is `lambda g, b: g * b`: it
needs the incoming gradient `g` and the operand `b`, so the tape saves `b` and nothing else.  A rule may
ask for

    g            the gradient of the loss with respect to the result (always the first argument)
    <operand>    the array that was given
    <operand>_shape   only its shape
    out          the result
    <param>      a parameter of the call, e.g. `axis`
    position     for operations on a sequence of tensors: which of them
    shapes       for these too: the shapes of all

Rules work on NumPy arrays alone and share nothing with the symbolic rules of `symgrad.ops`: the tape is
a witness.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.autograd.apply import apply
from symgrad.errors import SpecError

if TYPE_CHECKING:
    from symgrad.autograd.tensor import Tensor

Rule = Callable[..., np.ndarray]

# Both spellings are accepted everywhere; NumPy's is the canonical one, which overriding objects are given.
SYNONYMS = {"dim": "axis", "keepdim": "keepdims", "dims": "axes", "size": "shape"}


class _Required:
    def __repr__(self) -> str:
        return "…"


REQUIRED = _Required()


@dataclass(frozen=True)
class Example:
    """Arguments on which the rules of an operation are tested.

    Args:
        shapes: one per operand; an elementwise operation is tested on drawn shapes as well.
        params: parameters of the call.
        low, high: the operands are drawn from this interval, inside the domain of the operation.
        operands: fixed values for operands that are not drawn (conditions, indices), by name.
    """

    shapes: tuple[tuple[int, ...], ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    low: float = -2.0
    high: float = 2.0
    operands: Mapping[str, Any] = field(default_factory=dict)


OPS: dict[str, TapeOp] = {}


@dataclass(frozen=True, eq=False)
class TapeOp:
    """An operation: called with tensors it computes, and records itself where a gradient is wanted.

    Args:
        name: canonical name, which `__symgrad_function__` is given.
        operands: names of the array arguments; one name with a leading `*` is a sequence of tensors.
        forward: `forward(*arrays, **params) -> array`, in NumPy.
        vjps: for each operand that has a gradient, its rule (see above); empty for tests and indices.
        examples: what the tests run on.
        params: static parameters and their defaults, in order; `REQUIRED` where there is none.
        elementwise: the operands broadcast; the tape sums their gradients back to their shapes.
        view: the result may share memory with the first operand.
        analytic: `forward` takes complex numbers, so that the complex step gives its derivative exactly.
        kink_distance: how far given operands are from the nearest point without a derivative.
        canonical: puts the parameters into canonical form, or refuses them; it does not see the operands.
        expects: which shapes fit, in words, for the error message.
        doc: one line on what it computes.
        source: author and equation, where the form is not plain calculus.
    """

    name: str
    operands: tuple[str, ...]
    forward: Callable[..., Any]
    vjps: Mapping[str, Rule]
    examples: tuple[Example, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    elementwise: bool = False
    view: bool = False
    analytic: bool = False
    kink_distance: Callable[..., np.ndarray] | None = None
    canonical: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    expects: str = "shapes that broadcast: from the right, equal or 1"
    doc: str = ""
    source: str = ""
    reads: Mapping[str, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        reads = {
            operand: tuple(inspect.signature(rule).parameters)[1:] for operand, rule in self.vjps.items()
        }
        object.__setattr__(self, "reads", reads)
        object.__setattr__(self, "__doc__", f"{self.signature}: {self.doc}")

    @property
    def variadic(self) -> bool:
        """True where the operands are one sequence of tensors."""
        return self.operands[0].startswith("*")

    @property
    def signature(self) -> str:
        """As one writes the call: `sum(x, axis=None, keepdims=False)`."""
        names = [name.lstrip("*") for name in self.operands]
        names += [
            name if default is REQUIRED else f"{name}={default!r}" for name, default in self.params.items()
        ]
        return f"{self.name}({', '.join(names)})"

    def bind(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Split a call into operands, in order, and parameters, all of them, by canonical name.

        Raises:
            SpecError: an argument is missing, unknown, or given twice.
        """
        names = tuple(name.lstrip("*") for name in self.operands) + tuple(self.params)
        if len(args) > len(names):
            raise SpecError(
                f"{self.name} takes {len(names)} arguments, {len(args)} were given",
                where=self.name,
                expected=self.signature,
            )
        given = dict(zip(names, args))
        for key, value in kwargs.items():
            name = key if key in names else self._renamed(key)
            if name not in names:
                raise SpecError(
                    f"{self.name} has no argument '{key}'", where=self.name, expected=self.signature
                )
            if name in given:
                raise SpecError(f"{self.name} got '{name}' twice", where=self.name, expected=self.signature)
            given[name] = value
        for name in names:
            if name not in given:
                default = self.params.get(name, REQUIRED)
                if default is REQUIRED:
                    raise SpecError(
                        f"{self.name} lacks its '{name}'", where=self.name, expected=self.signature
                    )
                given[name] = default
        operands = tuple(given.pop(name.lstrip("*")) for name in self.operands)
        return operands, given

    def _renamed(self, key: str) -> str:
        """PyTorch calls the first tensor `input` and the second `other`, whatever the operation."""
        places = {"input": 0, "other": 1}
        if key in places and places[key] < len(self.operands):
            return self.operands[places[key]]
        return SYNONYMS.get(key, key)

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        operands, params = self.bind(args, kwargs)
        return apply(self, operands, params)


def register(op: TapeOp) -> TapeOp:
    """Enter an operation into the table `OPS`."""
    if op.name in OPS:
        raise SpecError(f"the operation '{op.name}' exists already", where="register")
    OPS[op.name] = op
    return op
