"""A Pratt parser for the mathematician's text.

Precedence is MATLAB's, from loose to tight: comparisons; ``+ -``; ``* / \\ .* ./``; signs; ``^ .^ '``.  Signs are
looser than powers, −x^2 is −(x^2); an exponent may have a sign of its own, A^-1.  A power of a power, a^b^c,
means (a^b)^c to MATLAB and a^(b^c) to mathematicians, so that it needs brackets here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from symgrad.trace.text import limits
from symgrad.trace.text.math_tokens import Token, error, tokens


@dataclass(frozen=True)
class Number:
    value: int | float
    at: int


@dataclass(frozen=True)
class Name:
    name: str
    at: int


@dataclass(frozen=True)
class Text:
    """The value of an option, such as 'fro'."""

    text: str
    at: int


@dataclass(frozen=True)
class Unary:
    """``-`` or ``'``."""

    sign: str
    operand: Tree
    at: int


@dataclass(frozen=True)
class Binary:
    sign: str
    left: Tree
    right: Tree
    at: int


@dataclass(frozen=True)
class Call:
    """A function by name; ``|x|`` is a call of ``|``, ``‖x‖`` one of ``norm``."""

    name: str
    args: tuple[Tree, ...]
    at: int


Tree: TypeAlias = "Number | Name | Text | Unary | Binary | Call"

_STRENGTH = {
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "~="), 10),
    **dict.fromkeys("+-", 20),
    **dict.fromkeys(("*", "/", "\\", ".*", "./", "⊙", "·"), 30),
    **dict.fromkeys(("^", ".^"), 50),
}
_SIGN = 40


def parse(text: str) -> Tree:
    """The text as a tree.

    Raises:
        ParseError: it is no formula; the message points at the place.
    """
    parser = _Parser(text)
    tree = parser.expression(0, 0)
    if parser.now.kind != "end":
        raise parser.unexpected()
    return tree


