"""``sg.lambdify`` beside ``sympy.lambdify`` and beside the exact values."""

from __future__ import annotations

import subprocess
import sys

import numba
import numpy as np
import pytest
import sympy
from sympy.codegen import cfunctions

import symgrad as sg
from symgrad.errors import DataError, ShapeError, SpecError, UnsupportedError
from symgrad.ops.record import ARG
from symgrad.ops.scalars.table import ELEMENTARY

x, y, z = sympy.symbols("x y z")
n, m = sympy.symbols("n m", integer=True, positive=True)
RNG = np.random.default_rng(5)

# Every expression is defined for arguments between 0.1 and 0.9.
OWN = [
    sympy.sin(x) * sympy.exp(-(y**2)) + sympy.sqrt(x**2 + y**2) / (1 + x),
    x**y + y**-3 + x ** sympy.Rational(5, 3) + sympy.pi * sympy.E,
    sympy.log(x + y, 2) + sympy.sec(x) + sympy.csc(y) + sympy.cot(x),
    sympy.sech(x) + sympy.csch(y) + sympy.coth(x),
    sympy.acot(x) + sympy.asec(1 + x) + sympy.acsc(1 + y),
    sympy.asech(x) + sympy.acsch(y) + sympy.acoth(1 + x),
    sympy.Abs(x - y) + sympy.sign(x - y) + sympy.Max(x, y, 1 - x) + sympy.Min(x, y),
    sympy.floor(5 * x) + sympy.ceiling(5 * y) + sympy.Mod(5 * x, y) + sympy.frac(7 * x),
    sympy.Mod(-5 * x, y) + sympy.sinc(3 * x),
    sympy.Piecewise((x, x < y), (y**2, sympy.And(x > y, sympy.Or(x > 0.7, y > 0.3))), (0, True)),
    sympy.Piecewise((1, sympy.Xor(x > 0.5, y > 0.5)), (2, sympy.Not(x > y)), (3, True)),
    sympy.Heaviside(x - y, 0) + sympy.Heaviside(y - x),
    sympy.erf(x) + sympy.erfc(y) + sympy.loggamma(x) + sympy.digamma(y) + sympy.trigamma(x),
    cfunctions.expm1(x) + cfunctions.log1p(y) + cfunctions.exp2(x) + cfunctions.log10(y),
    cfunctions.hypot(x, y) + cfunctions.Cbrt(x) + cfunctions.fma(x, y, x),
    sympy.atan2(x, -y) + sympy.asin(x) + sympy.acosh(1 + y),
    sympy.Integer(3),
    x,
]
_INSIDE = {
    "above-one": lambda s: 1 + s,
    "real": lambda s: 4 * s - 2,
    "bool": lambda s: sympy.Piecewise((1, s > sympy.Rational(1, 2)), (0, True)),
}


def of_the_table(row):
    """A row's function in SymPy's own terms, for arguments between 0.1 and 0.9."""
    arguments = {ARG(i): _INSIDE.get(d, lambda s: s)((x, y, z)[i]) for i, d in enumerate(row.domain)}
    return sympy.sympify(row.expr if row.meaning is None else row.meaning).xreplace(arguments)


TABLE = [of_the_table(row) for row in ELEMENTARY]


def exact(expr, point):
    values = {s: sympy.Float(float(v), 40) for s, v in zip((x, y, z), point, strict=True)}
    known = sympy.sympify(expr)
    if known.has(cfunctions.Cbrt, cfunctions.fma):
        known = sympy.expand_func(known)
    found = known.subs(values)
    return float(found.doit().evalf(30))


@pytest.mark.parametrize("exprs", [OWN, TABLE], ids=["own", "table"])
def test_values_are_the_exact_ones(exprs):
    f = sg.lambdify((x, y, z), list(exprs))
    points = RNG.uniform(0.1, 0.9, (6, 3))
    whole = f(*points.T)
    for k, point in enumerate(points):
        numbers = f(*map(float, point))
        for e, number, array in zip(exprs, numbers, whole, strict=True):
            assert type(number) is float
            want = exact(e, point)
            assert number == pytest.approx(want, rel=1e-13, abs=1e-14), e
            assert array[k] == pytest.approx(want, rel=1e-13, abs=1e-14), e


