"""Printing an update rule as a paper prints it.

    m ← β₁m + (1 − β₁)g
    w ← w − a·m/(√v/b + ε)

SymPy orders sums and products by its own canon; here a sum starts with what is updated, subtracts last, and a
product goes from numbers over hyperparameters to arrays.  The order is for the eye alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy

from symgrad.errors import SpecError, UnsupportedError

if TYPE_CHECKING:
    from symgrad.updates.rule import UpdateRule

_GREEK = {
    "lr": ("η", r"\eta"),
    "momentum": ("μ", r"\mu"),
    "dampening": ("τ", r"\tau"),
    "weight_decay": ("λ", r"\lambda"),
    "beta1": ("β₁", r"\beta_1"),
    "beta2": ("β₂", r"\beta_2"),
    "eps": ("ε", r"\varepsilon"),
    "alpha": ("α", r"\alpha"),
    "rho": ("ρ", r"\rho"),
    "lr_decay": ("ζ", r"\zeta"),
    "delta": ("Δ", r"\Delta"),
    "vmax": ("vₘₐₓ", r"v_{\max}"),
}
_SUPERSCRIPTS = str.maketrans("0123456789t", "⁰¹²³⁴⁵⁶⁷⁸⁹ᵗ")


@dataclass(frozen=True)
class Style:
    """How the parts of a formula are put together."""

    names: Mapping[str, str]
    arrow: str
    minus: str
    times: str

    def name(self, name: str) -> str:
        return self.names.get(name, name)

    def product(self, factors: list[str]) -> str:
        text = ""
        for factor in factors:
            letters = (
                text[-1:].isascii() and text[-1:].isalnum() and factor[:1].isascii() and factor[:1].isalpha()
            )
            text += (self.times if letters else "") + factor
        return text

    def fraction(self, above: str, below: str, atom: bool) -> str:
        return f"{above}/{below}" if atom else f"{above}/({below})"

    def power(self, base: str, exponent: str) -> str:
        return base + exponent.translate(_SUPERSCRIPTS)

    def root(self, inner: str, atom: bool) -> str:
        return f"√{inner}" if atom else f"√({inner})"

    def largest(self, items: list[str]) -> str:
        return f"max({', '.join(items)})"

    def group(self, text: str) -> str:
        return f"({text})"


class Ascii(Style):
    def product(self, factors: list[str]) -> str:
        return self.times.join(factors)

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{exponent}"

    def root(self, inner: str, atom: bool) -> str:
        return f"sqrt({inner})"


class Latex(Style):
    def product(self, factors: list[str]) -> str:
        return self.times.join(factors)

    def fraction(self, above: str, below: str, atom: bool) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"

    def root(self, inner: str, atom: bool) -> str:
        return rf"\sqrt{{{inner}}}"

    def largest(self, items: list[str]) -> str:
        return rf"\max({', '.join(items)})"


STYLES = {
    "unicode": Style({name: text for name, (text, _) in _GREEK.items()}, "←", "−", "·"),
    "ascii": Ascii({}, "<-", "-", "*"),
    "latex": Latex({name: text for name, (_, text) in _GREEK.items()}, r"&\leftarrow", "-", " "),
}


def rule_text(rule: UpdateRule, style: str) -> str:
    """The assignments of a rule, one a line, and the values of its hyperparameters.

    Args:
        rule: the rule.
        style: "unicode", "ascii" or "latex".

    Raises:
        SpecError: an unknown style.
    """
    if style not in STYLES:
        raise SpecError(
            "a formula has no such style", where="formula, style", expected=", ".join(STYLES), got=repr(style)
        )
    printer = Printer(STYLES[style], rule)
    lines = [
        f"{printer.style.name(s.target)} {printer.style.arrow} {printer.sum(s.value)}" for s in rule.steps
    ]
    if style == "latex":
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"
    names = [(name, printer.style.name(name), value) for name, value in rule.hyper]
    values = [
        f"{sign} = {value!r}" if sign == name else f"{sign} = {name} = {value!r}"
        for name, sign, value in names
    ]
    starts = [f"{printer.style.name(name)} = {value!r} at first" for name, value in rule.initial]
    return "\n".join([*lines, "with " + ", ".join(values + starts)])


class Printer:
    """Prints the expressions of one rule in one style."""

    def __init__(self, style: Style, rule: UpdateRule) -> None:
        self.style = style
        arrays = [*rule.state, *(t for t in rule.temporaries if t not in rule.scalar_targets)]
        # in a sum: state first, then the gradient and temporaries, then the parameter
        self.ranks = {name: (0 if name in rule.state else 1) for name in arrays} | {"g": 1, "w": 2}

    def sum(self, expr: sympy.Expr) -> str:
        if not expr.is_Add:
            return self.term(expr)
        text = ""
        for term in sorted(expr.args, key=self._place_in_sum):
            negative = term.could_extract_minus_sign()
            body = self.term(-term if negative else term)
            if text:
                text += f" {self.style.minus if negative else '+'} {body}"
            else:
                text = f"{self.style.minus}{body}" if negative else body
        return text

    def _place_in_sum(self, term: sympy.Expr) -> tuple[bool, bool, int, int, str]:
        ranks = [self.ranks[s.name] for s in term.free_symbols if s.name in self.ranks]
        factors = len(sympy.Mul.make_args(term))
        return term.could_extract_minus_sign(), not ranks, min(ranks, default=0), factors, str(term)

    def term(self, expr: sympy.Expr) -> str:
        above, below = [], []
        for factor in sympy.Mul.make_args(expr):
            base, exponent = factor.as_base_exp()
            if exponent.is_Rational and exponent < 0:
                below.append(base ** (-exponent))
            else:
                above.append(factor)
        top = self._product(above) if above else "1"
        if not below:
            return top
        if len(below) > 1:
            return self.style.fraction(top, self._product(below), False)
        return self.style.fraction(top, self.sum(below[0]), not below[0].is_Add)

    def _product(self, factors: list[sympy.Expr]) -> str:
        ordered = sorted(factors, key=self._place_in_product)
        return self.style.product([self.factor(factor) for factor in ordered])

    def _place_in_product(self, factor: sympy.Expr) -> tuple[int, bool, int, str]:
        ranks = [self.ranks[s.name] for s in factor.free_symbols if s.name in self.ranks]
        kind = (
            0 if factor.is_Number else 1 if not ranks else 3 if factor.as_base_exp()[1] == sympy.S.Half else 2
        )
        return kind, factor.is_Add, max(ranks, default=0), str(factor)

    def factor(self, expr: sympy.Expr) -> str:
        if expr.is_Symbol:
            return self.style.name(expr.name)
        if expr.is_Integer:
            return str(expr)
        if expr.is_Add:
            return self.style.group(self.sum(expr))
        if isinstance(expr, sympy.Max):
            return self.style.largest(
                [self.sum(arg) for arg in sorted(expr.args, key=lambda a: -len(str(a)))]
            )
        if expr.is_Pow:
            base, exponent = expr.as_base_exp()
            if exponent == sympy.S.Half:
                return self.style.root(self.sum(base), base.is_Symbol)
            return self.style.power(self.factor(base), self.factor(exponent))
        raise UnsupportedError("an update rule cannot contain this", where="formula", got=str(expr))
