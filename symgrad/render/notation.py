"""The signs of matrix algebra in three styles: Unicode, ASCII, LaTeX. Vectors are columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import sympy

from symgrad.ops.dims import Dim, Shape, format_shape
from symgrad.ops.record import ARG, Piece
from symgrad.ops.scalars.printer import ATOM, MUL, NEG, POW
from symgrad.render.entrywise import entrywise
from symgrad.render.printers import AsciiPrinter, LatexPrinter, UnicodePrinter
from symgrad.render.spacing import ONES, Spacing

LONGEST_POWER = 4
"""Powers of matrices up to here are written out as products."""


class UnicodeNotation:
    """Formulas for a terminal that shows Unicode.

    Args:
        spacing: what the page's names allow in products.
        sizes: the dimensions in the order in which the inputs name them.
        taken: names of inputs and values, which no dimension can be printed as.
    """

    printer_type: type[UnicodePrinter] = UnicodePrinter
    transposed = "ᵀ"
    inverted = "⁻¹"
    inverse_transposed = "⁻ᵀ"
    ones_sign = ONES
    summation = "Σ"
    norm_bars = ("‖", "‖")

    def __init__(
        self, spacing: Spacing | None = None, sizes: Sequence[str] = (), taken: frozenset[str] = frozenset()
    ) -> None:
        self.spacing = spacing or Spacing()
        self.sizes = {name: i for i, name in enumerate(sizes)}
        self.taken = taken

    def printer(self, symbols: Mapping[sympy.Symbol, Piece]) -> UnicodePrinter:
        """A printer of scalar functions with this page's spacing."""
        made = self.printer_type(symbols)
        made.spacing = self.spacing
        return made

    @property
    def times(self) -> str:
        return self.printer_type.times

    def wrap(self, piece: Piece, least: int) -> str:
        return piece.text if piece.strength >= least else f"({piece.text})"

    def join(self, left: str, right: str) -> str:
        """A matrix product: side by side, with a gap between names of several letters."""
        return f"{left}{right}" if self.spacing.tight(left, right) else f"{left} {right}"

    def transpose(self, a: Piece) -> Piece:
        if self._ends(a, self.inverse_transposed):
            return Piece(a.text.removesuffix(self.inverse_transposed) + self.inverted, POW, a.rank)
        if self._ends(a, self.inverted):
            return Piece(a.text.removesuffix(self.inverted) + self.inverse_transposed, POW, a.rank)
        if self._ends(a, self.transposed):
            return Piece(a.text.removesuffix(self.transposed), ATOM, a.rank)
        return Piece(f"{self.wrap(a, ATOM)}{self.transposed}", POW, a.rank)

    def inverse(self, a: Piece) -> Piece:
        """A⁻¹, and A⁻ᵀ for the inverse of a transpose."""
        if self._ends(a, self.transposed):
            return Piece(a.text.removesuffix(self.transposed) + self.inverse_transposed, POW, a.rank)
        if self._ends(a, self.inverted):
            return Piece(a.text.removesuffix(self.inverted), ATOM, a.rank)
        return Piece(f"{self.wrap(a, ATOM)}{self.inverted}", POW, a.rank)

    def matrix_power(self, a: Piece, p: int) -> Piece:
        """AAA, the product of matrices; marked where it is longer, as A⁹ is otherwise taken entry by entry."""
        if 2 <= p <= LONGEST_POWER:
            text = self.wrap(a, NEG)
            for _ in range(p - 1):
                text = self.join(text, self.wrap(a, NEG))
            return Piece(text, NEG, a.rank)
        return self.call("power", a, Piece(str(p), ATOM))

    def identity(self) -> Piece:
        """I, or eye where that is another value."""
        return Piece("eye" if "I" in self.taken else "I", ATOM, 2)

    def _ends(self, a: Piece, mark: str) -> bool:
        return a.strength == POW and a.text.endswith(mark)

    def matmul(self, a: Piece, b: Piece) -> Piece:
        rank = a.rank + b.rank - 2
        return Piece(self.join(self.wrap(a, NEG), self.wrap(b, NEG)), NEG, max(rank, 1))

    def outer(self, a: Piece, b: Piece) -> Piece:
        return Piece(self.join(self.wrap(a, NEG), self.transpose(b).text), NEG, 2)

    def inner(self, a: Piece, b: Piece) -> Piece:
        return Piece(self.join(self.transpose(a).text, self.wrap(b, NEG)), NEG, 0)

    def call(self, name: str, *args: Piece) -> Piece:
        return Piece(
            f"{name}({', '.join(a.text for a in args)})", ATOM, max((a.rank for a in args), default=0)
        )

    def norm(self, a: Piece) -> Piece:
        """‖a‖, with an F for matrices."""
        left, right = self.norm_bars
        matrix = a.shape is not None and sum(d != 1 for d in a.shape) > 1
        return Piece(f"{left}{a.text}{right}{'_F' if matrix else ''}", ATOM, 0, shape=())

    def softmax(self, a: Piece, axes: tuple[int, ...]) -> Piece:
        """softmax(z); of each row, unless other axes are named."""
        if axes == (a.rank - 1,):
            return self.call("softmax", a)
        return self.call("softmax", a, Piece(f"axis={axes[0] if len(axes) == 1 else axes}", ATOM))

    def entry(self, a: Piece, index: Piece) -> Piece | None:
        """z[i, yᵢ]: the entry of row i that an index names; None where the index has no short name."""
        return Piece(f"{a.text}[i, {index.text}ᵢ]", ATOM, 1) if a.strength >= ATOM and _short(index) else None

    def total(self, a: Piece, axes: tuple[int, ...] | None, keepdims: bool = False) -> Piece:
        if axes is None:
            return Piece(f"{self.summation} {self.wrap(a, NEG)}", MUL, 0)
        if a.rank == 2 and axes == (0,):
            if keepdims:
                return Piece(self.join(self.ones((1, "n")).text, self.wrap(a, NEG)), NEG, 2)
            return self.matmul(self.transpose(a), self.ones(("n",)))
        if a.rank == 2 and axes == (1,):
            return self.matmul(a, self.ones(("n",)))
        which = str(axes[0]) if len(axes) == 1 else str(tuple(axes))
        made = self.call("sum", a, Piece(f"axis={which}", ATOM))
        index = ", ".join("newaxis" if i in axes else ":" for i in range(a.rank))
        return Piece(f"{made.text}[{index}]", ATOM, a.rank) if keepdims else made

    def reshape(self, a: Piece, shape: Shape) -> Piece:
        """Columns and vectors are one thing on paper, rows their transposes; other moves are named."""
        old = a.shape or ()
        if all(d == 1 for d in (*old, *shape)) or _book(old) == _book(shape):
            return a
        if len(_book(old)) == 2 and _book(old) == _book(shape)[::-1] and 1 in _book(shape):
            return self.transpose(a)
        if [d for d in old if d != 1] == [d for d in shape if d != 1]:
            return Piece(f"{self.wrap(a, ATOM)}[{_indexed(old, shape)}]", ATOM, len(shape))
        return self.call("reshape", a, Piece(format_shape(shape), ATOM))

    def spread(self, a: Piece, shape: Shape) -> Piece:
        """An array repeated along axes, written with ones."""
        if a.text in ("0", "1"):
            return self.ones(shape) if a.text == "1" else a
        if len(shape) > 2 and a.rank:
            return self.call("broadcast", a, Piece(format_shape(shape), ATOM))
        ones = self.ones(shape)
        if len(shape) == 2 and a.shape is not None and any(d != 1 for d in a.shape):
            ones = Piece(ones.text, ones.strength, 2, shape=(1, 1))
            left, right = ((1,) * (2 - len(a.shape)) + tuple(a.shape)) if a.shape else (1, 1)
            if left == 1:
                row = a if len(a.shape) == 2 else self.transpose(a)
                return self.matmul(self.ones((shape[0], 1)), row) if shape[0] != 1 else row
            return self.matmul(a, self.ones((1, shape[1]))) if right == 1 else a
        plain = re.fullmatch(r"\d+/\([^()]*\)|\w+", a.text)
        text = a.text if plain else self.wrap(a, ATOM)
        return Piece(f"{text} {ones.text}", MUL, len(shape))

    def scalar(self, fn: sympy.Expr, args: Sequence[Piece]) -> Piece:
        fn = sympy.sympify(fn)
        symbols = {ARG(i): a for i, a in enumerate(args)}
        free = sorted(
            fn.free_symbols - symbols.keys(), key=lambda s: (self.sizes.get(s.name, len(self.sizes)), s.name)
        )
        sizes = {s: Piece(self.size(s.name), ATOM, 0, is_size=True) for s in free}
        piece = entrywise(self, fn, symbols, sizes)
        return Piece(piece.text, piece.strength, max([piece.rank, *(a.rank for a in args)], default=0))

    def size(self, name: str) -> str:
        """A dimension; one that is also the name of an input is written as what it is."""
        return f"size({name})" if name in self.taken else name

    def ones(self, shape: Sequence[Dim | str]) -> Piece:
        """𝟏, lying for a row, 𝟏𝟏ᵀ for a matrix."""
        one = Piece(self.ones_sign, ATOM, len(shape))
        if len(shape) != 2 or shape[1] == 1:
            return one
        row = Piece(self.transpose(one).text, POW, 2)
        return row if shape[0] == 1 else Piece(self.join(one.text, row.text), NEG, 2)