def test_float32_stays_float32():
    f = sg.lambdify((x, y), OWN[:8], dtype="float32")
    points = RNG.uniform(0.2, 0.8, (50, 2))
    for e, found in zip(OWN[:8], f(*points.T), strict=True):
        assert found.dtype == np.float32
        want = sg_like_numpy(e)(*points.T.astype(np.float32).astype(float))
        close = np.isclose(found, want, rtol=1e-4, atol=1e-5)
        assert close.mean() > 0.95  # a floor may fall on the other side
    assert isinstance(f(0.5, 0.25)[0], float)


def sg_like_numpy(expr):
    return sympy.lambdify((x, y), expr, ["scipy", "numpy"])


EXPR = OWN[0]
COMPILED = sg.lambdify((x, y), EXPR)


@pytest.mark.parametrize(
    "shapes",
    [((), (7,)), ((7,), ()), ((5, 1), (1, 4)), ((4,), (5, 4)), ((2, 3, 1), (2, 3, 4)), ((1,), (1, 1)), ((0,), ()),
     ((0, 1), (3,)), ((5000,), (5000,)), ((3, 1, 2), (1, 4, 1))],
    ids=str,
)  # fmt: skip
def test_arguments_broadcast_as_numpy_s(shapes):
    a, b = (RNG.uniform(0.1, 0.9, s) for s in shapes)
    found, want = COMPILED(a, b), sg_like_numpy(EXPR)(a, b)
    assert found.shape == want.shape
    np.testing.assert_allclose(found, want, rtol=1e-13)


def test_arrays_of_any_layout_and_numbers_of_any_kind():
    a = RNG.uniform(0.1, 0.9, (6, 8))
    want = sg_like_numpy(EXPR)(a, 1.0)
    for view in (a[::2, ::-1], a.T, np.asfortranarray(a), a.astype(">f8")):
        np.testing.assert_allclose(COMPILED(view, 1), sg_like_numpy(EXPR)(view, 1.0), rtol=1e-13)
    locked = a.copy()
    locked.flags.writeable = False
    np.testing.assert_allclose(COMPILED(locked, True), want, rtol=1e-13)
    assert COMPILED([0.5, 0.25], np.float32(0.5)).shape == (2,)
    assert COMPILED(y=0.25, x=0.5) == COMPILED(0.5, 0.25) == COMPILED(0.5, y=0.25)
    assert np.isnan(COMPILED(np.nan, 1.0))


def test_threads_compute_the_same():
    f = sg.lambdify((x, y), EXPR, parallel=True)
    a, b = RNG.uniform(0.1, 0.9, (2, 100_000))
    np.testing.assert_allclose(f(a, b), COMPILED(a, b), rtol=1e-14)
    several = f(a, b)
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert (f(a, b) == several).all()
    finally:
        numba.set_num_threads(before)
    assert "prange(" in f.source
    assert f(a[:10], b[:10]).shape == (10,)
    assert "prange(" not in f.source
    for expr, size in ((x * y + 1, 2**15), (sympy.exp(x) * y, 2**14)):
        g = sg.lambdify((x, y), expr, parallel=True)
        threads = ["prange(" in g.source for n in (size - 1, size) if g(a[:n], b[:n]).size]
        assert threads == [False, True]
    grid = f(a[:700, None], b[:300])
    np.testing.assert_allclose(grid, COMPILED(a[:700, None], b[:300]), rtol=1e-14)
    assert "prange(" in f.source


