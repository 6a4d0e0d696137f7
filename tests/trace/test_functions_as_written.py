"""Plain NumPy code, traced: the program computes what the code computes, or the refusal says why not."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import (
    ParseError,
    ShapeError,
    SpecError,
    SymgradError,
    SymgradWarning,
    TraceError,
    UnsupportedError,
)

X = {"x": "n d", "v": "d", "c": "n 1", "s": ""}
BODIES = {
    "matmul": lambda x, v, c, s: np.sum(np.matmul(x, v)),
    "dot method": lambda x, v, c, s: x.dot(v).dot(c.ravel()),
    "dot of scalars": lambda x, v, c, s: np.dot(s, s) + np.sum(np.dot(x, s)),
    "inner and outer": lambda x, v, c, s: np.inner(v, v) + np.sum(np.outer(v, v)) + np.vdot(x, x),
    "transposes": lambda x, v, c, s: np.sum(x.T @ c) + np.sum(np.transpose(x)) + np.sum(x.transpose(1, 0) @ c),
    "means": lambda x, v, c, s: np.mean(x, axis=0) @ v + x.mean(axis=1, keepdims=True).sum() + np.average(c),
    "shapes": lambda x, v, c, s: np.sum(x.reshape(-1)) + np.sum(np.ravel(c)) + np.sum(np.expand_dims(v, 0)) + v[None].sum(),
    "squeeze": lambda x, v, c, s: np.sum(np.squeeze(c, 1) * np.sum(x, axis=1)),
    "sizes": lambda x, v, c, s: np.sum(x) / len(x) + np.sum(x) / x.shape[1] + np.sum(x) / x.size + np.sum(v) / np.sqrt(len(v)),
    "float of a size": lambda x, v, c, s: np.sum(x) / float(len(x)),
    "builtin sum": lambda x, v, c, s: sum(v**2),
    "where": lambda x, v, c, s: np.sum(np.where(x > 0, x, s * x)),
    "clip": lambda x, v, c, s: np.sum(np.clip(x, -0.5, 0.5)),
    "kinks": lambda x, v, c, s: np.sum(np.maximum(0, x)) + np.sum(np.abs(v)) + np.sum(np.minimum(x, v)),
    "masks": lambda x, v, c, s: np.sum((x > 0) * x) + np.sum((x <= v) * c),
    "powers": lambda x, v, c, s: np.sum(x**2) + np.sum(np.square(v)) + np.sum(x**3.0) + np.sum(np.exp(v) ** 0.5) + np.sum(x**0),
    "like": lambda x, v, c, s: np.sum(np.ones_like(x) * x) + np.sum(np.zeros_like(v)) + np.sum(np.full_like(c, 2.5)),
    "elementwise": lambda x, v, c, s: np.sum(np.tanh(x) + np.exp(-x * x) + np.log1p(x**2) + np.arctan(x) - np.sin(x) / (1 + np.cos(v) ** 2)),
    "broadcast": lambda x, v, c, s: np.sum(x * c + v - s) + np.sum(np.broadcast_to(v, x.shape)),
    "isinstance": lambda x, v, c, s: np.sum(x) if isinstance(x, np.ndarray) else np.sum(v),
    "shape test": lambda x, v, c, s: np.sum(x) if x.ndim == 2 and c.shape[1] == 1 else np.sum(v),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_values(name):
    function = BODIES[name]
    generator = np.random.default_rng(0)
    sizes = {"n": 3, "d": 2}
    arrays = {
        n: generator.normal(size=tuple(sizes.get(d, 1) for d in shape.split())) for n, shape in X.items()
    }
    value, grads = sg.derive(function, X, list(X))(arrays)
    np.testing.assert_allclose(value, function(**arrays), rtol=1e-13)
    for parameter, g in grads.items():
        for position in np.ndindex(arrays[parameter].shape):
            shift = np.zeros_like(arrays[parameter])
            shift[position] = 1e-6
            up, down = (function(**{**arrays, parameter: arrays[parameter] + t * shift}) for t in (1, -1))
            np.testing.assert_allclose(g[position], (up - down) / 2e-6, rtol=1e-5, atol=1e-7)


def _swallows(x):
    try:
        if x.sum() > 0:
            return x.sum()
    except TypeError:
        pass
    return (x**2).sum()


def _exits(x):
    raise SystemExit(0)


REFUSALS = {
    "branch": (lambda x: x.sum() if x.sum() > 0 else -x.sum(), TraceError, "A branch on the data cannot be traced."),
    "swallowed branch": (_swallows, TraceError, "A branch on the data cannot be traced."),
    "random": (lambda x: x.sum() * np.random.default_rng().normal(), TraceError, "A loss with random numbers"),
    "unknown function": (lambda x: np.unwrap(x).sum(), UnsupportedError, "np.unwrap has no rule."),
    "unknown ufunc": (lambda x: np.spacing(x).sum(), UnsupportedError, "np.spacing has no rule."),
    "unknown method": (lambda x: x.partition(1), UnsupportedError, ".partition has no rule."),
    "unknown option": (lambda x: np.sum(x, dtype=np.float16), UnsupportedError, "np.sum is not traced with these options."),
    "its own error": (lambda x: [x][3], TraceError, "raised IndexError while it was traced"),
    "exit": (_exits, TraceError, "raised SystemExit"),
    "nothing returned": (lambda x: None, TraceError, "The loss did not return a traced value."),
    "no scalar": (lambda x: x, ShapeError, "The loss is not a scalar."),
    "inner sizes": (lambda x: (x @ x).sum(), ShapeError, "The inner dimensions of matmul differ: d and n."),
    "star arguments": (lambda *x: x[0].sum(), TraceError, "takes *x"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name):
    function, error, text = REFUSALS[name]
    with pytest.raises(error) as caught:
        sg.derive(function, {"x": "n d"}, "x")
    assert text in str(caught.value)
    assert isinstance(caught.value, SymgradError)


def test_names():
    with pytest.raises(SpecError, match="Nothing says what 'y' is"):
        sg.derive(lambda x, y: (x * y).sum(), {"x": "n"}, "x")
    with pytest.raises(SpecError, match="'q' is no argument of the loss"):
        sg.derive(lambda x: x.sum(), {"x": "n", "q": "n"}, "x")
    with pytest.raises(SpecError, match="The functions in given need each other"):
        sg.derive(lambda a: a.sum(), {"x": "n"}, "x", given={"a": lambda b: b, "b": lambda a: a})
    with pytest.raises(SpecError, match="A parameter cannot be called loss"):
        sg.derive("loss**2", {"loss": ""}, "loss")
    with pytest.raises(SpecError, match="shapes is a mapping"):
        sg.derive("x", [("x", "")], "x")
    with pytest.raises(SpecError, match="wrt is a name or a list of names"):
        sg.derive("x", {"x": ""}, 5)


def test_a_vector_against_a_column_is_warned_of():
    with pytest.warns(SymgradWarning, match=r"\(n,\) with \(n, 1\) broadcasts to \(n, n\)"):
        derivation = sg.derive("((p - y)**2).sum()", {"p": "n 1", "y": "n"}, "p")
    assert len(derivation.warnings) == 1


def test_functions_of_every_kind():
    class Model:
        scale = 2.0

        def loss(self, x, *, power=2):
            return self.scale * (x**power).sum()

    closed = 3.0
    for function, expected in (
        (Model().loss, "4x"),
        (lambda x: closed * x.sum(), "3 𝟏"),
        (lambda x, y=2.0: (y * x**2).sum(), "4x"),
    ):
        assert str(sg.derive(function, {"x": "n"}, "x").gradient) == expected


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("9**9**9*x.sum()", UnsupportedError),
        ("x.__class__", UnsupportedError),
        ("__import__('os').system('true')", SymgradError),
        ("'text'", ParseError),
        ("[y for y in x]", ParseError),
        ("lambda: x", ParseError),
        ("x.sum(", ParseError),
        ("x ^ 2", ParseError),
        ("", ParseError),
        ("(" * 5000 + "x" + ")" * 5000, ParseError),
        ("x.sum()" + "+x.sum()" * 4000, ParseError),
        ("9" * 100 + "*x.sum()", ParseError),
        ("unknown.sum()", SpecError),
    ],
)
def test_text_is_parsed_and_never_evaluated(text, error):
    with pytest.raises(error):
        sg.derive(text, {"x": "n"}, "x")
