"""The way to the gradient, one line a step: forward, then backward, each with its rule and its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.calculus import Differentiated
from symgrad.ops.dims import format_shape
from symgrad.ops.pointwise import partial
from symgrad.ops.record import ARG, OUT, Piece
from symgrad.ops.scalars.printer import ATOM, NEG
from symgrad.program import Binding, Program
from symgrad.render.formula import Writer
from symgrad.render.notation import to_ascii


@dataclass(frozen=True)
class Step:
    """One line of a derivation.

    Attributes:
        phase: ``forward`` or ``backward``.
        text: the formula, ``left = right``.
        shape: the shape of the left-hand side, printed.
        rule: the rule used, as a textbook states it.
        why: one sentence.
        source: where the rule comes from.
    """

    phase: str
    text: str
    shape: str
    rule: str
    why: str
    source: str

    def __str__(self) -> str:
        return f"{self.text}    {self.shape}"


def _forward_values(program: Program) -> list[Binding]:
    """The forward values that a person would write down: constants and shape moves are read in place."""
    return [b for b in program.bindings if b.op not in ("constant", "broadcast_to", "transpose", "reshape")]


def steps(differentiated: Differentiated, wrt: Sequence[str], style: str = "text") -> tuple[Step, ...]:
    """Forward pass, then backward pass, over the program as the user wrote it."""
    whole = differentiated.program
    forward = [b for b in whole.bindings if b.name in set(differentiated.forward)]
    loss = whole.output["loss"]
    names = _step_names(whole, forward, loss)
    plain = Writer(whole, style, names)
    out: list[Step] = []
    for b in _forward_values(Program(whole.inputs, tuple(forward), (("loss", loss),))):
        out.append(
            Step(
                "forward",
                f"{plain.name(b.name)} = {plain.formula(b.name).text}",
                format_shape(b.shape),
                _forward_rule(b),
                "",
                "",
            )
        )
    out += _backward(differentiated, wrt, names, style)
    if style == "ascii":
        return tuple(
            Step(s.phase, to_ascii(s.text), s.shape, to_ascii(s.rule), to_ascii(s.why), s.source) for s in out
        )
    return tuple(out)


def _step_names(program: Program, forward: Sequence[Binding], loss: str) -> dict[str, str]:
    taken = {i.name for i in program.inputs}
    names: dict[str, str] = {}
    count = 0
    for b in _forward_values(Program(program.inputs, tuple(forward), (("loss", loss),))):
        if b.name == loss:
            names[b.name] = "L"
            continue
        if b.label is not None and b.label not in taken:
            names[b.name] = b.label
        else:
            count += 1
            while f"t{count}" in taken:
                count += 1
            names[b.name] = f"t{count}"
        taken.add(names[b.name])
    return names


def _forward_rule(b: Binding) -> str:
    if b.op != "pointwise":
        return b.op
    fn = b.attrs["fn"]
    return (
        "entry by entry"
        if fn.is_Add or fn.is_Mul or fn.is_Pow
        else f"{type(fn).__name__.lower()}, entry by entry"
    )


def _backward(
    differentiated: Differentiated, wrt: Sequence[str], names: dict[str, str], style: str
) -> list[Step]:
    """One step for each named value and each parameter, in the order in which the sweep reaches them."""
    whole = differentiated.program
    readers: dict[str, list[tuple[Binding, int]]] = {}
    for b in whole.bindings:
        if b.name in differentiated.forward:
            for i, a in enumerate(b.args):
                readers.setdefault(a, []).append((b, i))
    introduced: dict[str, str] = {}
    values = [b.name for b in reversed(whole.bindings) if names.get(b.name, "L") != "L"]
    out = []
    for value in [*values, *wrt]:
        g = whole.output[value] if value in wrt else differentiated.adjoints.get(value)
        if g is None:
            continue
        writer = _AdjointWriter(whole, style, names, introduced)
        target = writer.gradient(value) if value in wrt else writer.adjoint(value)
        right = writer.piece(g).text if g in introduced or g in names else writer.formula(g).text
        flows = _through_moves(value, readers, whole)
        middle = writer.chain(flows, differentiated)
        text = f"{target} = {middle} = {right}" if middle not in (None, right) else f"{target} = {right}"
        told = [
            b.record.explanation(b.attrs, i, whole.type(b.args[i]).shape not in ((), b.shape))
            for b, i in flows
        ]
        whys = [why for _, why in told]
        if len(flows) > 1:
            whys.append("the value is used more than once, so the contributions are added")
        out.append(
            Step(
                "backward",
                text,
                format_shape(whole.type(value).shape),
                "; ".join(dict.fromkeys(rule for rule, _ in told)),
                "; ".join(dict.fromkeys(whys)),
                "; ".join(dict.fromkeys(b.record.source for b, _ in flows)),
            )
        )
        if g not in names and value not in wrt and not whole.is_input(g) and not _is_constant(whole, g):
            introduced.setdefault(g, value)
    return out


def _is_constant(program: Program, name: str) -> bool:
    b = program.by_name[name]
    return isinstance(b, Binding) and b.op == "constant"


def _through_moves(
    value: str, readers: dict[str, list[tuple[Binding, int]]], program: Program
) -> list[tuple[Binding, int]]:
    """The operations that read a value, also through a transpose or a change of shape."""
    found = []
    for b, i in readers.get(value, ()):
        if b.op in ("transpose", "reshape", "broadcast_to"):
            found += _through_moves(b.name, readers, program)
        else:
            found.append((b, i))
    return found


class _AdjointWriter(Writer):
    """A writer that knows adjoints by the bar over their value's name."""

    def __init__(
        self, program: Program, style: str, names: dict[str, str], introduced: dict[str, str]
    ) -> None:
        super().__init__(program, style, names)
        self.introduced = introduced

    def adjoint(self, value: str) -> str:
        shown = self.name(value)
        return rf"\bar{{{shown}}}" if self.latex else f"{shown[0]}\u0304{shown[1:]}"

    def gradient(self, value: str) -> str:
        shown = self.name(value)
        return rf"\frac{{\partial L}}{{\partial {shown}}}" if self.latex else f"∂L/∂{shown}"

    def piece(self, value: str) -> Piece:
        if value in self.introduced:
            return Piece(self.adjoint(self.introduced[value]), ATOM, len(self.program.type(value).shape))
        return super().piece(value)

    def chain(self, flows: list[tuple[Binding, int]], differentiated: Differentiated) -> str | None:
        """``t̄₂ ⊙ ∂t₂/∂t₁`` for a value that one elementwise operation reads; None elsewhere."""
        if len(flows) != 1 or flows[0][0].op != "pointwise":
            return None
        b, i = flows[0]
        derivative = partial(b.attrs["fn"], i)
        upstream = differentiated.adjoints.get(b.name)
        if derivative.is_number or upstream is None:
            return None
        rank = len(b.shape)
        args = [self.piece(a) for a in b.args]
        symbols = {ARG(k): a for k, a in enumerate(args)} | {OUT: Piece(self.name(b.name), ATOM, rank)}
        bar = Piece(self.adjoint(b.name), ATOM, rank)
        if upstream in self.named or _is_constant(self.program, upstream):
            bar = self.piece(upstream)
        bar = Piece(bar.text, bar.strength, rank)
        slope = self.notation.printer(
            {k: Piece(v.text, v.strength, max(v.rank, 1)) for k, v in symbols.items()}
        )
        piece = slope.piece(derivative)
        return f"{self.notation.wrap(bar, NEG)}{self.notation.times}{self.notation.wrap(piece, NEG)}"