def test_an_explicit_matrix_has_its_shape_in_front():
    f = sg.lambdify((x, y), sympy.Matrix([[x, y, 0], [x + y, y**2, 1]]))
    np.testing.assert_allclose(f(2.0, 3.0), [[2, 3, 0], [5, 9, 1]])
    a = RNG.normal(size=(4, 1))
    found = f(a, np.arange(3.0))
    assert found.shape == (2, 3, 4, 3)  # sympy.lambdify refuses: the entries have different shapes
    np.testing.assert_allclose(found[1, 0], a + np.arange(3.0))
    assert (found[0, 2] == 0).all()
    assert (found[1, 2] == 1).all()


def test_vector_and_nested_arguments():
    f = sg.lambdify([sympy.Matrix([x, y]), z], x * y + z)
    assert f([2.0, 3.0], 1.0) == f(np.array([[2.0], [3.0]]), 1) == 7
    assert f(np.ones((2, 5)), 1.0).shape == (5,)
    assert sg.lambdify(((x, y), z), x * y + z)((2.0, 3.0), 1.0) == 7
    with pytest.raises(ShapeError, match="has another shape"):
        f([1.0, 2.0, 3.0], 1.0)
    with pytest.raises(ShapeError, match="has 2 parts"):
        sg.lambdify(((x, y), z), x)((2.0,), 1.0)


def test_functions_and_symbols_of_one_name_are_arguments():
    t = sympy.Symbol("t")
    q = sympy.Function("q")(t)
    f = sg.lambdify((t, q, q.diff(t)), q.diff(t) ** 2 + t * q)
    assert f(2.0, 3.0, 4.0) == 22
    a, b = sympy.Dummy("a"), sympy.Dummy("a")
    assert sg.lambdify((a, b), a - 2 * b)(5.0, 1.0) == 3
    awkward = sympy.symbols(r"lambda x_{1} \theta result evaluate")
    assert sg.lambdify(awkward, sum(awkward))(1, 2, 3, 4, 5) == 15


def test_lists_and_dicts_come_back_as_such():
    f = sg.lambdify(x, {"a": x**2, "b": [x, (sympy.Matrix([x, 1]), 2)], "less": x < 1})
    found = f(3.0)
    assert found["a"] == 9
    assert found["b"][0] == 3
    assert found["b"][1][0].shape == (2, 1)
    assert found["b"][1][1] == 2
    assert found["less"] is False
    assert f(np.ones(4))["less"].dtype == bool


def test_matrix_expressions():
    A, B, w = sympy.MatrixSymbol("A", n, n), sympy.MatrixSymbol("B", n, m), sympy.MatrixSymbol("w", n, 1)
    applied = B.applyfunc(sympy.Lambda(z, sympy.exp(z) + 1))
    f = sg.lambdify(
        (A, B, w, x),
        [
            A.inv() * B,
            sympy.Trace(A * A.T),
            sympy.Determinant(A),
            sympy.HadamardProduct(B, applied),
            x * w.T * A * w + n * sympy.Identity(1),
            sympy.Matrix([[x, sympy.Trace(A)]]),
            A[0, 0] + x,
        ],
    )
    for rows, columns in ((3, 4), (5, 2)):
        a, b, v = RNG.normal(size=(rows, rows)), RNG.normal(size=(rows, columns)), RNG.normal(size=(rows, 1))
        a += 4 * np.eye(rows)
        found = f(a, b, v, 2.0)
        want = [
            np.linalg.solve(a, b),
            (a * a).sum(),
            np.linalg.det(a),
            b * (np.exp(b) + 1),
            2 * v.T @ a @ v + rows,
            np.array([[2, np.trace(a)]]),
            a[0, 0] + 2,
        ]
        for mine, other in zip(found, want, strict=True):
            assert np.shape(mine) == np.shape(other)
            np.testing.assert_allclose(mine, other, rtol=1e-10)
    with pytest.raises(ShapeError, match="cannot be 5 and 4 at once"):
        f(a, b[:4], v, 2.0)
    with pytest.raises(ShapeError, match="'x' has 1 axes"):
        f(a, b, v, [1.0])
    with pytest.raises(ShapeError, match="'w' has 1 axes"):
        f(a, b, v.ravel(), 1.0)
    with pytest.raises(DataError, match="no inverse"):
        f(0 * a, b, v, 1.0)


