"""Numbers in formulas: floats as the decimals that were written, fractions as fractions, in every style."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import sympy

import symgrad as sg
from symgrad.ops.record import ARG, Piece
from symgrad.ops.scalars.printer import ATOM, exact
from symgrad.render.printers import AsciiPrinter, LatexPrinter, UnicodePrinter

N, X = sympy.Symbol("n", positive=True, integer=True), ARG(0)


def floating(value):
    return exact(sympy.Float(value))


ROWS = [
    (floating(0.1) / N, "0.1/n", r"\frac{0.1}{n}"),
    (floating(0.1) / N * X, "(0.1/n) x", r"\frac{0.1}{n} \, x"),
    (floating(0.1) * X / 3, "(0.1/3) x", r"\tfrac{0.1}{3} \, x"),
    (floating(0.9) * X, "0.9 x", r"0.9 \, x"),
    (X / floating(0.07), "(1/0.07) x", r"\tfrac{1}{0.07} \, x"),
    (2 * X / (floating(0.07) * N), "1/(0.035n) x", r"\frac{1}{0.035 \, n} \, x"),
    (X * floating(0.0051) / N**2, "(0.0051/n²) x", r"\frac{0.0051}{n^{2}} \, x"),
    (X * floating(0.1) / floating(0.07), "1.42857142857143 x", r"1.42857142857143 \, x"),
    (X / floating(2**0.5) ** 2, "½x", r"\tfrac{1}{2} \, x"),
    ((floating(0.7) + floating(0.3)) * X, "x", "x"),
    (X / 3, "⅓x", r"\tfrac{1}{3} \, x"),
    (X / (3 * N), "1/(3n) x", r"\frac{1}{3 \, n} \, x"),
    (X * sympy.Rational(355, 113), "(355/113) x", r"\tfrac{355}{113} \, x"),
    (X / 1000003, "(1/1000003) x", r"\tfrac{1}{1000003} \, x"),
    (X * floating(0.5) / N, "1/(2n) x", r"\frac{1}{2 \, n} \, x"),
]


def symbols(shape):
    return {X: Piece("x", ATOM, len(shape), shape=shape), N: Piece("n", ATOM, 0, is_size=True)}


@pytest.mark.parametrize(("fn", "text", "latex"), ROWS, ids=[row[1] for row in ROWS])
def test_numbers_as_they_were_written(fn, text, latex):
    assert UnicodePrinter(symbols((N,))).text(fn) == text
    assert LatexPrinter(symbols((N,))).text(fn) == latex
    assert AsciiPrinter(symbols((N,))).text(fn) == text.replace("⅓", "(1/3) ").replace("½", "(1/2) ").replace(
        "²", "^2"
    )


def test_numbers_of_a_loss_and_of_its_steps():
    def smoothed(Z, y):
        n, k = Z.shape
        E = np.exp(Z - Z.max(axis=1, keepdims=True))
        p = E / E.sum(axis=1, keepdims=True)
        T = 0.9 * np.eye(k)[y] + 0.1 / k
        return -np.sum(T * np.log(p)) / n

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sg.errors.SymgradWarning)
        d = sg.derive(smoothed, {"Z": "n k", "y": "n"}, ["Z"], domains={"y": "labels k"})
    for lines in (d.document.lines(), d.document.lines("latex"), d.document.lines("ascii"), d.steps):
        text = "\n".join(map(str, lines))
        assert "0.1" in text
        assert "36028797" not in text
