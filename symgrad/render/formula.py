"""A program as formulas: which values get a name, and each as one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy

from symgrad.ops.record import ARG, Piece
from symgrad.ops.scalars.functions import Sigmoid
from symgrad.ops.scalars.printer import ATOM
from symgrad.program import Binding, Program
from symgrad.render.letters import Letters
from symgrad.render.names import NAMES, short_names, unicode_name
from symgrad.render.notation import NOTATIONS
from symgrad.render.repeats import repeated
from symgrad.render.rows import each_row_once
from symgrad.render.softmax import SHARE, axes_of
from symgrad.render.spacing import Spacing


class Writer:
    """Writes the values of a (simplified) program as formulas in one style."""

    def __init__(self, program: Program, style: str, named: Mapping[str, str]) -> None:
        self.program = program
        self.style = style
        self.latex = style == "latex"
        self.named = named
        self.symbol = NAMES[style]
        self.short = short_names([i.name for i in program.inputs])
        self.shown = shown_names(program, named, self.short)
        inputs = [self.name(i.name) for i in program.inputs]
        sizes = list(dict.fromkeys(s.name for i in program.inputs for s in _symbols(i.shape)))
        kind = NOTATIONS[style]
        spacing = Spacing.of([*inputs, *map(self.name, named), kind.ones_sign], kind.summation)
        taken = {i.name for i in program.inputs} | {*inputs, *map(self.name, named)}
        self.notation = kind(spacing, sizes, frozenset(taken))
        self.letters = {*inputs, *sizes, *map(self.name, named)}
        self._pieces: dict[str, Piece] = {}

    def name(self, value: str) -> str:
        plain = self.named.get(value) or self.short.get(value, value)
        if self.shown.get(value, True):
            return self.symbol(plain)
        return self.literal(plain)

    def literal(self, name: str) -> str:
        """A name letter by letter, where its short form is another one's."""
        return rf"\mathtt{{{name}}}".replace("_", r"\_") if self.latex else name

    def piece(self, value: str) -> Piece:
        """The value where it is used: its name, or its formula."""
        if value in self.named or self.program.is_input(value):
            shape = self.program.type(value).shape
            return Piece(self.name(value), ATOM, len(shape), shape=shape)
        if value not in self._pieces:
            self._pieces[value] = self.formula(value)
        return self._pieces[value]

    def formula(self, value: str) -> Piece:
        """The value's own formula, of the names it reads."""
        b = self.program.by_name[value]
        if not isinstance(b, Binding):
            return self.piece(value)
        self._prepare(b)
        return self._written(b)

    def _written(self, b: Binding) -> Piece:
        made = self._special(b) or b.record.notation(self.notation, [self.piece(a) for a in b.args], b.attrs)
        return Piece(made.text, made.strength, len(b.shape), shape=b.shape)

    def _prepare(self, b: Binding) -> None:
        """Write what a value is made of from the leaves on, so that no depth of nesting is too deep."""
        waiting = [b]
        while waiting:
            at = waiting[-1]
            left = [a for a in at.args if not self._ready(a)]
            if left:
                waiting += [x for a in left if isinstance(x := self.program.by_name[a], Binding)]
                continue
            waiting.pop()
            if at is not b and not self._ready(at.name):
                self._pieces[at.name] = self._written(at)

    def _ready(self, value: str) -> bool:
        return value in self._pieces or value in self.named or self.program.is_input(value)

    def _special(self, b: Binding) -> Piece | None:
        """What has a sign of its own on paper: the softmax, norms."""
        axes = axes_of(self.program, b)
        if axes is not None:
            return self.notation.softmax(self.piece(b.args[0]), axes)
        if b.op == "sum" and (root := self._norm(b.name)) is not None and self._short(b.name):
            return self.notation.scalar(ARG(0) ** 2, (root,))
        if b.op in ("take", "scatter") and each_row_once(self.program, b):
            return self._of_each_row(b)
        if b.op == "scatter" and b.shape and self.program.type(b.args[0]).shape == ():
            return self._unit(b)
        if b.op == "place" and len(b.shape) == 1 and b.attrs["drop"]:
            return self._single(b)
        if b.op == "svd_sum":
            return self._of_singular(b)
        if b.op == "pointwise":
            return self._with_norms(b)
        return None

    def _single(self, b: Binding) -> Piece:
        """A number among zeros: x onehot(1)."""
        index = self.notation.scalar(sympy.sympify(b.attrs["start"][0]), ())
        unit = replace(self.notation.call("onehot", index), rank=1, shape=b.shape)
        value = self.piece(b.args[0])
        return unit if value.text == "1" else self.notation.scalar(ARG(0) * ARG(1), (value, unit))

    def _of_singular(self, b: Binding) -> Piece | None:
        """U diag(g) Vᵀ, of the singular vectors of the page's one matrix; None where these letters are taken."""
        matrices = {c.args[0] for c in self.program.bindings if c.op == "svd_sum"}
        if {"U", "V"} & self.letters or len(matrices) > 1 or len(b.shape) != 2:
            return None
        left, right = Piece("U", ATOM, 2), self.notation.transpose(Piece("V", ATOM, 2))
        weights = self.piece(b.args[1])
        if weights.text != self.notation.ones(("n",)).text:
            left = self.notation.matmul(left, replace(self.notation.call("diag", weights), rank=2))
        return self.notation.matmul(left, right)

    def _of_each_row(self, b: Binding) -> Piece | None:
        """z[i, yᵢ], an entry of each row, where it is summed; one-hot labels."""
        labels = self.piece(b.args[2])
        if b.op == "scatter":
            whole = self.piece(b.args[0]).text == self.notation.ones(()).text
            return self.notation.call("onehot", labels) if whole else None
        if b.name in self.named or "i" in self.letters:
            return None
        entry = self.notation.entry(self.piece(b.args[0]), labels)
        return entry and Piece(entry.text, entry.strength, 1)

    def _unit(self, b: Binding) -> Piece | None:
        """A single 1 among zeros."""
        one = self.piece(b.args[0]).text == "1" and len(b.args) == 2 and len(b.shape) == 1
        return self.notation.call("onehot", self.piece(b.args[1])) if one else None

    def _with_norms(self, b: Binding) -> Piece | None:
        """A function of sums of squares, written with norms: x / ‖x‖."""
        fn, args, roots = b.attrs["fn"], [self.piece(a) for a in b.args], False
        for i, a in enumerate(b.args):
            root = None if a in self.named else self._norm(a)
            powers = {p.exp for p in fn.atoms(sympy.Pow) if p.base == ARG(i)}
            if root is None or not (self._short(a) or any(not p.is_Integer for p in powers)):
                continue
            norm = sympy.Dummy(positive=True)
            fn, args[i], roots = fn.xreplace({ARG(i): norm**2}).xreplace({norm: ARG(i)}), root, True
        return self.notation.scalar(fn, args) if roots else None

    def _norm(self, value: str) -> Piece | None:
        """‖x‖, if the value is Σ x²."""
        base = squared(self.program, value)
        return None if base is None else self.notation.norm(self.piece(base))

    def _short(self, value: str) -> bool:
        """Whether Σ x² is the sum of the squares of something that has a name."""
        base = squared(self.program, value)
        return base is not None and self.piece(base).strength >= ATOM