def test_matrices_of_fixed_size():
    A = sympy.MatrixSymbol("A", 2, 3)
    f = sg.lambdify(A, 2 * A * A.T)
    a = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(f(a), 2 * a @ a.T)
    with pytest.raises(ShapeError):
        f(a.T)


@pytest.mark.parametrize(
    ("args", "expr", "kind", "text"),
    [
        (x, 1 + sympy.besselj(0, x), UnsupportedError, "(?s)besselj has no rule.*fix: +give it to a symbol"),
        (x, sympy.Integral(sympy.exp(-(y**2)), (y, 0, x)), UnsupportedError, "Integral has no rule"),
        (x, sympy.gamma(x), UnsupportedError, "gamma has no rule"),
        (x, x + sympy.I, UnsupportedError, "Only real numbers"),
        (x, sympy.Function("f")(x), UnsupportedError, "f has no formula"),
        (x, x * y, SpecError, "Nothing says what 'y' is"),
        (x, sympy.MatrixSymbol("A", 2, 2) * x, SpecError, "Nothing says what 'A' is"),
        ((x, x), x, SpecError, "'x' is an argument twice"),
        (x + 1, x, SpecError, "cannot be an argument"),
        (
            sympy.IndexedBase("A"),
            x,
            SpecError,
            r'(?s)cannot be an argument.*fix: +A = IndexedBase\("A", shape=',
        ),
        (x, "x + 1", SpecError, "no SymPy expression"),
        (x, [], SpecError, "nothing to compute"),
    ],
)
def test_refusals_name_the_cause(args, expr, kind, text):
    with pytest.raises(kind, match=text):
        sg.lambdify(args, expr)


def test_calls_that_do_not_fit():
    with pytest.raises(ShapeError, match="do not broadcast"):
        COMPILED(np.ones(3), np.ones(4))
    with pytest.raises(SpecError, match="'y' is missing"):
        COMPILED(1.0)
    with pytest.raises(SpecError, match="too many"):
        COMPILED(1.0, 2.0, 3.0)
    with pytest.raises(SpecError, match="'x' is given twice"):
        COMPILED(1.0, 2.0, x=3.0)
    with pytest.raises(DataError, match="no real numbers"):
        COMPILED(1j, 2.0)
    with pytest.raises(SpecError, match="float32 or float64"):
        sg.lambdify(x, x, dtype="int32")


K, L = sympy.symbols("i j", integer=True)


@pytest.mark.parametrize(
    "expr",
    [
        sympy.Sum(x**K * y**L, (K, 0, 3), (L, 1, 2)),
        sympy.Sum(sympy.Product(x + K * L, (L, 1, 2)) * y, (K, 0, 2)) + x,
        y * sympy.Sum(sympy.cos(K * x), (K, 1, 5)),
    ],
)
def test_sums_over_indices_take_numbers_and_arrays(expr):
    f, want = sg.lambdify((x, y), expr, parallel=True), sg_like_numpy(expr.doit())
    a, b = RNG.uniform(0.5, 2, (2, 70_000))
    for one, other in ((a, b), (a, 2.0), (2.0, b[:9]), (a[:50, None], b[:7]), (1.5, 0.5)):
        np.testing.assert_allclose(f(one, other), want(one, other), rtol=1e-12)


def test_a_piecewise_is_nan_where_no_condition_holds():
    f = sg.lambdify(x, 1 + sympy.Piecewise((x, x > 0), (2 * x, x < -2)))
    assert [f(3.0), f(-3.0)] == [4, -5]
    assert np.isnan(f(-1.0))
    np.testing.assert_array_equal(f(np.array([3.0, -1.0, -3.0])), [4, np.nan, -5])


