"""The mathematician's syntax: what it means, what it refuses, and that it agrees with NumPy's spelling."""

from __future__ import annotations

import re

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import symgrad as sg
from symgrad.cli.main import group
from symgrad.errors import ParseError, ShapeError, SpecError, SymgradError, UnsupportedError
from symgrad.trace.text import names_in
from symgrad.trace.text.math_parser import Binary, Call, Name, Number, Unary, parse

SHAPES = {
    "X": "n d",
    "Y": "n d",
    "A": "d d",
    "B": "d d",
    "w": "d",
    "u": "d",
    "y": "n",
    "c": "d 1",
    "s": "",
    "t": "",
    "λ": "",
}
SIZES = {"n": 4, "d": 3}


def used(text, syntax):
    return {n: SHAPES[n] for n in names_in(text, syntax) if n in SHAPES}


def data(shapes, sizes=SIZES, seed=0):
    rng = np.random.default_rng(seed)
    out = {}
    for name, shape in shapes.items():
        dims = tuple(sizes.get(d, d) for d in shape.split())
        out[name] = rng.uniform(0.5, 1.5, [int(d) for d in dims])
        if name in ("A", "B"):
            out[name] = out[name] + 2 * np.eye(len(out[name]))
    return out


def derive(text, syntax="math"):
    shapes = used(text, syntax)
    return sg.derive(text, shapes, wrt=list(shapes), syntax=syntax)


PAIRS = [
    ("1/2*norm(X*w - y)^2", "1/2*np.linalg.norm(X @ w - y)**2"),
    ("1/2*‖X*w − y‖²", "1/2*np.linalg.norm(X @ w - y)**2"),
    ("1/2*(X*w - y)'*(X*w - y)", "1/2*((X @ w - y) @ (X @ w - y))"),
    ("norm(X*w - y)^2/(2*n) + λ/2*w'*w", "np.linalg.norm(X @ w - y)**2/(2*n) + λ/2*w @ w"),
    ("sum(log(1 + exp(-y.*(X*w))))", "np.log(1 + np.exp(-y*(X @ w))).sum()"),
    ("w'*A*w", "w @ A @ w"),
    ("w'*(A + s*I)*w", "w @ (A + s*np.eye(d)) @ w"),
    ("w'*(A + s*eye(d))*w", "w @ (A + s*np.eye(d)) @ w"),
    ("w'*(I*A*I)*w", "w @ A @ w"),
    ("w'*A'*u", "w @ A.T @ u"),
    ("w'*A^T*u", "w @ A.T @ u"),
    ("wᵀ*Aᵀ*u", "w @ A.T @ u"),
    ("w'*A^-1*u", "w @ np.linalg.inv(A) @ u"),
    ("w'*A⁻¹*u", "w @ np.linalg.inv(A) @ u"),
    ("w'*inv(A)*u", "w @ np.linalg.inv(A) @ u"),
    ("w'*A^-T*u", "w @ np.linalg.inv(A).T @ u"),
    ("w'*A⁻ᵀ*u", "w @ np.linalg.inv(A).T @ u"),
    ("w'*(A\\u)", "w @ np.linalg.solve(A, u)"),
    ("w'*A^2*u", "w @ np.linalg.matrix_power(A, 2) @ u"),
    ("w'*A^-2*u", "w @ np.linalg.matrix_power(A, -2) @ u"),
    ("tr(X*A*X')", "np.trace(X @ A @ X.T)"),
    ("trace(A) + Tr(B)", "np.trace(A) + np.trace(B)"),
    ("log(det(A))", "np.log(np.linalg.det(A))"),
    ("logdet(A*A')", "np.linalg.slogdet(A @ A.T)[1]"),
    ("norm(A, 'fro') + norm(A, \"fro\") + ‖A‖_F", "3*np.linalg.norm(A)"),
    ("norm1(w) + norm(w, 1) + ‖w‖₁ + ‖w‖_1", "4*np.abs(w).sum()"),
    ("norm2(w) + norm(w, 2) + ‖w‖₂", "3*np.linalg.norm(w)"),
    ("norm(w, inf) + norm(w, Inf)", "2*np.abs(w).max()"),
    ("sum(X*w)", "(X @ w).sum()"),
    ("sum(sum(X.*Y))", "(X*Y).sum()"),
    ("sum(X ⊙ Y, 'all')", "(X*Y).sum()"),
    ("sum(X, 1)*w", "X.sum(axis=0) @ w"),
    ("y'*sum(X, 2)", "y @ X.sum(axis=1)"),
    ("mean(y) + max(w) + min(u) + prod(w)", "y.mean() + w.max() + u.min() + w.prod()"),
    ("sum(max(w, u)) + sum(min(w, 1))", "np.maximum(w, u).sum() + np.minimum(w, 1).sum()"),
    ("sum(w.^2 ./ u.^s)", "(w**2/u**s).sum()"),
    ("vector(1)'*X*w", "np.ones(n) @ X @ w"),
    ("ones(n)'*X*vector(2)", "np.ones(n) @ X @ (2*np.ones(d))"),
    ("sum(X + ones(n)*w', 'all')", "(X + w).sum()"),
    ("tr(w*u'*A)", "np.trace(np.outer(w, u) @ A)"),
    ("w·u + s·t", "w @ u + s*t"),
    ("w'*diag(u)*w + sum(diag(A))", "w @ np.diag(u) @ w + np.diag(A).sum()"),
    ("|s - 2*t|", "abs(s - 2*t)"),
    ("s^t + s^-2 - -s^2 + 2^-s", "s**t + s**-2 - -s**2 + 2**-s"),
    ("-s^2", "-s**2"),
    ("s/t/2*3", "s/t/2*3"),
    ("1.*s + 1.5e-1*t + .5*s", "1.0*s + 1.5e-1*t + .5*s"),
    ("sum(σ(w)) + sum(sigma(w)) + sum(tanh(w)) + sum(relu(u))", "(2*sg.sigmoid(w) + np.tanh(w) + sg.relu(u)).sum()"),
    ("pi*s + e*t", "np.pi*s + np.e*t"),
    ("√s + sqrt(t)", "np.sqrt(s) + np.sqrt(t)"),
    ("sum((w > 1).*w) + sum((w ~= u).*u)", "((w > 1)*w).sum() + ((w != u)*u).sum()"),
    ("c'*A*w", "c[:, 0] @ A @ w"),
    ("norm(c - w)^2", "np.linalg.norm(c[:, 0] - w)**2"),
    ("c'*c + sum(c)", "c[:, 0] @ c[:, 0] + c.sum()"),
    ("sum(kron(A, B), 'all')", "np.kron(A, B).sum()"),
    ("vec(X)'*vec(Y)", "(X*Y).sum()"),
    ("logsumexp(u) - softmax(w)'*w", "sg.logsumexp(u) - sg.softmax(w) @ w"),
    ("sum(logsumexp(X, 2))", "sg.logsumexp(X, axis=1).sum()"),
    ("sum(softmax(X, 1).*Y, 'all')", "(sg.softmax(X, axis=0)*Y).sum()"),
]  # fmt: skip


