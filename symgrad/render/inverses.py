"""The signs of inverses and powers of matrices: A⁻¹, A⁻ᵀ for the inverse of a transpose, A³, I."""

from __future__ import annotations

from symgrad.ops.record import Piece
from symgrad.ops.scalars.printer import ATOM, POW

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class InverseSigns:
    """Part of a notation; ``transposed`` is the notation's own sign."""

    transposed = "ᵀ"
    inverted = "⁻¹"
    inverted_transposed = "⁻ᵀ"

    def inverse(self, a: Piece) -> Piece:
        """A⁻¹, A⁻ᵀ for Aᵀ."""
        if a.strength == POW and a.text.endswith(self.inverted):
            return Piece(a.text.removesuffix(self.inverted), ATOM, a.rank)
        if a.strength == POW and a.text.endswith(self.transposed):
            return Piece(a.text.removesuffix(self.transposed) + self.inverted_transposed, POW, a.rank)
        return Piece(self._atom(a) + self.inverted, POW, a.rank)

    def transposed_inverse(self, a: Piece) -> Piece | None:
        """A⁻ᵀ for A⁻¹ and the other way round; None where ``a`` is no inverse."""
        for old, new in (
            (self.inverted, self.inverted_transposed),
            (self.inverted_transposed, self.inverted),
        ):
            if a.strength == POW and a.rank == 2 and a.text.endswith(old):
                return Piece(a.text.removesuffix(old) + new, POW, a.rank)
        return None

    def matrix_power(self, a: Piece, p: int) -> Piece:
        return Piece(self._atom(a) + self.exponent(p), POW, a.rank)

    def exponent(self, p: int) -> str:
        return str(p).translate(_SUPERSCRIPTS)

    def identity(self) -> Piece:
        return Piece("I", ATOM, 2)

    def _atom(self, a: Piece) -> str:
        return a.text if a.strength >= ATOM else f"({a.text})"


class AsciiInverseSigns(InverseSigns):
    """A^-1, A^-T."""

    inverted = "^-1"
    inverted_transposed = "^-T"

    def exponent(self, p: int) -> str:
        return f"^{p}"


class LatexInverseSigns(InverseSigns):
    r"""A^{-1}, A^{-\top}."""

    inverted = "^{-1}"
    inverted_transposed = r"^{-\top}"

    def exponent(self, p: int) -> str:
        return f"^{{{p}}}"

    def _atom(self, a: Piece) -> str:
        return a.text if a.strength >= ATOM else rf"\left({a.text}\right)"