def test_numbers_go_in_and_come_out_as_numbers():
    mixed = sg.lambdify((x, y), [x + y, sympy.Matrix([[x, 1]]), x < y, {"p": (x * y, 2)}], dtype="float32")
    for one, other in ((2.0, 3.0), (2, 3), (np.float64(2), np.float32(3)), (np.int32(2), np.array(3.0))):
        total, matrix, less, (product, two) = *mixed(one, other)[:3], mixed(one, other)[3]["p"]
        assert (total, less, product, two) == (5, True, 6, 2)
        assert (type(total), type(less), matrix.dtype.name) == (float, bool, "float32")
        np.testing.assert_array_equal(matrix, [[2, 1]])
    rounded = sg.lambdify(x, x * x, dtype="float32")(0.1)
    assert rounded == float(np.float32(0.1) * np.float32(0.1))
    assert sg.lambdify((), sympy.pi)() == np.pi
    assert sg.lambdify(x, x)(True) == 1
    with pytest.raises(DataError, match="no real numbers"):
        sg.lambdify(x, x)(10**400)


def test_long_expressions_of_numbers_are_not_unrolled():
    long = sum(sympy.sin(k * x) * y**k for k in range(1, 130))
    want = sum(np.sin(k * 0.5) * 0.75**k for k in range(1, 130))
    assert sg.lambdify((x, y), [long, sympy.Matrix([long])])(0.5, 0.75)[0] == pytest.approx(want, rel=1e-12)


def test_a_subexpression_is_computed_once():
    part = sympy.atan(sympy.sin(x) + y)
    f = sg.lambdify((x, y), [part**2 + 1 / part, sympy.cos(part)])
    f(0.5, 0.5)
    assert f.source.count("= np.arctan(") == 1
    assert f.source.count("= sin(") == 1
    deep = x
    for _ in range(60):  # a tree of 2**60 nodes
        deep = sympy.sin(deep) * sympy.cos(deep)
    want = 0.5
    for _ in range(60):
        want = np.sin(want) * np.cos(want)
    assert sg.lambdify(x, deep)(0.5) == pytest.approx(want)


def test_the_kernel_is_found_again():
    again = sg.lambdify((x, y), EXPR)
    a = np.linspace(0.1, 0.9, 10)
    COMPILED(a, a)
    again(a, a)
    assert again.source == COMPILED.source
    assert again.timings["compile"] < 0.3  # compiled code is taken from this process
    assert {"trace", "plan", "compile", "run"} <= again.timings.keys()


def test_interpreted_it_gives_the_same():
    code = (
        "import numpy as np, sympy, symgrad as sg\n"
        "x, y = sympy.symbols('x y')\n"
        "f = sg.lambdify((x, y), sympy.Matrix([sympy.sin(x)*sympy.exp(y), sympy.tanh(x) + 1]), parallel=True)\n"
        "print(*f(np.linspace(0, 1, 5), 0.5).ravel(), f(0.25, 0.5)[0, 0])\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", f"import os\nos.environ['NUMBA_DISABLE_JIT'] = '{off}'\n{code}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for off in (0, 1)
    ]
    np.testing.assert_allclose(*[np.array(r, float) for r in runs], rtol=1e-14)


def test_calls_again_with_arrays_of_the_same_and_of_other_layouts() -> None:
    f = sg.lambdify((x, y), [x * y, x - y])
    rng = np.random.default_rng(0)
    kept = []
    for shape in ((4, 3), (4, 3), (5,), (4, 3), (1, 3), (4, 3)):
        a, b = rng.normal(size=shape), rng.normal(size=shape)
        for left, right in ((a, b), (b, a), (a.astype("f4"), b), (a[::-1], b), (a, b[..., :1])):
            frozen = left.copy()
            frozen.flags.writeable = False
            for first in (left, frozen, left.tolist()):
                product, difference = f(first, right)
                np.testing.assert_allclose(product, np.asarray(first) * right, rtol=1e-15)
                np.testing.assert_allclose(difference, np.asarray(first) - right, rtol=1e-15, atol=1e-15)
                kept.append((product, np.asarray(first) * right))
    for product, expected in kept:  # no result is another call's
        np.testing.assert_allclose(product, expected, rtol=1e-15)
    with pytest.raises(SpecError, match="missing"):
        f(np.ones(3))
