"""What a record says of its operation in one place is checked against what it says in another."""

from __future__ import annotations

from collections.abc import Mapping

import mpmath
import numpy as np
import sympy
from calculus.witness import positions, witness

from symgrad.calculus import differentiate
from symgrad.ops import OPS
from symgrad.ops.dims import as_dim, dim_symbol, shape_of, size_of
from symgrad.ops.record import ARG, Example, Magnitude
from symgrad.ops.scalars import in_own_terms
from symgrad.program import Builder, Input, Program, numpy_callable
from symgrad.program.scalarise import scalar_expressions

SIZES: tuple[dict[str, int], ...] = (
    {"n": 3, "d": 2, "k": 2},
    {"n": 2, "d": 2, "k": 2},
    {"n": 1, "d": 1, "k": 1},
    {"n": 1, "d": 3, "k": 2},
    {"n": 0, "d": 2, "k": 3},
    {"n": 2, "d": 0, "k": 1},
)


def dimension(d):
    """An example's dimension: an int, a name, or a product of names."""
    if isinstance(d, str):
        return sympy.Mul(*(dim_symbol(part) for part in d.split("*")))
    return d


def program_of(name: str, example: Example) -> Program:
    """The operation alone, on inputs a0, a1, …, as the output ``loss``."""
    builder, operands, attrs = _started(example)
    return builder.finish([("loss", builder.emit(name, *operands, **attrs))])


def _started(example):
    attrs = {k: tuple(dimension(d) for d in v) if k == "shape" else v for k, v in dict(example.attrs).items()}
    domains = example.domains or ("real",) * len(example.shapes)
    inputs = [
        Input(
            f"a{i}", tuple(dimension(d) for d in s), "int" if domain.startswith("labels") else "real", domain
        )
        for i, (s, domain) in enumerate(zip(example.shapes, domains, strict=True))
    ]
    # An array that has every size, as the loss around an operation would have one.
    sizes = Input("sizes", tuple(dim_symbol(n) for n in "ndk"))
    return Builder([*inputs, sizes]), [i.name for i in inputs], attrs


def weighted(name: str, example: Example) -> Program:
    """The scalar Σ weight ⊙ op(a0, a1, …), whose gradients are the vector-Jacobian products."""
    builder, operands, attrs = _started(example)
    out = builder.emit(name, *operands, **attrs)
    shape = builder.type(out).shape
    builder.input(Input("weight", shape))
    total = builder.emit("pointwise", "weight", out, fn=ARG(0) * ARG(1))
    if shape:
        axes = tuple(range(len(shape)))
        total = builder.emit("sum", total, axes=axes, keepdims=False, total=True)
    return builder.finish([("loss", total)])


def draw(program: Program, sizes: Mapping[str, int], seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    out = {}
    for i in program.inputs:
        shape = shape_of(i.shape, sizes)
        if i.domain.startswith("labels"):
            most = size_of(as_dim(i.domain.split()[1]), sizes)
            out[i.name] = rng.integers(0, max(most, 1), shape)
        elif i.domain == "spd":
            root = rng.uniform(-1, 1, shape)
            out[i.name] = root @ np.swapaxes(root, -1, -2) + np.eye(shape[-1]) / 2
        elif i.domain == "invertible":
            out[i.name] = rng.uniform(-0.5, 0.5, shape) + 1.5 * np.eye(shape[-1])
        elif i.domain == "positive":
            out[i.name] = np.asarray(rng.uniform(0.3, 1.5, shape))
        else:
            out[i.name] = np.asarray(rng.uniform(-1.5, 1.5, shape))
    return out


def at_sizes(value, symbols: Mapping[sympy.Symbol, int]):
    """Attributes with numbers for the sizes, as verification passes them."""
    if isinstance(value, dict):
        return {k: at_sizes(v, symbols) for k, v in value.items()}
    if isinstance(value, tuple):
        return tuple(at_sizes(v, symbols) for v in value)
    return value.xreplace(symbols) if isinstance(value, sympy.Expr) else value


def fits(example: Example, sizes: Mapping[str, int]) -> bool:
    """Whether the example can be had at these sizes."""
    return not (example.nonempty and 0 in sizes.values())


def check_definition(name: str, example: Example, sizes: Mapping[str, int]) -> None:
    """``define``, entry by entry, is what NumPy computes; ``infer`` is the shape that it has."""
    program = program_of(name, example)
    arrays = draw(program, sizes)
    result = np.asarray(numpy_callable(program)(*arrays.values()))
    out = program.output["loss"]
    assert shape_of(program.type(out).shape, sizes) == result.shape
    exact = {
        (n, at): sympy.Rational(*float(a[at]).as_integer_ratio())
        for n, a in arrays.items()
        for at in positions(a.shape)
    }
    written = scalar_expressions(program, sizes, exact)
    assert sum(1 for n, _ in written if n == out) == result.size
    for at in positions(result.shape):
        expected = float(mpmath.mpf(sympy.N(in_own_terms(written[out, at]), 30)))
        np.testing.assert_allclose(result[at], expected, rtol=1e-12, atol=1e-13, err_msg=f"entry {at}")


def check_vjp(name: str, example: Example, sizes: Mapping[str, int]) -> None:
    """``vjp`` is the derivative of the definition by SymPy's scalar ``diff``."""
    program = weighted(name, example)
    wrt = [i.name for i in program.inputs if i.name not in ("weight", "sizes") and i.kind == "real"]
    arrays = draw(program, sizes)
    made = differentiate(program, wrt).program
    _, grads = numpy_callable(made)(*arrays.values()) if wrt else (None, {})
    _, expected = witness(program, wrt, arrays, sizes)
    for n in wrt:
        assert np.shape(grads[n]) == arrays[n].shape, n
        np.testing.assert_allclose(grads[n], expected[n], rtol=1e-9, atol=1e-11, err_msg=n)


def check_magnitude(name: str, example: Example, sizes: Mapping[str, int]) -> None:
    """The size of the terms is never below the value, and is the value where nothing can cancel."""
    program = program_of(name, example)
    arrays = draw(program, sizes)
    (binding,) = program.bindings
    attrs = at_sizes(dict(binding.attrs), {dim_symbol(n): s for n, s in sizes.items()})
    for values in (list(arrays.values()), [np.abs(a) for a in arrays.values()]):
        out = numpy_callable(program)(*values)
        sizes_of = [Magnitude(a, np.abs(a)) for a, i in zip(values, program.inputs) if i.name != "sizes"]
        size = np.asarray(OPS[name].magnitude(sizes_of, attrs, out))
        assert size.shape == np.shape(out)
        assert (size >= np.abs(out) * (1 - 1e-12)).all()