@pytest.mark.parametrize(("math", "numpy"), PAIRS, ids=[p[0] for p in PAIRS])
@pytest.mark.parametrize("sizes", [SIZES, {"n": 1, "d": 1}, {"n": 3, "d": 3}], ids=str)
@pytest.mark.filterwarnings("ignore:log:symgrad.errors.SymgradWarning")
def test_the_two_syntaxes_agree(math, numpy, sizes):
    ours, theirs = derive(math), derive(numpy, "numpy")
    arrays = data(used(math, "math"), sizes)
    value, grads = ours(**arrays)
    expected, expected_grads = theirs(**arrays)
    assert value == pytest.approx(expected, rel=1e-12)
    assert grads.keys() == expected_grads.keys()
    for name, g in grads.items():
        assert g.shape == arrays[name].shape
        np.testing.assert_allclose(g, expected_grads[name], rtol=1e-10, atol=1e-12)


def test_the_same_formula_is_the_same_program():
    math = derive("1/2*norm(X*w - y)^2")
    numpy = derive("1/2*np.linalg.norm(X @ w - y)**2", "numpy")
    assert math.program == numpy.program
    assert str(math.gradients["w"]) == "Xᵀ(Xw − y)"


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("w*u", ShapeError, "write x'*y for the inner product"),
        ("w^2", ShapeError, "write x.^2 entry by entry"),
        ("sum(X^2)", ShapeError, "Only scalars and square matrices have powers"),
        ("sum(softmax(X), 'all')", UnsupportedError, "softmax of a matrix means different things"),
        ("w'*A^s*w", UnsupportedError, "A matrix has whole powers only"),
        ("w'*A^10000000*w", UnsupportedError, "This power of a matrix is too high"),
        ("w'*A^(1/2)*w", UnsupportedError, "A matrix has whole powers only"),
        ("s^w", ShapeError, "An exponent is a scalar"),
        ("2w", ParseError, "no operator between two parts"),
        ("s (t)", ParseError, "s is an array and is not called"),
        ("(s)(t)", ParseError, "no operator between two parts"),
        ("w' w", ParseError, "no operator between two parts"),
        ("X w", ParseError, "write * for a product"),
        ("X(1, 2)", ParseError, "X is an array and is not called"),
        ("w @ u", ParseError, "write * for the matrix product"),
        ("s**2", ParseError, "has no place here"),
        ("s^2^3", ParseError, "A power of a power needs brackets"),
        ("s^2²", ParseError, "A power of a power needs brackets"),
        ("norm(X)", UnsupportedError, "write norm(A, 'fro') or norm(A, 2)"),
        ("norm1(X)", UnsupportedError, "means different things"),
        ("sum(X)", UnsupportedError, "sum(A, 1) down the columns"),
        ("exp(sum(X))", UnsupportedError, "sum(A, 1) down the columns"),
        ("|w|", UnsupportedError, "abs(x), norm(x) or det(A)"),
        ("X·w", ShapeError, "· stands between vectors"),
        ("w + X", ShapeError, "The sizes of a sum differ"),
        ("sum(w + u')", ShapeError, "transpose one side"),
        ("sum(X + w', 'all')", ShapeError, "repeat a vector with a product"),
        ("s/A", UnsupportedError, "/ divides by a scalar"),
        ("A/B", UnsupportedError, "A*inv(B)"),
        ("det(X)", ShapeError, "det is of a square matrix"),
        ("X^-1", ShapeError, "Only scalars and square matrices have powers"),
        ("I", ShapeError, "Nothing says how large I is"),
        ("sum(vector(1))", ShapeError, "Nothing says how large vector(1) is"),
        ("w'*vector(w)", ShapeError, "vector(1) repeats a scalar"),
        ("w'*ones(w)", ShapeError, "ones takes sizes"),
        ("w'*ones(-1)", ShapeError, "ones takes sizes"),
        ("w'*(u + I)", ShapeError, "I is square"),
        ("sgmoid(s)", UnsupportedError, "sigmoid?"),
        ("exp", ParseError, "exp is a function"),
        ("exp(s, t)", ParseError, "exp takes 1 argument"),
        ("exp()*s", ParseError, "exp takes 1 argument"),
        ("exp('fro')*s", ParseError, "exp takes no such option"),
        ("'fro'", ParseError, "A text is an option of a function"),
        ("norm(w, 'frob')", ParseError, "There is no such norm"),
        ("sum(w, 3)", ParseError, "A matrix has the dimensions 1 and 2"),
        ("q + s", SpecError, "Nothing says what 'q' is"),
        ("(s + t", ParseError, "The ( is never closed"),
        ("|s + t", ParseError, "The | is never closed"),
        ("‖w", ParseError, "The ‖ is never closed"),
        ("s + t)", ParseError, "has no place here"),
        ("s +", ParseError, "ends too early"),
        ("", ParseError, "The formula is empty"),
        ("* s", ParseError, "has no place here"),
        ("s = t", ParseError, "or == to compare"),
        ("[s, t]", ParseError, "has no place here"),
        ("s % t", ParseError, "The sign '%' has no meaning here"),
        ("s{1}", ParseError, "write round brackets"),
        ("'s", ParseError, "A ' stands where nothing can be transposed"),
        ("s.T", ParseError, "The sign '.' has no meaning here"),
        ("w", ShapeError, "The loss is not a scalar"),
        ("sum(X*w, 'some')", ParseError, "sum has no such option"),
    ],
)
def test_what_is_refused(text, error, words):
    shapes = {n: s for n, s in SHAPES.items() if n in re.findall(r"\w+", text)} or {"s": ""}
    with pytest.raises(error) as caught:
        sg.derive(text, shapes, wrt=next(iter(shapes)), syntax="math")
    assert words in str(caught.value)
    if error is not ShapeError or "not a scalar" not in words:
        assert "^" in caught.value.where


