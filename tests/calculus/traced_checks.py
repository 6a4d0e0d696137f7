"""A traced function against NumPy's value of it and the scalar witness's gradient."""

from __future__ import annotations

import numpy as np
from calculus.witness import witness

import symgrad as sg
from symgrad.ops.dims import parse_shape, shape_of

SIZES = (
    {"n": 4, "d": 3, "k": 2},
    {"n": 3, "d": 3, "k": 3},
    {"n": 2, "d": 1, "k": 1},
    {"n": 1, "d": 2, "k": 1},
)


def drawn(shapes, sizes, labels=None, seed=0):
    """Random arrays; ``labels`` says below which size an array holds whole numbers."""
    rng = np.random.default_rng(seed)
    out = {}
    for name, text in shapes.items():
        shape = shape_of(parse_shape(text), sizes)
        if labels and name in labels:
            most = labels[name]
            out[name] = rng.integers(0, max(sizes.get(most, 0) if isinstance(most, str) else most, 1), shape)
        else:
            out[name] = np.asarray(rng.uniform(-1.5, 1.5, shape))
    return out


def agrees(f, shapes, sizes=SIZES, labels=None, wrt=None):
    """Σ w·f² is NumPy's, and its gradient the witness's, for symbolic shapes and for numbers."""

    def loss(**arrays):
        out = f(*arrays.values())
        count = int(np.prod(np.shape(out)))
        return (np.reshape(np.arange(1.0, count + 1), np.shape(out)) * out**2).sum()

    def symbolic(**arrays):
        out = f(*arrays.values())
        return (out**2).sum() + (out**3).sum()

    wrt = tuple(wrt or (n for n in shapes if not labels or n not in labels))
    for one in sizes:
        arrays = drawn(shapes, one, labels)
        fixed = {n: a.shape for n, a in arrays.items()}
        if one is sizes[-1]:
            check(_named(loss, shapes), fixed, arrays, wrt)
        # The same with sizes that are symbols while it is traced.
        made = sg.derive(_named(symbolic, shapes), shapes, wrt=wrt)
        value, grads = made(**arrays)
        np.testing.assert_allclose(value, symbolic(**arrays), rtol=1e-12, atol=1e-12)
        again, expected = sg.derive(_named(symbolic, shapes), fixed, wrt=wrt)(**arrays)
        np.testing.assert_allclose(value, again, rtol=1e-12, atol=1e-12)
        for n in wrt:
            np.testing.assert_allclose(grads[n], expected[n], rtol=1e-11, atol=1e-12, err_msg=n)


def check(f, shapes, arrays, wrt):
    made = sg.derive(f, shapes, wrt=wrt)
    value, grads = made(**arrays)
    np.testing.assert_allclose(value, f(**arrays), rtol=1e-12, atol=1e-12)
    witnessed, expected = witness(made.program, wrt, arrays, {})
    np.testing.assert_allclose(value, witnessed, rtol=1e-11, atol=1e-11)
    for n in wrt:
        assert grads[n].shape == arrays[n].shape
        np.testing.assert_allclose(grads[n], expected[n], rtol=1e-9, atol=1e-11, err_msg=n)


def _named(function, names):
    """The function with these parameters instead of keywords."""
    listed = ", ".join(names)
    space = {"function": function}
    exec(f"def loss({listed}): return function({', '.join(f'{n}={n}' for n in names)})", space)
    return space["loss"]
