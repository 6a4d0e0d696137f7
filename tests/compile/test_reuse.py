"""Values in the memory of earlier ones: not a bit changes."""

from __future__ import annotations

import numpy as np
import pytest
from calculus.loss_table import LOSSES, SIZES, Loss, draw
from compile.interpreted import interpreted

from symgrad.compile.gradient_source import NAME, gradient_source
from symgrad.compile.loops import LoopWriter
from symgrad.compile.names import Namer

ARRAYS = [loss for loss in LOSSES if "" not in loss.shapes.values()]


def results(loss: Loss, dtype: str, reuse: bool) -> list[np.ndarray]:
    """Loss and gradients at two sets of sizes, of the kernel's source run as plain Python."""
    p = loss.derive().program
    run = interpreted(gradient_source(p, dtype, reuse), NAME)
    out = []
    for sizes in SIZES[:2]:
        arrays = {n: a.astype(dtype) for n, a in draw(loss, sizes).items()}
        grads = [np.empty(arrays[label].shape, dtype) for label, _ in p.outputs if label != "loss"]
        with np.errstate(all="ignore"):
            value = run(*(arrays[i.name] for i in p.inputs), *grads)
        out += [np.asarray(value), *grads]
    return out


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", ARRAYS, ids=str)
def test_reuse_changes_no_bit(loss: Loss, dtype: str) -> None:
    for with_it, without in zip(results(loss, dtype, True), results(loss, dtype, False), strict=True):
        np.testing.assert_array_equal(with_it, without)


def test_most_losses_with_several_arrays_reuse_some() -> None:
    counts = []
    for loss in ARRAYS:
        p = loss.derive().program
        writer = LoopWriter(p, set(), Namer(p), {}, False)
        counts.append(len(writer.shared))
        assert len(writer.buffers()) < len(
            LoopWriter(p, set(), Namer(p), {}, False, reuse=False).buffers()
        ) or (not writer.shared)
    assert sum(c > 0 for c in counts) >= 25


@pytest.mark.parametrize("loss", ARRAYS, ids=str)
def test_reuse_keeps_loops_joined(loss: Loss) -> None:
    p = loss.derive().program
    counts = []
    for reuse in (True, False):
        namer = Namer(p)
        targets = {label: namer.fresh(f"gradient_{label}") for label, _ in p.outputs if label != "loss"}
        writer = LoopWriter(p, set(), namer, targets, True, reuse=reuse)
        writer.statements()
        counts.append(len(writer.nests))
    assert counts[0] == counts[1]