def test_the_message_points_at_the_place():
    with pytest.raises(ShapeError) as caught:
        derive("s + (w*u)")
    first, second = caught.value.where.splitlines()
    assert first == "s + (w*u)"
    assert second == " " * 12 + "      ^"


def test_precedence_is_matlabs():
    x, y = Name("x", 0), Name("y", 4)
    assert parse("-x^2") == Unary("-", Binary("^", Name("x", 1), Number(2, 3), 2), 0)
    assert parse("x - y") == Binary("-", x, y, 2)
    assert parse("x^-1'") == Unary("'", Binary("^", x, Unary("-", Number(1, 3), 1), 1), 4)
    assert parse("x.^y'") == Unary("'", Binary(".^", x, Name("y", 3), 1), 4)
    assert parse("x - y*x") == Binary("-", x, Binary("*", y, Name("x", 6), 5), 2)
    assert parse("x - y - x") == Binary("-", Binary("-", x, y, 2), Name("x", 8), 6)
    assert parse("-x*y") == Binary("*", Unary("-", Name("x", 1), 0), Name("y", 3), 2)
    assert parse("x'.*y'") == Binary(".*", Unary("'", x, 1), Unary("'", y, 5), 2)
    assert parse("x < y + 1") == Binary("<", x, Binary("+", y, Number(1, 8), 6), 2)
    assert parse("|x|") == Call("|", (Name("x", 1),), 0)
    assert parse("||x| - 1|").name == "|"


