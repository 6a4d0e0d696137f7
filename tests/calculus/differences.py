"""A derived loss against NumPy: the value against the function itself, gradients against central differences."""

from __future__ import annotations

import numpy as np

import symgrad as sg


def derived(loss, shapes, arrays):
    """The value and gradients by every argument."""
    names = list(shapes)
    return sg.derive(loss, shapes, wrt=names)(**arrays)


def slopes(loss, arrays, name, step=1e-6):
    """Central differences of the loss by each entry of one argument."""
    out = np.zeros(arrays[name].shape)
    for at in np.ndindex(*out.shape):
        ends = []
        for sign in (1, -1):
            moved = arrays[name].copy()
            moved[at] += sign * step
            ends.append(loss(**{**arrays, name: moved}))
        out[at] = (ends[0] - ends[1]) / (2 * step)
    return out


def check(loss, shapes, sizes, seed=0, positive=False):
    """Value and gradients are NumPy's at the sizes; the sizes in shapes stay symbols."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, shape in shapes.items():
        dims = [int(d) if d.isdecimal() else sizes[d] for d in shape.split()]
        low = 0.3 if positive else -1.5
        arrays[name] = np.asarray(rng.uniform(low, 1.5, dims))
    value, grads = derived(loss, shapes, arrays)
    np.testing.assert_allclose(value, loss(**arrays), rtol=1e-12, atol=1e-13)
    for name in shapes:
        assert np.shape(grads[name]) == arrays[name].shape
        expected = slopes(loss, arrays, name)
        np.testing.assert_allclose(grads[name], expected, rtol=2e-7, atol=2e-8, err_msg=name)
