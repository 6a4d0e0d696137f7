"""The mathematician's text as tokens."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from symgrad.errors import ParseError
from symgrad.trace.text import limits
from symgrad.trace.text.place import pointer


@dataclass(frozen=True)
class Token:
    """``kind`` is ``number``, ``name``, ``text``, ``sign`` or ``end``; ``at`` counts characters."""

    kind: str
    text: str
    at: int


_RAISED = "ᵀ⊤⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
_TOKEN = re.compile(
    rf"""\s+
    | (?P<number> (?: \d+ (?: \.(?![*/^'\\]) \d* )? | \.\d+ ) (?: [eE][+-]?\d+ )? )
    | (?P<raised> ᵀ | ⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+ | ⁻ᵀ )
    | (?P<bar> ‖ (?: _(?:1|2|F|inf|∞)(?!\w) | ₁ | ₂ )? )
    | (?P<name> [^\W\d{_RAISED}] [^\W{_RAISED}]* )
    | (?P<text> "[^"]*" )
    | (?P<sign> \.\*|\./|\.\^|\.'|==|~=|!=|<=|>=|[-+*/\\^'()\[\],<>|=:;] )
    | (?P<unicode> [−×⋅·∙⊙∘⊤′’≤≥≠√] )
    """,
    re.VERBOSE,
)
_SAME = {
    "−": "-",
    "×": "×",
    "⋅": "·",
    "∙": "·",
    "∘": "⊙",
    "⊤": "ᵀ",
    "′": "'",
    "’": "'",
    "≤": "<=",
    "≥": ">=",
    "≠": "~=",
    "!=": "~=",
    ".'": "'",
}
_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_ENDS_OPERAND = ("number", "name", "raised")


def tokens(text: str) -> list[Token]:
    """Split a text, whose line ends count as spaces.

    Raises:
        ParseError: a sign that has no meaning, a number that is too long.
    """
    limits.check_length(text)
    out: list[Token] = []
    i = 0
    while i < len(text):
        previous = out[-1] if out else None
        if text[i] == "'" and not _ends_operand(previous):
            end = text.find("'", i + 1)
            if end < 0:
                raise error(
                    text,
                    i,
                    "A ' stands where nothing can be transposed.",
                    "write x' after what it transposes",
                )
            out.append(Token("text", text[i + 1 : end], i))
            i = end + 1
            continue
        match = _TOKEN.match(text, i)
        if match is None:
            raise error(text, i, f"The sign {text[i]!r} has no meaning here.", _hint(text[i]))
        kind, found = match.lastgroup, match.group()
        if kind == "number":
            limits.check_digits(found)
            out.append(Token("number", found, i))
        elif kind == "raised":
            out.append(Token("raised", found.translate(_DIGITS), i))
        elif kind == "name":
            out.append(Token("name", unicodedata.normalize("NFKC", found), i))
        elif kind == "text":
            out.append(Token("text", found[1:-1], i))
        elif kind == "bar":
            out.append(Token("bar", found[1:].lstrip("_").translate(str.maketrans("₁₂", "12")), i))
        elif kind is not None:
            sign = _SAME.get(found, found)
            out.append(Token("raised" if sign == "ᵀ" else "sign", "T" if sign == "ᵀ" else sign, i))
        i = match.end()
    out = [Token(t.kind, "T", t.at) if t.text == "ᵀ" else t for t in out]
    return [*out, Token("end", "", len(text.rstrip()))]


def _ends_operand(token: Token | None) -> bool:
    if token is None:
        return False
    return token.kind in _ENDS_OPERAND or token.kind == "bar" or token.text in (")", "'", "|", "]")


def _hint(sign: str) -> str | None:
    return {
        "@": "write * for the matrix product; the syntax numpy has @",
        "{": "write round brackets",
        "}": "write round brackets",
        "∑": "write sum(...)",
        "Σ": "write sum(...)",
        "$": "leave the $ away",
        "&": "multiply conditions: (a > 0).*(b > 0)",
    }.get(sign)


def error(
    text: str, column: int, what: str, fix: str | None = None, expected: str | None = None
) -> ParseError:
    """A ParseError that points at a column."""
    return ParseError(what, where=pointer(text.replace("\n", " "), 0, column), fix=fix, expected=expected)
