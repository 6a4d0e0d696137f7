"""Why an adjoint is what it is: the rule of each operation on the way, and one sentence for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from unicodedata import normalize

import sympy

from symgrad.ops.dims import Shape, same
from symgrad.ops.pointwise import partial, scale
from symgrad.ops.record import ARG, OUT, Piece
from symgrad.ops.scalars.printer import ATOM
from symgrad.program import Binding, Program
from symgrad.render.names import unicode_name
from symgrad.render.notation import UnicodeNotation
from symgrad.render.product_reasons import multiples, product_reason, squares
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
    "derived from the slopes in Bishop (2006), Pattern Recognition and Machine Learning, eq. 4.106; "
    "Dao, Fu, Ermon, Rudra and Ré (2022), FlashAttention, appendix B.2",
)

CROSS_ENTROPY = Reason(
    "s = log Σ exp z  ⇒  z̄ = s̄ softmax(z)",
    "the slope of log Σ exp z by one entry is that entry's share of the sum, and these shares are the softmax",
    "Boyd and Vandenberghe (2004), Convex Optimization, 3.1.5",
)

TWICE = "the value is used more than once, so what flows back from each use is added"

SILENT = ("argmax", "argmin", "argsort", "det_sign")
"""Operations through which nothing flows back."""


def reasons(route: Route, way: Sequence[tuple[Binding, int]], value: str) -> list[Reason]:
    """The reasons along a way from a value to what is computed of it; plain sums are told where nothing else is."""
    program = route.program
    reached = {value, *(b.name for b, _ in way)}
    told = [(_weight(route, b, i), _reason(program, b, i)) for b, _ in way for i in _entrances(b, reached)]
    if any(axes_of(program, b) is not None for b, _ in way):
        told = [(w, r) for w, r in told if r.rule != CROSS_ENTROPY.rule]
    most = max((w for w, _ in told), default=0)
    return list(dict.fromkeys(r for w, r in told if w == most))


def _entrances(b: Binding, reached: Collection[str]) -> list[int]:
    """The arguments through which a value comes in: both factors of a product, else the first that has a slope."""
    found = [i for i, a in enumerate(b.args) if a in reached]
    if b.op == "matmul":
        return found
    return ([i for i in found if not _silent(b, i)] or found)[:1]


def _silent(b: Binding, position: int) -> bool:
    """Whether nothing flows back to an argument: a mask, an order."""
    return b.op in SILENT or (b.op == "pointwise" and partial(b.attrs["fn"], position) == 0)


def added(program: Program, way: Sequence[tuple[Binding, int]], value: str) -> bool:
    """Whether something flows back to a value on more than one way; aᵀa and a softmax count as one each."""
    inside = {name for b, _ in way for name in _parts(program, b)}
    reached = {value}
    reads: list[str] = []
    for b, _ in way:
        if b.name in inside:
            continue
        args = [multiples(program, b.args[0])[-1]] if squares(program, b) else b.args
        live = [a for i, a in enumerate(args) if a in reached and not _silent(b, i)]
        if live:
            reached.add(b.name)
            reads += live
    return len(reads) > len(set(reads))


def _parts(program: Program, b: Binding) -> list[str]:
    """The values that a rule speaks of as one with its operation: the factors of aᵀa, the sum below a softmax."""
    if squares(program, b):
        return [name for a in b.args for name in multiples(program, a)[:-1]]
    if axes_of(program, b) is None:
        return []
    below = program.by_name[b.args[1]]
    return [below.name, *(below.args if isinstance(below, Binding) and below.op == "reshape" else ())]


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
            found += [
                f"each row of {unicode_name(name)} sums to 1, so the softmax comes in with the factor 1"
                for name in rows
            ]
    return found


def _weight(route: Route, b: Binding, position: int) -> int:
    """How much a rule teaches: 0 a move or a slope of 0, 1 a sum or a number in front, 2 every other rule."""
    if b.op in ("transpose", "reshape", *SILENT):
        return 0
    if b.op == "pointwise":
        slope = partial(b.attrs["fn"], position)
        if slope == 0:
            return 0
        if _repeated(route.program, b, position) is not None:
            return 2
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
    if b.op == "matmul":
        rule, why = product_reason(program, b, position) or (rule, why)
        if len(program.type(b.args[position]).shape) < len(b.shape) and len(b.shape) > 2:
            why += "; it is the same in the whole stack, so what flows back is summed over the stack"
    if b.op != "pointwise":
        return Reason(normalize("NFC", rule), why, b.record.source)
    slope = partial(b.attrs["fn"], position)
    if GENERAL in rule or b.attrs["fn"] in POWERS or _whole_power(b.attrs["fn"]):
        rule = _written_out(b, position) or rule
        why = POWERS.get(b.attrs["fn"], why)
        why = next((sentence for left, sentence in KINKS.items() if f"C = {left}" in rule), why)
    repeated = _repeated(program, b, position)
    if repeated is not None:
        if slope in (1, -1):
            rule, why = repeated.added(slope == 1), repeated.why if slope == 1 else f"{why}; {repeated.why}"
        else:
            rule = repeated.factor if rule == FACTOR else rule
            why = f"{why}; {repeated.why}"
    return Reason(normalize("NFC", rule), why, b.record.source)


GENERAL = "f′"
"""In the rule of an elementwise operation that has no name of its own."""

FACTOR = "C = A ⊙ B  ⇒  Ā = C̄ ⊙ B"
"""The rule of a product entry by entry."""

POWERS = {
    ARG(0) ** 2: "the power rule: each entry acts on its own square only, and the slope of a² is 2a",
    sympy.sqrt(
        ARG(0)
    ): "the power rule: each entry acts on its own root only, and the slope of √a is 1/(2√a)",
}
"""Powers that have a sentence of their own."""

KINKS = {
    "max(": "the larger argument alone acts on the result, so all goes back to it; at a tie each gets half",
    "min(": "the smaller argument alone acts on the result, so all goes back to it; at a tie each gets half",
    "relu(": "the slope is 1 where an entry is positive and 0 elsewhere, so what flows back is let through or stopped",
    "|A|": "the slope of |a| is the sign of a, and 0 is taken at 0",
    "where(": "the result is the one branch or the other, so what flows back goes to the branch that was chosen",
}
"""What is said of a function with a kink, by how its rule begins."""


def _whole_power(fn: sympy.Expr) -> bool:
    return bool(fn.is_Pow and fn.base == ARG(0) and fn.exp.is_Integer)


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
    """How b is repeated: the rule where it is added, the rule where it is a factor, and why."""

    rule: str
    factor: str
    why: str

    def added(self, plus: bool) -> str:
        """The rule of a sum, or of a difference in which b is subtracted."""
        return self.rule if plus else self.rule.replace(" + ", " − ", 1).replace("\u0304 = ", "\u0304 = −", 1)


_ROWS = _Repetition(
    "C = A + 𝟏bᵀ  ⇒  b̄ = C̄ᵀ𝟏",
    "C = A ⊙ 𝟏bᵀ  ⇒  b̄ = (C̄ ⊙ A)ᵀ𝟏",
    "it is the same in every row, so what flows back is summed over the rows",
)
_COLUMNS = _Repetition(
    "C = A + b𝟏ᵀ  ⇒  b̄ = C̄𝟏",
    "C = A ⊙ b𝟏ᵀ  ⇒  b̄ = (C̄ ⊙ A)𝟏",
    "it is the same in every column, so what flows back is summed over the columns",
)
_ALL = _Repetition(
    "C = A + b𝟏  ⇒  b̄ = Σ C̄",
    "C = bA  ⇒  b̄ = Σ (C̄ ⊙ A)",
    "one number acts on every entry, so what flows back from all of them is summed",
)
_OTHER = _Repetition(
    "C = A + B repeated  ⇒  B̄ = Σ C̄ over the repetitions",
    "C = A ⊙ B repeated  ⇒  B̄ = Σ (C̄ ⊙ A) over the repetitions",
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