def names_in(text: str) -> list[str]:
    """The names in a text that are not called, in order of appearance."""
    found = tokens(text)
    return list(
        dict.fromkeys(t.text for t, after in pairwise(found) if t.kind == "name" and after.text != "(")
    )


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.next = 0

    @property
    def now(self) -> Token:
        return self.tokens[self.next]

    def take(self) -> Token:
        token = self.now
        self.next += 1
        return token

    def is_sign(self, sign: str) -> bool:
        return self.now.kind == "sign" and self.now.text == sign

    def close(self, sign: str, opened: Token) -> None:
        if not self.is_sign(sign):
            if self.now.kind == "end":
                raise error(self.text, opened.at, f"The {opened.text} is never closed.")
            raise self.unexpected()
        self.take()

    def unexpected(self) -> Exception:
        t = self.now
        before = self.tokens[self.next - 1] if self.next else None
        if t.kind == "end":
            return error(
                self.text, t.at, "The formula ends too early." if before else "The formula is empty."
            )
        starts = t.kind in ("number", "name") or t.text == "("
        if (
            before is not None
            and starts
            and (before.kind in ("number", "name", "raised", "bar") or before.text in (")", "'"))
        ):
            if before.kind == "name" and t.text == "(":
                return error(self.text, before.at, f"{before.text} is not called.", "write * for a product")
            return error(
                self.text,
                t.at,
                "There is no operator between two parts.",
                "write * for a product, also in 2*x",
            )
        hints = {
            "=": "write the expression alone, or == to compare",
            "[": "give matrices as arguments; build them with ones(n), eye(n), diag(x)",
            ":": "entries and parts of arrays are written in the syntax numpy",
            "×": "write * for the product",
            "ᵀ": "write x'",
        }
        return error(self.text, t.at, f"{t.text!r} has no place here.", hints.get(t.text))

    def expression(self, strength: int, depth: int) -> Tree:
        left = self.operand(depth)
        while True:
            t = self.now
            if t.kind == "raised":
                left = self.raised(left, self.take())
                continue
            if self.is_sign("'"):
                left = Unary("'", left, self.take().at)
                continue
            mine = _STRENGTH.get(t.text, -1) if t.kind == "sign" else -1
            if mine <= strength:
                return left
            self.take()
            if mine == _STRENGTH["^"]:
                left = self.power(left, t, depth)
            else:
                left = Binary(t.text, left, self.expression(mine, depth + 1), t.at)

    def raised(self, base: Tree, t: Token) -> Tree:
        """x², A⁻¹, Aᵀ and A⁻ᵀ."""
        if t.text == "T":
            return Unary("'", base, t.at)
        if t.text == "-ᵀ":
            return Unary("'", Binary("^", base, Unary("-", Number(1, t.at), t.at), t.at), t.at)
        exponent: Tree = Number(abs(int(t.text[: limits.MAX_DIGITS])), t.at)
        if t.text.startswith("-"):
            exponent = Unary("-", exponent, t.at)
        return self.single_power(Binary("^", base, exponent, t.at))

    def power(self, base: Tree, t: Token, depth: int) -> Tree:
        if t.text == "^" and self.now.kind == "name" and self.now.text == "T" and not self.calls_next():
            return Unary("^T", base, self.take().at)
        negative = False
        while self.is_sign("-") or self.is_sign("+"):
            negative ^= self.take().text == "-"
        exponent = self.operand(depth + 1)
        if negative and isinstance(exponent, Name) and exponent.name == "T":
            inverse = Binary("^", base, Unary("-", Number(1, t.at), t.at), t.at)
            return Unary("^T", inverse, exponent.at)
        if negative:
            exponent = Unary("-", exponent, t.at)
        return self.single_power(Binary(t.text, base, exponent, t.at))

    def single_power(self, tree: Binary) -> Tree:
        if (self.now.kind == "sign" and self.now.text in ("^", ".^")) or (
            self.now.kind == "raised" and self.now.text != "T"
        ):
            raise error(
                self.text,
                self.now.at,
                "A power of a power needs brackets.",
                "write (a^b)^c or a^(b^c)",
            )
        return tree

    def calls_next(self) -> bool:
        return self.tokens[self.next + 1].text == "("

    def operand(self, depth: int) -> Tree:
        if depth > limits.MAX_DEPTH:
            raise limits.too_deep(depth)
        t = self.now
        if t.kind == "number":
            self.take()
            return Number(int(t.text) if t.text.isdecimal() else float(t.text), t.at)
        if t.kind == "text":
            self.take()
            return Text(t.text, t.at)
        if t.kind == "name":
            self.take()
            return Call(t.text, self.arguments(depth), t.at) if self.is_sign("(") else Name(t.text, t.at)
        if t.kind == "bar":
            return self.norm(depth)
        if t.kind != "sign" or t.text not in ("-", "+", "(", "|", "√"):
            raise self.unexpected()
        self.take()
        if t.text == "(":
            inner = self.expression(0, depth + 1)
            self.close(")", t)
            return inner
        if t.text == "|":
            inner = self.expression(0, depth + 1)
            self.close("|", t)
            return Call("|", (inner,), t.at)
        if t.text == "√":
            return Call("sqrt", (self.operand(depth + 1),), t.at)
        inner = self.expression(_SIGN, depth + 1)
        return inner if t.text == "+" else Unary("-", inner, t.at)

    def norm(self, depth: int) -> Tree:
        """‖x‖, ‖x‖₁, ‖A‖_F."""
        opened = self.take()
        inner = self.expression(0, depth + 1)
        closed = self.now
        if opened.text or closed.kind != "bar":
            raise error(self.text, opened.at, "The ‖ is never closed.")
        self.take()
        order: Tree | None = None
        if closed.text in ("1", "2"):
            order = Number(int(closed.text), closed.at)
        elif closed.text:
            order = Text("fro" if closed.text == "F" else "inf", closed.at)
        return Call("norm", (inner,) if order is None else (inner, order), opened.at)

    def arguments(self, depth: int) -> tuple[Tree, ...]:
        opened = self.take()
        args: list[Tree] = []
        if not self.is_sign(")"):
            args.append(self.expression(0, depth + 1))
            while self.is_sign(","):
                self.take()
                args.append(self.expression(0, depth + 1))
        self.close(")", opened)
        return tuple(args)
