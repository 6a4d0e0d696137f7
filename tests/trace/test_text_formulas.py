"""Text in NumPy syntax is parsed, never evaluated: what is read and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import ParseError, ShapeError, SpecError, SymgradError, TraceError, UnsupportedError

SHAPES = {"x": "n d", "w": "d 1", "y": "n 1"}


def derive(text, shapes=None):
    return sg.derive(text, {"w": "n"} if shapes is None else shapes, wrt="w")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("True*w.sum()", 3.0),
        ("w.sum() # a comment", 3.0),
        ("  w.sum()\n", 3.0),
        ("(w\n  ).sum()", 3.0),
        ("pi*w.sum() + np.pi*w.sum()", 6 * np.pi),
        ("e*w.sum()", 3 * np.e),
        ("exp(w).sum()", np.exp(1) + np.exp(2)),
        ("numpy.exp(w).sum()", np.exp(1) + np.exp(2)),
        ("sg.sigmoid(w).sum()", 1 / (1 + np.exp(-1)) + 1 / (1 + np.exp(-2))),
        ("w.shape[0]*w.sum()/w.size", 3.0),
        ("w.shape[-1]*w.sum()", 6.0),
        ("-w.sum()**2", -9.0),
        ("+w.sum()**-1", 1 / 3),
        ("2**-w.sum()", 0.125),
        ("w @ w/2", 2.5),
        ("w.dot(w)", 5.0),
        ("np.dot(w, w) + np.inner(w, w)", 10.0),
        ("((w > 1)*w).sum() + ((w <= 1)*w).sum() + ((w == 2)*w).sum() + ((w != 2)*w).sum()", 6.0),
        ("w[:, None].sum() + w[None].sum()", 6.0),
        ("w.reshape(-1, 1).sum() + w.reshape((w.shape[0], 1)).sum()", 6.0),
        ("np.where(w > 1, w, 0).sum()", 2.0),
        ("np.clip(w, 0, None).sum() + np.clip(w, a_min=0, a_max=1.5).sum()", 5.5),
        ("np.sum(a=w) + np.sum(w, axis=0, keepdims=True).sum()", 6.0),
        ("1e-3*w.sum() + .5*w.sum()", 1.503),
        ("0.1**4000*w.sum()", 0.0),
        ("w[0] + w[-1] + w[1:].sum() + w[:1, None].sum() + w[..., 0] + w[::-1][0] + w[:n - 1].sum()", 10.0),
        ("w[[1, 1, 0]].sum() + w[w > 1].sum()", 7.0),
        ("w[1 - 1] + w[w.shape[0] - 1]", 3.0),
        ("np.size(w)*np.shape(w)[0]*np.ndim(w)*len(w)*w.ndim*w.sum()/n", 12.0),
        ("w.max() + w.min() + w.prod() + w.cumsum()[-1] + w.std()**2 + w.var() + w.ravel()[0]", 9.5),
        ("np.linalg.norm(w)**2 + norm(w)**2 + linalg.norm(w, ord=2)**2 + np.linalg.norm(w, np.inf)", 17.0),
        ("scipy.special.logsumexp(w) - logsumexp(w) + softmax(w).sum()", 1.0),
        ("np.linalg.det(np.eye(n) + np.outer(w, w)) + np.linalg.inv(2*np.eye(n)).trace()", 7.0),
        ("np.einsum('i,i->', w, w) + np.stack([w, w]).sum() + np.concatenate((w, w))[-1]", 13.0),
        ("np.full(n, 3) @ w + np.zeros(n) @ w + np.ones((n,)) @ w + np.arange(n) @ w", 14.0),
        ("max(w) + min(w) + abs(w).sum() + sum(w)", 9.0),
        ("np.array([w.sum(), 2*w[0]]).sum()", 5.0),
        ("10**39*w.sum()", 3e39),
    ],
)
def test_what_is_read(text, value):
    assert derive(text)(w=np.array([1.0, 2.0]))[0] == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("x @", ParseError, "The formula cannot be read: invalid syntax."),
        ("(x @ w).sum(", ParseError, "'(' was never closed"),
        ("", ParseError, "cannot be read"),
        ("   ", ParseError, "cannot be read"),
        ("x = 1", ParseError, "cannot be read"),
        ("w.sum(); 1", ParseError, "cannot be read"),
        ("import os", ParseError, "cannot be read"),
        ("w.sum()\x00", ParseError, "null bytes"),
        ("2w", ParseError, "invalid decimal literal"),
        ("x'", ParseError, "cannot be read"),
        ("x\n@w", ParseError, "cannot be read"),
        ("'abc'", ParseError, "Only real numbers"),
        ("b'x'*w", ParseError, "Only real numbers"),
        ("1j*w.sum()", ParseError, "Only real numbers"),
        ("f'{x}'", ParseError, "JoinedStr has no place in a formula"),
        ("[i for i in x]", ParseError, "ListComp has no place"),
        ("{1: 2}", ParseError, "Dict has no place"),
        ("(lambda: 1)()", ParseError, "Lambda has no place"),
        ("x if w else y", ParseError, "IfExp has no place"),
        ("w and x", ParseError, "BoolOp has no place"),
        ("not w", ParseError, "UnaryOp has no place"),
        ("w.sum() and x.sum()", ParseError, "multiply conditions, (a > 0)*(b > 0)"),
        ("w if w.sum() > 0 else 2*w", ParseError, "write np.where(condition, a, b)"),
        ("x['a'].sum()", TraceError, "This cannot index an array"),
        ("x[1.5].sum()", TraceError, "This cannot index an array"),
        ("x.shape[7]*w.sum()", ParseError, "A shape is indexed by one of its axes"),
        ("x.shape[1:2]*w.sum()", ParseError, "A shape is indexed by one of its axes"),
        ("x(1)", UnsupportedError, "The function x is not known"),
        ("x.max", UnsupportedError, "write .max()"),
        ("w.fill(0)", UnsupportedError, ".fill() is not known"),
        ("np.sum('abc')*w.sum()", TraceError, "no number"),
        ("~w", ParseError, "UnaryOp has no place"),
        ("w < w < w", ParseError, "Compare has no place"),
        ("(q := w)", ParseError, "NamedExpr has no place"),
        ("w.sum()//2", ParseError, "The operator FloorDiv is not known"),
        ("w.sum() % 2", ParseError, "The operator Mod is not known"),
        ("w ^ 2", ParseError, "write ** for a power"),
        ("w.sum(*x)", ParseError, "* and ** arguments"),
        ("w.sum(**x)", ParseError, "* and ** arguments"),
        (
            "x.sum(1, None, None, False, 5, 6, 7, 8)",
            UnsupportedError,
            "np.sum is not traced with these options",
        ),
        ("1" + "0" * 50 + "*w.sum()", ParseError, "The number is too long"),
        ("x.__class__", UnsupportedError, "The attribute .__class__ is not known"),
        ("x.T.__class__.__mro__", UnsupportedError, "is not known"),
        ("x.builder", UnsupportedError, "The attribute .builder is not known"),
        ("__import__('os').system('true')", UnsupportedError, "The function __import__ is not known"),
        ("__import__(w)", UnsupportedError, "The function __import__ is not known"),
        ("eval(w)", UnsupportedError, "The function eval is not known"),
        ("open(w)", UnsupportedError, "The function open is not known"),
        ("np.load(w)", UnsupportedError, "The function np.load is not known"),
        ("np.random.rand(3) @ w", UnsupportedError, "pass random numbers in as arguments"),
        ("np.linalg.nrm(x)", UnsupportedError, "norm?"),
        ("np.fft.fft(x)", UnsupportedError, "The function np.fft.fft is not known"),
        ("np.linalg.sum(x)", UnsupportedError, "The function np.linalg.sum is not known"),
        ("np.infinity*w.sum()", UnsupportedError, "np.infinity is not known"),
        ("w.tofile(x)", UnsupportedError, ".tofile() is not known"),
        ("foo(x).sum()", UnsupportedError, "The function foo is not known"),
        ("np.sum(x, bad=1)", UnsupportedError, "np.sum is not traced with these options"),
        ("w.sum()**5000", UnsupportedError, "The exponent is too large"),
        ("x.sum(axis=5)", ShapeError, "There is no such axis"),
        ("x.sum(axis=w)", ShapeError, "There is no such axis"),
        ("x.sum(axis=True)", ShapeError, "There is no such axis"),
        ("x @ y", ShapeError, "The inner dimensions of matmul differ: d and n"),
        ("(x @ w - x).sum() + (x - x.T).sum()", ShapeError, "do not broadcast"),
        ("x @ w", ShapeError, "The loss is not a scalar"),
        ("w.reshape(10**10).sum()", ShapeError, "reshape has to keep the number of entries"),
        ("w.reshape(w.sum()).sum()", TraceError, "A size cannot depend on the data"),
        ("(x @ w - q).sum()", SpecError, "Nothing says what 'q' is"),
        ("np.tanh(w, w).sum()", SpecError, "tanh takes 1 argument"),
        ("1/0*w.sum()", TraceError, "The formula divides by 0"),
        ("w.sum()*0**-1.0", TraceError, "A constant of the formula is not finite"),
        ("np.log(0)*w.sum()", TraceError, "A constant of the formula is not finite"),
        ("np.sqrt(-1)*w.sum()", TraceError, "A constant of the formula is no real number"),
        ("1e400*w.sum()", TraceError, "no finite real number"),
        ("None", TraceError, "no number"),
    ],
)
def test_what_is_refused(text, error, words):
    with pytest.raises(error) as caught:
        derive(text, SHAPES)
    assert words in str(caught.value)


def test_the_message_points_at_the_place():
    with pytest.raises(SpecError) as caught:
        derive("(x @ w - q).sum()", SHAPES)
    assert caught.value.where == "(x @ w - q).sum()\n                     ^"
    assert caught.value.expected == "one of x, w, y"
    with pytest.raises(SpecError) as caught:
        sg.derive("(λ*λ*w\n + λ*q).sum()", {"w": "n", "λ": ""}, wrt="w")
    assert caught.value.where == " + λ*q).sum()\n                 ^"


def test_nothing_is_evaluated(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in (
        "open('made', 'w').write('x')",
        "__import__('pathlib').Path('made').touch()",
        "exec(\"open('made')\")",
    ):
        with pytest.raises(SymgradError):
            derive(text)
    assert not list(tmp_path.iterdir())


def test_another_syntax_is_refused():
    with pytest.raises(SpecError, match="There is no such syntax"):
        sg.derive("w.sum()", {"w": "n"}, wrt="w", syntax="julia")
