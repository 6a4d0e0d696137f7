"""Soundness of proofs: programs changed at random are proved equal only where they are equal."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import sympy
from verify_losses import sigmoid

from symgrad.errors import SymgradError
from symgrad.ops.record import ARG
from symgrad.program import Builder, Program, numpy_callable
from verify.proof import prove
from verify.spec import Spec, make_spec

SQUARE = {"x": "n n", "w": "n n", "y": "n n"}

LOSSES = {
    "linear": (lambda x, w, y: 0.5 * ((x @ w - y) ** 2).sum(), SQUARE),
    "mean": (lambda x, w, y: ((x @ w - y) ** 2).mean(axis=0).sum(), SQUARE),
    "twice": (lambda x, w, y: ((x @ w @ w - y) ** 2).sum() + (w * w.T).sum(), SQUARE),
    "tanh": (lambda x, w, y: ((np.tanh(x @ w) @ w.T - y) ** 2).sum(), SQUARE),
    "relu": (lambda x, w, y: (np.maximum(x @ w, 0) * y).sum() ** 2, SQUARE),
    "sigmoid": (lambda x, w, y: ((sigmoid(x * w) - y.sum(axis=0)) ** 2).sum(), SQUARE),
}

FUNCTIONS = (2 * ARG(0), -ARG(0), ARG(0) ** 2, sympy.tanh(ARG(0)), ARG(0) / 2, ARG(0) + 1)
PAIRS = (ARG(0) + ARG(1), ARG(0) - ARG(1), ARG(0) * ARG(1), ARG(1) - ARG(0))


def _mutant(program: Program, wrt: str, generator: np.random.Generator) -> Program | None:
    """The gradient's program with one binding replaced by another of the same shape."""
    wanted = program.only(wrt)
    at = int(generator.integers(len(wanted.bindings)))
    builder = Builder(wanted.inputs)
    names = {i.name: i.name for i in wanted.inputs}
    try:
        for number, b in enumerate(wanted.bindings):
            args = [names[a] for a in b.args]
            attrs = dict(b.attrs)
            name = builder.emit(b.op, *args, **attrs)
            if number == at:
                name = _changed(builder, b, name, args, attrs, wanted, names, generator)
            if builder.type(name).shape != b.shape:
                return None
            names[b.name] = name
        return builder.finish([(wrt, names[wanted.output[wrt]])])
    except SymgradError:
        return None


def _changed(builder, b, name, args, attrs, wanted, names, generator):
    kind = generator.integers(4)
    if kind == 0 and b.op == "transpose":
        return args[0]
    if kind == 1 and len(args) == 2:
        return builder.emit(b.op, *args[::-1], **attrs)
    if kind == 2 and b.op == "pointwise" and len(args) == 2:
        return builder.emit("pointwise", *args, fn=PAIRS[generator.integers(len(PAIRS))])
    if kind == 3 and len(b.shape) == 2:
        return builder.emit("transpose", name, axes=(1, 0))
    return builder.emit("pointwise", name, fn=FUNCTIONS[generator.integers(len(FUNCTIONS))])


def _equal(spec: Spec, mutant: Program, seed: int) -> bool:
    generator = np.random.default_rng(seed)
    for n in (2, 3):
        arrays = [generator.standard_normal(spec.shape(i.name, {"n": n})) for i in spec.inputs]
        _, right = numpy_callable(spec.program)(*arrays)
        got = numpy_callable(mutant)(*arrays)
        if not np.allclose(got, right["w"], rtol=1e-9, atol=1e-9):
            return False
    return True


@pytest.mark.parametrize("name", LOSSES)
def test_no_mutant_is_proved_that_is_not_equal(name):
    loss, shapes = LOSSES[name]
    spec = make_spec(loss, shapes, "w")
    generator = np.random.default_rng(11)
    proved = tried = 0
    for seed in range(120):
        mutant = _mutant(spec.program, "w", generator)
        if mutant is None:
            continue
        tried += 1
        if prove(spec, mutant) is None:
            proved += 1
            assert _equal(spec, mutant, seed), str(mutant)
    assert tried > 60
    assert proved < tried


def test_the_unchanged_gradient_is_proved():
    for loss, shapes in LOSSES.values():
        spec = make_spec(loss, shapes, "w")
        assert prove(spec, spec.program.only("w")) is None


def test_restricted_domains_are_not_proved():
    loss, shapes = LOSSES["linear"]
    spec = make_spec(loss, shapes, "w", domains={"x": "positive"})
    assert dataclasses.is_dataclass(spec)
    assert "domains" in prove(spec, spec.program.only("w"))