def squared(program: Program, value: str) -> str | None:
    """x, if the value is Σ x² over all entries."""
    b = program.by_name[value]
    if not isinstance(b, Binding) or b.op != "sum" or b.shape != ():
        return None
    inner = program.by_name[b.args[0]]
    plain = isinstance(inner, Binding) and inner.op == "pointwise" and inner.attrs["fn"] == ARG(0) ** 2
    return inner.args[0] if isinstance(inner, Binding) and plain else None


def shown_names(program: Program, named: Mapping[str, str], short: Mapping[str, str]) -> dict[str, bool]:
    """For each name whether it may be beautified: ``w1`` and ``w_1`` must not both be printed as w₁."""
    taken: dict[str, str] = {}
    out: dict[str, bool] = {}
    for value in [i.name for i in program.inputs] + list(named):
        plain = named.get(value) or short.get(value, value)
        pretty = unicode_name(plain)
        out[value] = taken.setdefault(pretty, value) == value
    return out


def choose_names(program: Program, forward: frozenset[str], page: Program | None = None) -> dict[str, str]:
    """Names for the values that a textbook would name.

    A value gets one if it is read more than once and is no mere input or transpose: the user's own name if
    there is one, δ for an adjoint, h for an activation, r for a difference.

    Args:
        program: what is named: the gradients.
        forward: the values of the loss.
        page: all that stands on the page, for values that the loss and a gradient share.
    """
    short = short_names([i.name for i in program.inputs])
    # What the page shows already: inputs, sizes, and L for the loss.
    taken = {unicode_name(name) for name in short.values()} | {"L"}
    taken |= {d.name for i in program.inputs for d in _symbols(i.shape)}
    named: dict[str, str] = {}
    often = repeated(program, page or program, lambda b: _worth_a_name(program, b))
    candidates = [b for b in program.bindings if b.name in often]
    counts: dict[str, int] = {}
    labels = {unicode_name(b.label) for b in candidates if b.label is not None and b.name in forward}
    letters = Letters(labels | {unicode_name(name) for name in short.values()})
    stems: dict[str, str] = {}
    own: dict[str, str] = {}  # the user's names, each for one value
    for b in candidates:
        usable = b.label is not None and b.label.isidentifier() and b.name in forward
        if usable and unicode_name(str(b.label)) not in taken:
            own[b.name] = str(b.label)
            taken.add(unicode_name(str(b.label)))
            continue
        first = "δ" if b.name not in forward else stem(b)
        stems[b.name] = letters.letter(first)
        counts[stems[b.name]] = counts.get(stems[b.name], 0) + 1
    deltas = [b for b in candidates if b.name not in forward]
    number: dict[str, int] = {}
    for i, b in enumerate(reversed(deltas)):
        number[b.name] = i + 1
    running: dict[str, int] = {}
    for b in candidates:
        if b.name in own:
            named[b.name] = own[b.name]
            continue
        start = stems[b.name]
        running[start] = running.get(start, 0) + 1
        index = number.get(b.name, running[start])
        alone = counts[start] == 1 and start not in taken and start.swapcase() not in own.values()
        candidate = start if alone else f"{start}{index}"
        while unicode_name(candidate) in taken:
            index += 1
            candidate = f"{start}{index}"
        named[b.name] = candidate
        taken.add(unicode_name(candidate))
    return named