def test_transposes_of_a_named_t_are_not_guessed():
    with pytest.raises(ParseError, match="as T is an argument"):
        sg.derive("w'*A^T*w", {"w": "d", "A": "d d", "T": ""}, wrt="w", syntax="math")


def test_a_size_called_e_is_not_guessed():
    with pytest.raises(SpecError, match="e is a size of the shapes and a constant"):
        sg.derive("e*sum(w)", {"w": "e"}, wrt="w", syntax="math")


def test_a_syntax_is_not_guessed():
    with pytest.raises(SymgradError):
        sg.derive("w'*w", {"w": "d"}, wrt="w")
    with pytest.raises(SymgradError):
        sg.derive("w @ w", {"w": "d"}, wrt="w", syntax="math")


def test_given_is_read_in_the_same_syntax():
    derived = sg.derive(
        "1/2*norm(r)^2", {"X": "n d", "w": "d", "y": "n"}, wrt="w", given={"r": "X*w - y"}, syntax="math"
    )
    assert str(derived.gradient) == "Xᵀ(Xw − y)"


def test_on_the_command_line():
    arguments = [
        "derive",
        "1/2*norm(X*w - y)^2",
        "--shapes",
        "X: n d, w: d, y: n",
        "--wrt",
        "w",
        "--format",
        "ascii",
    ]
    done = CliRunner().invoke(group, [*arguments, "--syntax", "math"])
    assert done.exit_code == 0, done.output
    assert "dL/dw = X'(Xw - y)" in done.output
    assert CliRunner().invoke(group, arguments).exit_code != 0


# The same mathematics, written twice ----------------------------------------------------------------------

_scalars = st.sampled_from([("s", "s"), ("t", "t"), ("2", "2"), ("0.5", "0.5")])
_vectors = st.sampled_from([("w", "w"), ("u", "u")])
_matrices = st.sampled_from(
    [("A", "A"), ("B", "B"), ("(A')", "A.T"), ("(A*B)", "(A @ B)"), ("eye(d)", "np.eye(d)")]
)


def _binary(kind, math, numpy):
    return st.tuples(kind, kind).map(
        lambda p: (f"({p[0][0]} {math} {p[1][0]})", f"({p[0][1]} {numpy} {p[1][1]})")
    )


def _apply(kind, math, numpy):
    return kind.map(lambda x: (math.format(x[0]), numpy.format(x[1])))


def _two(a, b, math, numpy):
    return st.tuples(a, b).map(lambda p: (math.format(p[0][0], p[1][0]), numpy.format(p[0][1], p[1][1])))


def _deeper(vectors):
    matrices = st.one_of(
        _matrices,
        _two(vectors, vectors, "({0}*{1}')", "np.outer({0}, {1})"),
        _apply(vectors, "diag({0})", "np.diag({0})"),
        _two(_matrices, _matrices, "({0} + 2*{1})", "({0} + 2*{1})"),
        _two(_matrices, _matrices, "({0}.*{1})", "({0}*{1})"),
    )
    scalars = st.one_of(
        _scalars,
        _two(vectors, vectors, "({0}'*{1})", "({0} @ {1})"),
        _apply(vectors, "sum({0})", "{0}.sum()"),
        _apply(matrices, "tr({0})", "np.trace({0})"),
        _apply(vectors, "norm({0})^2", "np.linalg.norm({0})**2"),
    )
    return st.one_of(
        _binary(vectors, "+", "+"),
        _binary(vectors, "-", "-"),
        _binary(vectors, ".*", "*"),
        _two(matrices, vectors, "({0}*{1})", "({0} @ {1})"),
        _two(vectors, matrices, "(({0}'*{1})')", "({0} @ {1})"),
        _two(scalars, vectors, "({0}*{1})", "({0}*{1})"),
        _two(scalars, vectors, "({1} + {0})", "({1} + {0})"),
        _apply(vectors, "tanh({0})", "np.tanh({0})"),
        _apply(vectors, "({0}.^2)", "({0}**2)"),
        _apply(vectors, "(-{0})", "(-{0})"),
    )


@settings(max_examples=60, deadline=None)
@given(st.recursive(_vectors, _deeper, max_leaves=6))
def test_random_formulas_agree(pair):
    math, numpy = f"sum({pair[0]})", f"({pair[1]}).sum()"
    arrays = data({**used(math, "math")})
    value, grads = derive(math)(**arrays)
    expected, expected_grads = derive(numpy, "numpy")(**arrays)
    assert value == pytest.approx(expected, rel=1e-12, abs=1e-12)
    for name in grads:
        scale = 1 + np.abs(expected_grads[name]).max()
        np.testing.assert_allclose(grads[name], expected_grads[name], rtol=1e-10, atol=1e-10 * scale)