def _short(index: Piece) -> bool:
    """Whether a name can have a letter below it."""
    return len(index.text) == 1


def _book(shape: Shape) -> tuple[Dim, ...]:
    """The shape on paper, where a vector is a column."""
    return (shape[0], 1) if len(shape) == 1 else tuple(shape) if shape else (1, 1)


def _indexed(old: Shape, new: Shape) -> str:
    """NumPy's index that adds and drops axes of one entry."""
    index = []
    rest = list(old)
    for d in new:
        while rest and rest[0] == 1 and d != 1:
            rest.pop(0)
            index.append("0")
        if rest and rest[0] == d:
            rest.pop(0)
            index.append(":")
        else:
            index.append("newaxis")
    return ", ".join([*index, *("0" for _ in rest)])


class AsciiNotation(UnicodeNotation):
    """Formulas in ASCII: ``x'`` is the transpose, ``*`` the product of entries."""

    printer_type = AsciiPrinter
    transposed = "'"
    inverted = "^-1"
    inverse_transposed = "^-T"
    ones_sign = "ones"
    summation = "sum"
    norm_bars = ("||", "||")

    def entry(self, a: Piece, index: Piece) -> Piece | None:
        return (
            Piece(f"{a.text}[i, {index.text}[i]]", ATOM, 1) if a.strength >= ATOM and _short(index) else None
        )


