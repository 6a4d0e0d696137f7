"""The signs of mathematics in three styles: Unicode, ASCII, LaTeX."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import ClassVar

import sympy

from symgrad.ops.dims import Shape
from symgrad.ops.record import ARG, Piece
from symgrad.ops.scalars import functions as f
from symgrad.ops.scalars.printer import ADD, ATOM, MUL, NEG, POW, ScalarPrinter, shortest_decimal

_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_FRACTIONS = {"1/2": "½", "1/3": "⅓", "1/4": "¼", "3/4": "¾", "2/3": "⅔"}
_NAMES: dict[type, str] = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.atan: "arctan",
    sympy.asin: "arcsin",
    sympy.acos: "arccos",
    sympy.asinh: "arsinh",
    sympy.atanh: "artanh",
    f.Softplus: "softplus",
    f.LogAddExp: "logaddexp",
    f.Relu: "relu",
    f.Elu: "elu",
    f.Sign: "sign",
    f.Maximum: "max",
    f.Minimum: "min",
    f.Select: "where",
    f.Log1p: "log1p",
    f.Expm1: "expm1",
}


class UnicodePrinter(ScalarPrinter):
    """Scalar functions of arrays as a terminal shows them."""

    times = " ⊙ "
    sum_sign = "Σ"
    minus = "−"
    equal_signs: ClassVar = {">=": "≥", "<=": "≤", "==": "=", "!=": "≠"}

    def number(self, value: sympy.Rational) -> Piece:
        if value.is_Integer:
            return Piece(str(int(value)), ATOM)
        text = f"{value.p}/{value.q}"
        if text in _FRACTIONS:
            return Piece(_FRACTIONS[text], ATOM)
        if value.q <= 64:
            return Piece(text, MUL)
        decimal = shortest_decimal(value)
        return Piece(decimal, ATOM) if decimal else Piece(text, MUL)

    def special(self, value: sympy.Expr) -> Piece:
        return Piece({sympy.pi: "π", sympy.E: "e"}.get(value, str(value)), ATOM)

    def power(self, base: sympy.Expr, exponent: sympy.Expr) -> Piece:
        inner = self.piece(base)
        if exponent == sympy.Rational(1, 2):
            return Piece(f"√{self.wrap(inner, ATOM)}", POW, inner.rank)
        if exponent.is_Integer:
            raised = str(int(exponent)).translate(_SUPERSCRIPTS)
            return Piece(f"{self.wrap(inner, ATOM)}{raised}", POW, inner.rank)
        return Piece(f"{self.wrap(inner, ATOM)}^{self.wrap(self.piece(exponent), ATOM)}", POW, inner.rank)

    def function(self, expr: sympy.Expr, args: list[Piece]) -> Piece:
        rank = max(a.rank for a in args)
        kind = type(expr)
        if kind is f.Sigmoid:
            return Piece(f"σ({args[0].text})", ATOM, rank)
        if kind is f.Absolute or kind is sympy.Abs:
            return Piece(f"|{args[0].text}|", ATOM, rank)
        if kind is f.Step:
            return Piece(f"[{args[0].text} > 0]", ATOM, rank)
        if kind is f.Above:  # a tie counts half
            a, b = args[0].text, args[1].text
            return Piece(f"[{a} > {b}] + ½[{a} = {b}]", ADD, rank)
        name = _NAMES.get(kind, kind.__name__)
        return Piece(f"{name}({', '.join(a.text for a in args)})", ATOM, rank)

    def compare(self, sign: str, a: Piece, b: Piece) -> Piece:
        shown = self.equal_signs.get(sign, sign)
        return Piece(f"[{self.wrap(a, ADD)} {shown} {self.wrap(b, ADD)}]", ATOM, max(a.rank, b.rank))

    def fraction(self, top: Piece, bottom: Piece) -> Piece:
        if top.rank == 0 and bottom.rank == 0:
            return Piece(f"{self.wrap(top, MUL)}/{self.wrap(bottom, NEG)}", MUL)
        if bottom.rank == 0:  # an array over a number
            return Piece(f"{self.wrap(top, MUL)} / {self.wrap(bottom, NEG)}", MUL, top.rank)
        return Piece(f"{self.wrap(top, NEG)} / {self.wrap(bottom, NEG)}", MUL, max(top.rank, bottom.rank))

    def product(self, factors: list[Piece]) -> Piece:
        """Entrywise products of arrays with ⊙; a scalar stands in front without a sign."""
        if len(factors) == 1:
            return factors[0]
        scalars = [p for p in factors if p.rank == 0]
        arrays = [p for p in factors if p.rank > 0]
        if not arrays:
            last = scalars.pop()
            front = self.scalar_product([self.wrap(p, NEG) for p in scalars])
            if last.text.startswith((self.sum_sign, "(")) or last.strength < NEG:
                return Piece(self.in_front(front, self.wrap(last, MUL)), MUL, 0)
            return Piece(self.scalar_product([front, self.wrap(last, NEG)]), MUL, 0)
        text = self.times.join(self.wrap(p, MUL) for p in arrays)
        if scalars:
            least = ATOM if len(scalars) == 1 else NEG
            text = self.in_front(self.scalar_product([self.wrap(p, least) for p in scalars]), text)
        return Piece(text, MUL, max(p.rank for p in arrays))

    def scalar_product(self, texts: list[str]) -> str:
        return "·".join(texts) if any(len(t) > 1 for t in texts) else "".join(texts)

    def in_front(self, front: str, text: str) -> str:
        """A scalar before what it multiplies: 2xᵀr, ½ Σ r², (2/n) xᵀr."""
        if text.startswith((self.sum_sign, "\U0001d7cf")) or front.endswith(")"):
            tight = False
        elif front.isnumeric():
            tight = not re.match(r"[a-z]{2,}\(", text) and not text[0].isdigit()
        else:
            tight = _tight(front, text)
        return f"{front}{text}" if tight else f"{front} {text}"

    def _product(self, expr: sympy.Expr) -> Piece:
        """Numbers and sizes as one coefficient in front of the rest."""
        sizes = [s for s, p in self.symbols.items() if p.is_size]
        coefficient: list[sympy.Expr] = []
        rest: list[sympy.Expr] = []
        for factor in sympy.Mul.make_args(expr):
            known = factor.is_number or (factor.free_symbols and factor.free_symbols <= set(sizes))
            (coefficient if known else rest).append(factor)
        scale = sympy.Mul(*coefficient)
        if not rest or scale == 1:
            return super()._product(expr)
        if scale.could_extract_minus_sign():
            return self.negative(self.piece(sympy.Mul(-scale, *rest)))
        if all(f.is_Pow and f.exp.is_number and f.exp.is_negative for f in rest):
            bottom = self.piece(sympy.Mul(*(f.base ** (-f.exp) for f in rest)))
            return self.fraction(Piece(self.coefficient(scale), MUL), bottom)
        inner = self.piece(sympy.Mul(*rest))
        text = self.wrap(inner, MUL)
        if text.startswith("1 / "):
            return Piece(f"{self.coefficient(scale)} / {text[4:]}", MUL, inner.rank)
        return Piece(self.in_front(self.coefficient(scale), text), MUL, inner.rank)

    def coefficient(self, scale: sympy.Expr) -> str:
        """A number or fraction of sizes, in brackets where it would run into what follows."""
        piece = ScalarPrinter._product(self, scale) if scale.is_Mul else self.piece(scale)
        plain = piece.strength >= ATOM or re.fullmatch(r"\d+/\([^()]*\)|\w+", piece.text)
        return piece.text if plain else f"({piece.text})"


_MARKS = "ᵀ₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹"


def _tight(left: str, right: str) -> bool:
    """Whether two factors may stand side by side without a gap: brackets, and names of one letter."""
    stem = left.rstrip(_MARKS)
    if stem and (stem[-1].isalnum() or stem[-1] in "_."):
        if stem[-1].isdigit():
            return stem[-1] == "\U0001d7cf"
        if len(stem) > 1 and stem[-2] not in _MARKS and (stem[-2].isalnum() or stem[-2] == "_"):
            return False
    if right.startswith(("(", "\U0001d7cf")):
        return True
    following = right[1:2]
    if not right[:1].isalpha():
        return False
    return not following or following in _MARKS or not (following.isalnum() or following in "_(")


class UnicodeNotation:
    """Formulas for a terminal that shows Unicode."""

    printer: type[ScalarPrinter] = UnicodePrinter
    transposed = "ᵀ"
    ones_sign = "\U0001d7cf"
    summation = "Σ"

    def wrap(self, piece: Piece, least: int) -> str:
        return piece.text if piece.strength >= least else f"({piece.text})"

    def join(self, left: str, right: str) -> str:
        """A matrix product: side by side, with a gap between names of several letters."""
        return f"{left}{right}" if _tight(left, right) else f"{left} {right}"

    def transpose(self, a: Piece) -> Piece:
        return Piece(f"{self.wrap(a, ATOM)}{self.transposed}", POW, a.rank)

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

    def reshape(self, a: Piece, shape: Shape) -> Piece:
        return self.call("reshape", a)

    def spread(self, a: Piece, shape: Shape) -> Piece:
        if a.text == "1":
            return self.ones(shape)
        if a.rank == 0:
            return self.scalar(ARG(0) * ARG(1), (a, self.ones(shape)))
        return self.call("broadcast", a)

    def total(self, a: Piece, axes: tuple[int, ...] | None, keepdims: bool = False) -> Piece:
        if axes is None:
            return Piece(f"{self.summation} {self.wrap(a, NEG)}", MUL, 0)
        if a.rank == 2 and axes == (0,):
            return Piece(self.join(self.ones_sign + self.transposed, self.wrap(a, NEG)), NEG, 1)
        if a.rank == 2 and axes == (1,):
            return Piece(f"{self.wrap(a, NEG)} {self.ones_sign}", NEG, 1)
        which = ", ".join(str(i) for i in axes)
        return self.call("sum", a, Piece(f"axis={which}", ATOM))

    def scalar(self, fn: sympy.Expr, args: Sequence[Piece]) -> Piece:
        symbols = {ARG(i): a for i, a in enumerate(args)}
        for s in sorted(sympy.sympify(fn).free_symbols - symbols.keys(), key=str):
            symbols[s] = Piece(self.size(s.name), ATOM, 0, is_size=True)
        piece = self.printer(symbols).piece(sympy.sympify(fn))
        return Piece(piece.text, piece.strength, max([piece.rank, *(a.rank for a in args)], default=0))

    def size(self, name: str) -> str:
        return name

    def ones(self, shape: Shape) -> Piece:
        return Piece(self.ones_sign, ATOM, len(shape))


_ASCII = str.maketrans(
    {
        "−": "-", "⊙": "*", "½": "(1/2)", "⅓": "(1/3)", "¼": "(1/4)", "¾": "(3/4)", "⅔": "(2/3)", "ᵀ": "'", "Σ": "sum",
        "σ": "sigmoid", "√": "sqrt", "·": "*", "π": "pi", "≥": ">=", "≤": "<=", "≠": "!=", "∂": "d", "δ": "delta",
        "→": "->", "←": "<-", "×": "x", "⇒": "=>", "…": "...", "’": "'", "′": "'", "✓": "ok",
        "λ": "lambda", "θ": "theta", "μ": "mu", "α": "alpha", "β": "beta", "ε": "epsilon", "η": "eta", "τ": "tau",
        "γ": "gamma", "φ": "phi", "ω": "omega", "ρ": "rho", "ᵢ": "_i", "\U0001d7cf": "1",
        "–": "-", "—": "-", "“": '"', "”": '"', "∈": "in",
        **{c: f"^{i}" for i, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
        **{c: str(i) for i, c in enumerate("₀₁₂₃₄₅₆₇₈₉")},
    }
)  # fmt: skip


def to_ascii(text: str) -> str:
    """The same formula for a stream that cannot encode Unicode."""
    decomposed = unicodedata.normalize("NFD", text)
    barred = re.sub(r"(\w)\u0304([0-9₀-₉]*(?:_\w+)?)", r"\1\2_bar", decomposed)
    return barred.translate(_ASCII).encode("ascii", "replace").decode("ascii")


class LatexPrinter(UnicodePrinter):
    """Scalar functions of arrays in LaTeX."""

    times = r" \odot "
    sum_sign = r"\sum"
    minus = "-"
    equal_signs: ClassVar = {">=": r"\ge", "<=": r"\le", "==": "=", "!=": r"\ne"}

    def number(self, value: sympy.Rational) -> Piece:
        if value.is_Integer:
            return Piece(str(int(value)), ATOM)
        decimal = shortest_decimal(value)
        if value.q > 64 and decimal:
            return Piece(decimal, ATOM)
        return Piece(rf"\tfrac{{{value.p}}}{{{value.q}}}", ATOM)

    def special(self, value: sympy.Expr) -> Piece:
        return Piece({sympy.pi: r"\pi", sympy.E: "e"}.get(value, sympy.latex(value)), ATOM)

    def power(self, base: sympy.Expr, exponent: sympy.Expr) -> Piece:
        inner = self.piece(base)
        if exponent == sympy.Rational(1, 2):
            return Piece(rf"\sqrt{{{inner.text}}}", ATOM, inner.rank)
        return Piece(f"{self.wrap(inner, ATOM)}^{{{self.piece(exponent).text}}}", POW, inner.rank)

    def function(self, expr: sympy.Expr, args: list[Piece]) -> Piece:
        rank = max(a.rank for a in args)
        kind = type(expr)
        inside = rf"\left({', '.join(a.text for a in args)}\right)"
        if kind is f.Sigmoid:
            return Piece(rf"\sigma{inside}", ATOM, rank)
        if kind is f.Absolute or kind is sympy.Abs:
            return Piece(rf"\left|{args[0].text}\right|", ATOM, rank)
        if kind is f.Step:
            return Piece(f"[{args[0].text} > 0]", ATOM, rank)
        if kind is f.Above:
            a, b = args[0].text, args[1].text
            return Piece(rf"[{a} > {b}] + \tfrac{{1}}{{2}}[{a} = {b}]", ADD, rank)
        name = _NAMES.get(kind, kind.__name__)
        command = (
            rf"\{name}"
            if name in ("exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "arctan", "max", "min")
            else rf"\operatorname{{{name}}}"
        )
        return Piece(f"{command}{inside}", ATOM, rank)

    def fraction(self, top: Piece, bottom: Piece) -> Piece:
        return Piece(rf"\frac{{{top.text}}}{{{bottom.text}}}", ATOM, max(top.rank, bottom.rank))

    def scalar_product(self, texts: list[str]) -> str:
        return r" \, ".join(texts)

    def in_front(self, front: str, text: str) -> str:
        return rf"{front} \, {text}"

    def coefficient(self, scale: sympy.Expr) -> str:
        return (ScalarPrinter._product(self, scale) if scale.is_Mul else self.piece(scale)).text


class LatexNotation(UnicodeNotation):
    """Formulas in LaTeX."""

    printer = LatexPrinter
    transposed = r"^\top"
    ones_sign = r"\mathbf{1}"
    summation = r"\sum"

    def join(self, left: str, right: str) -> str:
        return f"{left} {right}"

    def transpose(self, a: Piece) -> Piece:
        return Piece(f"{self.wrap(a, ATOM)}^{{\\top}}", POW, a.rank)

    def call(self, name: str, *args: Piece) -> Piece:
        inside = ", ".join(a.text for a in args)
        return Piece(
            rf"\operatorname{{{name}}}\left({inside}\right)", ATOM, max((a.rank for a in args), default=0)
        )
