"""Why an adjoint is what it is: the rule of each operation on the way, and one sentence for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.ops.dims import Shape, same
from symgrad.ops.pointwise import partial, scale
from symgrad.ops.record import ARG, OUT, Piece
from symgrad.ops.scalars.printer import ATOM
from symgrad.program import Binding, Program
from symgrad.render.names import unicode_name
from symgrad.render.notation import UnicodeNotation
from symgrad.render.scalar_rules import tidy
from symgrad.render.softmax import axes_of
from symgrad.render.stations import Route

MOST = 3
"""Rules on one line."""


@dataclass(frozen=True)
class Reason:
    """A rule as a textbook states it, why it holds, and who states it."""

    rule: str
    why: str
    source: str


SOFTMAX = Reason(
    "P = softmax(Z)  ⇒  Z̄ = P ⊙ (P̄ − (P̄ ⊙ P)𝟏𝟏ᵀ)",
    "the entries of a softmax sum to 1, so what P̄ is on average, weighted by P, changes nothing and is taken off",
    "Bridle (1990), Probabilistic interpretation of feedforward classification network outputs; "
    "Goodfellow, Bengio and Courville (2016), Deep Learning, 6.2.2.3",
)

CROSS_ENTROPY = Reason(
    "s = log Σ exp z  ⇒  z̄ = s̄ softmax(z)",
    "each entry counts in the sum with the share that it has of it, and these shares are the softmax",
    "Boyd and Vandenberghe (2004), Convex Optimization, 3.1.5",
)

TWICE = "the value is used more than once, so what flows back from each use is added"


def reasons(route: Route, way: Sequence[tuple[Binding, int]]) -> list[Reason]:
    """The reasons along a way from a value to what is computed of it; plain sums are told where nothing else is."""
    program = route.program
    told = [(_weight(route, b, i), _reason(program, b, i)) for b, i in way]
    if any(axes_of(program, b) is not None for b, _ in way):
        told = [(w, r) for w, r in told if r.rule != CROSS_ENTROPY.rule]
    most = max((w for w, _ in told), default=0)
    return list(dict.fromkeys(r for w, r in told if w == most))


def distributions(route: Route, stations: Sequence[str]) -> list[str]:
    """What is known of data beside a softmax: that its rows sum to 1."""
    found = []
    for s in stations:
        segment = route.segments[s]
        if any(b.op == "logsumexp" for b in segment.bindings):
            rows = [
                i.name
                for i in route.program.inputs
                if i.name in segment.leaves and i.domain in ("onehot", "prob")
            ]
            found += [f"each row of {unicode_name(name)} sums to 1" for name in rows]
    return found


def _weight(route: Route, b: Binding, position: int) -> int:
    """How much a rule teaches: 0 a move of entries, 1 a sum or a number in front, 2 every other rule."""
    if b.op in ("transpose", "reshape"):
        return 0
    if b.op == "pointwise":
        if _repeated(route.program, b, position) is not None:
            return 2
        slope = partial(b.attrs["fn"], position)
        read = [a for i, a in enumerate(b.args) if slope.has(ARG(i))]
        number = all(a not in route.active and route.program.type(a).shape == () for a in read)
        return 1 if number and not slope.has(OUT) else 2
    return 1 if b.op in ("sum", "broadcast_to") else 2


def _reason(program: Program, b: Binding, position: int) -> Reason:
    if axes_of(program, b) is not None:
        return SOFTMAX
    if b.op == "logsumexp":
        return CROSS_ENTROPY
    rule, why = b.record.explanation(b.attrs, position, False)
    if b.op != "pointwise":
        return Reason(rule, why, b.record.source)
    if GENERAL in rule:
        rule = _written_out(b, position) or rule
    repeated = _repeated(program, b, position)
    if repeated is not None:
        added = partial(b.attrs["fn"], position) in (1, -1)
        rule = repeated.rule if added else rule
        why = repeated.why if added else f"{why}; {repeated.why}"
    return Reason(rule, why, b.record.source)


GENERAL = "f′"
"""In the rule of an elementwise operation that has no name of its own."""

LONGEST = 8
"""Operations in a function whose slope is written out."""


def _written_out(b: Binding, position: int) -> str | None:
    """The rule of this very function: C = tanh(A)  ⇒  Ā = C̄ ⊙ (1 − C²)."""
    fn = b.attrs["fn"]
    if len(b.args) > 2 or fn.count_ops() > LONGEST:
        return None
    slope = partial(fn, position)
    letters = [Piece(letter, ATOM, 2) for letter in ("A", "B", "C", "C̄")]
    n = len(b.args)
    style = UnicodeNotation()
    result = style.scalar(fn, letters[:n]).text
    moved = {ARG(i): ARG(i + 1) for i in range(n)} | {OUT: ARG(n + 1)}
    product = tidy(scale(ARG(0), slope.xreplace(moved)))
    back = style.scalar(product, [letters[3], *letters[:n], letters[2]]).text
    return f"C = {result}  ⇒  {'AB'[position]}\u0304 = {back}"


@dataclass(frozen=True)
class _Repetition:
    rule: str
    why: str


_ROWS = _Repetition(
    "C = A + 𝟏bᵀ  ⇒  b̄ = C̄ᵀ𝟏",
    "it is the same in every row, so what flows back is summed over the rows",
)
_COLUMNS = _Repetition(
    "C = A + b𝟏ᵀ  ⇒  b̄ = C̄𝟏",
    "it is the same in every column, so what flows back is summed over the columns",
)
_ALL = _Repetition(
    "C = A + b𝟏  ⇒  b̄ = Σ C̄",
    "one number acts on every entry, so what flows back from all of them is summed",
)
_OTHER = _Repetition(
    "C = A + B repeated  ⇒  B̄ = Σ C̄ over the repetitions",
    "it is repeated by broadcasting, so what flows back is summed over the repetitions",
)


def _repeated(program: Program, b: Binding, position: int) -> _Repetition | None:
    """How an argument is repeated to fit the others; None where it is not."""
    shape, out = program.type(b.args[position]).shape, b.shape
    if b.op != "pointwise" or _fits(shape, out):
        return None
    if all(same(d, 1) for d in shape):
        return _ALL
    if len(out) != 2:
        return _OTHER
    padded = (1,) * (2 - len(shape)) + tuple(shape)
    return _ROWS if same(padded[0], 1) else _COLUMNS


def _fits(shape: Shape, out: Shape) -> bool:
    return [d for d in shape if not same(d, 1)] == [d for d in out if not same(d, 1)]