_ASCII = str.maketrans(
    {
        "−": "-", "⊙": "*", "½": "(1/2)", "⅓": "(1/3)", "¼": "(1/4)", "¾": "(3/4)", "⅔": "(2/3)", "ᵀ": "'", "Σ": "sum",
        "σ": "sigmoid", "√": "sqrt", "·": "*", "π": "pi", "≥": ">=", "≤": "<=", "≠": "!=", "∂": "d", "δ": "delta",
        "→": "->", "←": "<-", "×": "x", "⇒": "=>", "…": "...", "’": "'", "′": "'", "✓": "ok", "‖": "||",
        "λ": "lambda", "θ": "theta", "μ": "mu", "α": "alpha", "β": "beta", "ε": "epsilon", "η": "eta", "τ": "tau",
        "γ": "gamma", "φ": "phi", "ω": "omega", "ρ": "rho", "ᵢ": "_i", "ⱼ": "_j", "\U0001d7cf": "1",
        "–": "-", "—": "-", "“": '"', "”": '"', "∈": "in", "⁻": "-",
        **{c: f"^{i}" for i, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
        **{c: str(i) for i, c in enumerate("₀₁₂₃₄₅₆₇₈₉")},
    }
)  # fmt: skip


def to_ascii(text: str) -> str:
    """Prose, or a formula that was written in Unicode, for a stream that cannot encode it."""
    decomposed = unicodedata.normalize("NFD", text)
    barred = re.sub(r"(\w)\u0304([0-9₀-₉]*(?:_\w+)?)", r"\1\2_bar", decomposed)
    barred = barred.replace("⁻¹", "^-1").replace("⁻ᵀ", "^-T")
    return barred.translate(_ASCII).encode("ascii", "replace").decode("ascii")


class LatexNotation(UnicodeNotation):
    """Formulas in LaTeX."""

    printer_type = LatexPrinter
    transposed = r"^{\top}"
    inverted = "^{-1}"
    inverse_transposed = r"^{-\top}"
    ones_sign = r"\mathbf{1}"
    summation = r"\sum"
    norm_bars = (r"\left\|", r"\right\|")

    def entry(self, a: Piece, index: Piece) -> Piece | None:
        single = a.strength >= ATOM and len(a.text) == 1
        return Piece(f"{a.text}_{{i, {index.text}_i}}", ATOM, 1) if single and _short(index) else None

    def join(self, left: str, right: str) -> str:
        return f"{left} {right}"

    def call(self, name: str, *args: Piece) -> Piece:
        inside = ", ".join(a.text for a in args)
        return Piece(
            rf"\operatorname{{{name}}}\left({inside}\right)", ATOM, max((a.rank for a in args), default=0)
        )

    def size(self, name: str) -> str:
        return rf"\operatorname{{size}}({name})" if name in self.taken else name


NOTATIONS: dict[str, type[UnicodeNotation]] = {
    "text": UnicodeNotation,
    "ascii": AsciiNotation,
    "latex": LatexNotation,
}
