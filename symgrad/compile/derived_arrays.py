"""Kernels of arrays of derivatives, without a loss: Hessians, products with them, Jacobians."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symgrad.compile.broadcasts import hoisted, upright
from symgrad.compile.gradient import Kernel, compile_gradient
from symgrad.program import Builder, Program


def compile_arrays(program: Program, labels: Sequence[str], dtype: Any = "float64") -> Kernel:
    """A kernel of these outputs; the number that it returns besides its arrays is 0.

    Raises:
        SpecError: a dtype other than float32 and float64.
    """
    chosen = upright(hoisted(program.only(*labels)))
    builder = Builder.extending(chosen)
    return compile_gradient(builder.finish([("loss", builder.constant(0)), *chosen.outputs]), dtype)
