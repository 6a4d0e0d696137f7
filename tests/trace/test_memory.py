"""What shares memory and what is a copy: symgrad says the same as NumPy, or refuses."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import SymgradError, TraceError
from symgrad.trace.loss import trace_loss


def value_of(function, arrays, shapes):
    """What symgrad computes for a function, given copies of the arrays."""
    return sg.derive(function, shapes, wrt="X")(**{k: v.copy() for k, v in arrays.items()})[0]


def agrees(function, sizes=(3, 4), refusable=False):
    """Whether symgrad follows the function; False where it refuses it."""
    X = np.random.default_rng(0).normal(size=sizes)
    expected = function(X.copy())
    try:
        found = value_of(function, {"X": X}, {"X": "n d"})
    except TraceError:
        assert refusable
        return False
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    return True


def whole(view, position=0, value=55.0):
    """A loss that writes through what ``view`` makes of an array, and reads both afterwards."""

    def loss(X):
        Z = X.copy()
        r = view(Z)
        r[position] = value
        return (Z**3).sum() + (r[:] ** 2).sum()

    return loss


COPIES = {
    "transposed": lambda Z: Z.T.reshape(-1),
    "transposed ravel": lambda Z: Z.T.ravel(),
    "ravel by columns": lambda Z: Z.ravel(order="F"),
    "np.ravel": lambda Z: np.ravel(Z.T),
    "np.reshape": lambda Z: np.reshape(Z.T, (-1,)),
    "columns": lambda Z: Z[:, :2].reshape(-1),
    "every other row": lambda Z: Z[::2].ravel(),
    "backwards": lambda Z: Z[::-1].reshape(-1),
    "ravel of a row with gaps": lambda Z: Z[0, ::2].ravel(),
    "by rows": lambda Z: np.ascontiguousarray(Z.T),
    "by columns": lambda Z: np.asfortranarray(Z),
    "flatten": lambda Z: Z.flatten(),
    "copy": lambda Z: Z.T.copy(),
    "part of flat": lambda Z: Z.flat[1:3],
}
VIEWS = {
    "reshape": lambda Z: Z.reshape(-1),
    "ravel": lambda Z: Z.ravel(),
    "transposed ravel by columns": lambda Z: Z.T.ravel(order="F"),
    "reshape by columns": lambda Z: Z.T.reshape((-1,), order="F"),
    "rows": lambda Z: Z[:2].reshape(-1),
    "a row with gaps": lambda Z: Z[0, ::2].reshape(-1),
    "columns with an axis": lambda Z: Z[:, :2].reshape(len(Z), 1, 2)[:, 0, 0],
    "flat": lambda Z: Z.T.flat,
    "squeeze": lambda Z: np.squeeze(Z.T[:, None])[0],
    "expand_dims": lambda Z: np.expand_dims(Z.T, 1)[0, 0],
    "atleast_3d": lambda Z: np.atleast_3d(Z)[0, :, 0],
    "swapaxes": lambda Z: np.swapaxes(Z, 0, 1)[0],
    "moveaxis": lambda Z: np.moveaxis(Z, 0, -1)[0],
    "flip": lambda Z: np.flip(Z, 1)[0],
    "split": lambda Z: np.split(Z, [1])[1][0],
    "asarray": lambda Z: np.asarray(Z)[0],
    "ascontiguousarray": lambda Z: np.ascontiguousarray(Z)[0],
}


@pytest.mark.parametrize("name", [*COPIES, *VIEWS])
def test_views_and_copies_are_numpys(name):
    view = {**COPIES, **VIEWS}[name]
    Z = np.zeros((3, 4))
    view(Z)[0] = 1.0
    assert Z.any() == (name in VIEWS)
    agrees(whole(view))


@pytest.mark.parametrize("sizes", [(3, 3), (1, 4), (3, 1), (2, 4), (4, 2), (1, 1)], ids=str)
@pytest.mark.parametrize("name", ["transposed", "columns", "every other row", "transposed ravel"])
def test_sizes_for_which_a_copy_is_a_view_are_derived_on_their_own(name, sizes):
    agrees(whole(COPIES[name]), sizes)


def test_a_copy_keeps_what_it_had():
    def loss(X):
        Z = X.copy()
        copied, shared = Z.T.ravel(), Z.ravel()
        Z[0] = 5.0
        return (copied**2).sum() + (shared**3).sum()

    assert agrees(loss)


def test_a_copy_of_an_argument_may_be_written_to():
    def loss(X):
        r = X.T.ravel()
        r[0] = 0.0
        return (r**2).sum()

    assert agrees(loss)


@pytest.mark.parametrize(
    "make",
    [lambda X: X.T * 2, lambda X: np.zeros_like(X.T) + X.T, lambda X: np.copy(X.T), lambda X: X.T.astype(float),
     lambda X: np.einsum("ij,kj->ik", X.T, np.ones((2, 3)))],
)  # fmt: skip
def test_where_it_is_not_known_the_write_is_refused(make):
    def loss(X):
        Z = make(X)
        Z.ravel()[0] = 5.0
        return (Z**2).sum()

    def mended(X):
        Z = make(X).copy()
        Z.ravel()[0] = 5.0
        return (Z**2).sum()

    with pytest.raises(TraceError) as caught:
        trace_loss(loss, {"X": "3 d"})
    text = str(caught.value)
    assert text.startswith(
        "It is not known whether this is a view or a copy, and what it shares is written to."
    )
    assert "expected: an array that lies row by row, or views of one" in text
    assert "fix:      copy it first: x = x.copy() lies row by row" in text
    assert "Z.ravel()[0] = 5.0" in text
    assert agrees(mended)


def test_reading_asks_nothing_of_the_memory():
    traced = trace_loss(lambda X: ((X.T * 2).ravel() ** 2).sum() + X.T.reshape(-1).sum(), {"X": "n d"})
    assert not traced.assumptions


def test_views_of_numbers_follow_what_is_written():
    def loss(X):
        Z = np.zeros((3, 3))
        found = [
            np.diagonal(Z),
            np.diag(Z),
            np.einsum("ii->i", Z),
            np.broadcast_to(Z, (2, 3, 3)),
            Z.T,
            np.rot90(Z),
        ]
        summed = np.einsum("ij->i", Z)
        Z[0, 0] = X.sum()
        return sum((i + 1) * f.sum() for i, f in enumerate(found)) + summed.sum() + (X**2).sum()

    assert agrees(loss)


# Random chains ------------------------------------------------------------------------------------------------

STEPS = [
    *("{} = {}.T", "{} = {}[::-1]", "{} = {}[..., ::2]", "{} = {}[:2]", "{} = {}[..., :2]", "{} = {}[None]"),
    *("{} = {}.reshape(-1)", "{} = {}.ravel()", "{} = {}.ravel(order='F')", "{} = {}.reshape(2, -1)"),
    *("{} = {}.reshape((2, -1), order='F')", "{} = {}.swapaxes(0, -1)", "{} = {}[0]", "{} = {}.squeeze()"),
    *("{} = np.ascontiguousarray({})", "{} = {}.copy()", "{} = {} * 2", "{} = np.copy({})", "{} = {}[[1, 0]]"),
    *("{} = np.zeros_like({})", "{} = np.moveaxis({}, 0, -1)", "{} = np.flip({})", "{} = {}.flatten()"),
    *("{} = np.concatenate([{0}, {0}])", "{} = {}[..., [1, 0]]", "{} = {}.reshape(-1, 1)", "{} = {} + {}.T.T"),
    *("{} = np.asfortranarray({})", "{} = {}.sum(axis=0, keepdims=True)", "{} = np.cumsum({}, axis=0)"),
]  # fmt: skip


def chain(generator):
    """The source of a loss that views and writes at random, in NumPy's own terms."""
    names, lines = ["Z"], ["Z = X.copy()"]
    for i in range(generator.integers(2, 7)):
        source = names[generator.integers(len(names))] if generator.random() < 0.3 else names[-1]
        if generator.random() < 0.25:
            lines.append(f"{source}[0] = {source}[-1] * {i + 2} + X.sum()")
            continue
        new = f"a{i}"
        step = STEPS[generator.integers(len(STEPS))].replace("{} =", f"{new} =", 1)
        lines.append(step.replace("{0}", source).replace("{}", source))
        names.append(new)
    target = names[generator.integers(len(names))]
    lines += [f"{target}[0] = 7.0 * X[0, 0]", f"{names[-1]}[-1] = {names[-1]}[-1] * 3"]
    total = " + ".join(f"{i + 1} * ({n} ** 2).sum()" for i, n in enumerate(names))
    return "def loss(X):\n" + "".join(f"    {line}\n" for line in lines) + f"    return {total}\n"


