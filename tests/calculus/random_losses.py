"""Random losses for hypothesis, made from the table of elementwise functions and the array operations."""

from __future__ import annotations

import numpy as np
from calculus.loss_table import Loss
from hypothesis import strategies as st

from symgrad.ops.dims import broadcast, format_shape, parse_shape
from symgrad.ops.scalars import ELEMENTARY

SHAPES = {"a": "n d", "b": "n d", "w": "d n", "u": "n 1", "v": "d", "s": ""}

TAME = (
    "sin",
    "cos",
    "tanh",
    "arctan",
    "arcsinh",
    "sigmoid",
    "softplus",
    "erf",
    "relu",
    "silu",
    "gelu",
    "abs",
    "neg",
)
UNARY = tuple(
    f"np.{e.ufunc}({{}})" if e.ufunc else f"sg.{e.name}({{}})" for e in ELEMENTARY if e.name in TAME
)
assert len(UNARY) == len(TAME)
SAFE = ("np.exp(np.tanh({}))", "np.log(1.5 + np.sin({}))", "np.sqrt(1 + ({})**2)", "1/(2 + np.cos({}))", "({})**3",
        "({})**2", "(2 + np.sin({}))**-1.5", "0.25*({})", "({}) - 1.5")  # fmt: skip
BINARY = ("({}) + ({})", "({}) - ({})", "({})*({})", "({})/(2 + np.sin({}))", "np.maximum({}, {})",
          "np.where(({}) > 0.1, {}, 0.5)", "(1.5 + np.tanh({}))**np.tanh({})")  # fmt: skip


def _fits(one, other):
    try:
        return broadcast([one, other], "")
    except ValueError:
        return None


def _reduced(shape, axis, keepdims):
    kept = tuple(1 if i == axis else d for i, d in enumerate(shape))
    return kept if keepdims else tuple(d for i, d in enumerate(shape) if i != axis)


@st.composite
def losses(draw, most=8):
    """A scalar loss of up to ``most`` operations on inputs of every kind of shape."""
    values = [(name, parse_shape(shape)) for name, shape in SHAPES.items()]
    inputs = len(values)

    def pick(accept=lambda shape: True):
        # The newest values come first, so that what was made is also used.
        fitting = [v for v in reversed(values) if accept(v[1])]
        return draw(st.sampled_from(fitting))

    for _ in range(draw(st.integers(1, most))):
        kind = draw(
            st.sampled_from(("unary", "unary", "binary", "binary", "binary", "matmul", "move", "sum"))
        )
        text, shape = pick()
        if kind == "unary":
            made = (draw(st.sampled_from(UNARY + SAFE)).format(text), shape)
        elif kind == "binary":
            other, second = pick(lambda s, shape=shape: _fits(shape, s) is not None)
            made = (draw(st.sampled_from(BINARY)).format(text, other), broadcast([shape, second], ""))
        elif kind == "matmul":
            if not shape:
                continue
            inner = shape[-1]
            other, second = pick(lambda s, inner=inner: s[:1] == (inner,) or (len(s) > 1 and s[-1] == inner))
            if second[0] != inner:
                other, second = f"({other}).T", second[::-1]
            made = (f"(({text}) @ ({other}))", (*shape[:-1], *second[1:]))
        elif kind == "move":
            if len(shape) == 1:
                made = (f"({text})[:, None]", (*shape, 1))
            elif len(shape) == 2:
                made = (f"({text}).T", shape[::-1])
            else:
                continue
        else:
            if not shape:
                continue
            axis = draw(st.integers(0, len(shape) - 1))
            keepdims = draw(st.booleans())
            how = draw(st.sampled_from(("sum", "mean")))
            made = (f"({text}).{how}(axis={axis}, keepdims={keepdims})", _reduced(shape, axis, keepdims))
        if len(made[0]) < 600:
            values.append(made)
    terms = [f"({t}).sum()" if s else f"({t})" for t, s in values[inputs:][-2:]] or ["a.sum()"]
    text = " + ".join(f"np.tanh(0.3*{t})" for t in terms)
    used = {n: s for n, s in SHAPES.items() if n in _names(text)}
    return Loss(f"random {format_shape(values[-1][1])}", text, used, tuple(used))


def _names(text):
    import ast

    return {n.id for n in ast.walk(ast.parse(text, mode="eval")) if isinstance(n, ast.Name)} - {"np", "sg"}


def slope(loss, arrays, direction, step=1e-5):
    """The derivative of the loss along a direction, by central differences of two orders."""
    f = loss.plain()

    def at(t):
        return float(f(**{n: a + t * direction[n] for n, a in arrays.items()}))

    first = (at(step) - at(-step)) / (2 * step)
    second = (at(2 * step) - at(-2 * step)) / (4 * step)
    return (4 * first - second) / 3, abs(first - second)


def directions(arrays, seed):
    rng = np.random.default_rng(seed)
    return {n: np.asarray(rng.standard_normal(a.shape)) for n, a in arrays.items()}