def _symbols(shape: tuple[object, ...]) -> list[sympy.Symbol]:
    return [s for d in shape for s in sorted(getattr(d, "free_symbols", ()), key=str)]


def _worth_a_name(program: Program, b: Binding) -> bool:
    if b.op in ("constant", "pattern", "transpose", "broadcast_to", "reshape"):
        return False
    if b.op in ("slice", "take") and b.label is None:  # A[i] is as short as a name
        return False
    if b.op == "eye" or (b.op == "inverse" and _has_a_name(program, b.args[0])):
        return False  # I and A⁻¹ are as short as a name
    base = squared(program, b.name)
    if base is not None and program.is_input(base):
        return False
    if b.op != "pointwise" or len(b.args) > 1:
        return True
    fn = b.attrs["fn"]
    plain = program.is_input(b.args[0]) and fn.is_Pow and fn.exp.is_Integer
    return not (fn.is_Mul or fn == 1 / ARG(0) or plain)


def _has_a_name(program: Program, name: str) -> bool:
    b = program.by_name[name]
    return not isinstance(b, Binding) or b.label is not None


def stem(b: Binding) -> str:
    if b.op == "pointwise":
        fn = b.attrs["fn"]
        if isinstance(fn, Sigmoid) or fn == SHARE:
            return "p"
        if fn.is_Function:
            return "h"
        if fn.is_Add and any(t.could_extract_minus_sign() for t in fn.args):
            return "r"
    return "z"