def judged(source, shapes, sizes):
    """ "agrees", "refused", or None where NumPy itself cannot."""
    scope = {"np": np}
    exec(source, scope)
    X = np.random.default_rng(1).normal(size=sizes)
    try:
        expected = scope["loss"](X.copy())
    except (ValueError, IndexError, TypeError):
        return None
    try:
        traced = sg.derive(scope["loss"], shapes, wrt="X")
        found = traced(X=X.copy())[0]
    except SymgradError:
        return "refused"
    np.testing.assert_allclose(found, expected, rtol=1e-9, err_msg=source)
    return "agrees"


@pytest.mark.parametrize("shapes", ["n d", "4 6", "n 6"])
def test_random_chains_of_views_and_writes_agree_with_numpy_or_are_refused(shapes):
    counts = {"agrees": 0, "refused": 0, None: 0}
    for seed in range(60):
        counts[judged(chain(np.random.default_rng(seed)), {"X": shapes}, (4, 6))] += 1
    assert counts["agrees"] > 12, counts


def test_the_rule_of_reshape_is_numpys():
    """``layout`` against the memory of NumPy's own arrays."""
    from symgrad.program import Builder
    from symgrad.trace import layout

    generator, builder = np.random.default_rng(5), Builder()
    cases = 0
    for _ in range(400):
        a = np.zeros(tuple(generator.integers(1, 5, generator.integers(1, 4))))
        a = a.transpose(generator.permutation(a.ndim))
        key = tuple(slice(None, None, int(generator.choice([1, 1, 2, -1]))) for _ in a.shape)
        a = a[key]
        a = a.reshape(a.shape)
        factors = [f for d in a.shape for f in ((2, 2) if d == 4 else (d,))]
        cut = sorted(generator.integers(0, len(factors) + 1, 2))
        wanted = tuple(
            int(np.prod(p)) for p in (factors[: cut[0]], factors[cut[0] : cut[1]], factors[cut[1] :])
        )
        new = a.reshape(wanted)
        shares = np.shares_memory(a, new)
        strides = layout.of_numbers(a)
        assert layout.reshapes(builder, a.shape, strides, wanted) == shares, (a.shape, a.strides, wanted)
        assert layout.contiguous(builder, a.shape, strides) == a.flags.c_contiguous
        if shares:
            cases += 1
            long = [i for i, d in enumerate(wanted) if d > 1]
            found = layout.reshaped(a.shape, strides, wanted)
            assert [found[i] for i in long] == [layout.of_numbers(new)[i] for i in long]
    assert cases > 100
