"""The compiled loss and gradient: ``Derivation.compile``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from symgrad.compile.arrays import bind, check_dtype
from symgrad.compile.cache import compile_for, kind_of, load
from symgrad.compile.forms import check_not_empty, must_not_be_empty
from symgrad.compile.gradient_source import NAME, gradient_source
from symgrad.ops.dims import Dim, shape_of
from symgrad.program import FAILURES, Program, explained


@dataclass
class Kernel:
    """A compiled function of a program's inputs.

    Attributes:
        program: what it computes.
        dtype: ``float32`` or ``float64``.
        source: the text of the kernel file.
        timings: seconds spent on ``plan``, ``compile`` and the last ``run``.
    """

    program: Program
    dtype: str
    source: str
    timings: dict[str, float] = field(default_factory=dict)
    _function: Any = None
    _met: set[tuple[bool, ...]] = field(default_factory=set)
    _not_empty: tuple[tuple[str, Dim], ...] = ()

    def __call__(
        self, arrays: Mapping[str, Any] | None = None, /, **named: Any
    ) -> tuple[float, dict[str, np.ndarray]]:
        """The loss, and for each parameter its gradient as a new array of the parameter's shape.

        Raises:
            SpecError, ShapeError, DataError: the arrays do not fit.
            DataError: a matrix without an inverse, an index out of range.
        """
        values, sizes = bind(self.program, {**(arrays or {}), **named}, self.dtype)
        check_not_empty(self._not_empty, sizes)
        grads = {
            label: np.empty(shape_of(self.program.type(value).shape, sizes), self.dtype)
            for label, value in self.program.outputs
            if label != "loss"
        }
        arguments = (*values.values(), *grads.values())
        kind = kind_of(arguments)
        if kind not in self._met:
            start = perf_counter()
            self._function, path = load(self.source, NAME)
            compile_for(self._function, arguments, path)
            self._met.add(kind)
            self.timings["compile"] = perf_counter() - start
        start = perf_counter()
        try:
            loss = self._function(*arguments)
        except FAILURES as error:
            raise explained(error, NAME) from error
        self.timings["run"] = perf_counter() - start
        return np.dtype(self.dtype).type(loss), grads


def compile_gradient(program: Program, dtype: Any = "float64") -> Kernel:
    """A kernel for a program with the outputs ``loss`` and one for each parameter; it compiles when first called.

    Raises:
        SpecError: a dtype other than float32 and float64.
    """
    start = perf_counter()
    name = check_dtype(dtype)
    source = gradient_source(program, name)
    needed = tuple(must_not_be_empty(program))
    return Kernel(program, name, source, {"plan": perf_counter() - start}, _not_empty=needed)
