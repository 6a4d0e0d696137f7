"""``Kernel.for_scipy``: a loss and its derivatives as functions of one flat vector, as SciPy's optimizers take them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from symgrad.calculus import free_name, jacobian_rows, numbered, vector_jacobians
from symgrad.compile.arrays import as_array, bind
from symgrad.compile.derived_arrays import compile_arrays
from symgrad.compile.gradient import Kernel, compile_gradient
from symgrad.errors import DataError, ShapeError, SpecError

DTYPE = "float64"
LOSS = "loss"


class ScipyProblem(NamedTuple):
    """What ``scipy.optimize.minimize`` takes; every number is float64.

    Attributes:
        fun: from a vector of shape (N,) to the loss, a float, and the gradient (N,): pass ``jac=True``.
        x0: the first values of all parameters in one vector (N,), in the order of ``wrt``.
        unpack: from a vector (N,) to a dict of the parameters, each an array of its own shape.
        hess: from a vector to the Hessian (N, N).
        hessp: from a vector and a direction (N,) to the Hessian times the direction (N,).
    """

    fun: Callable[[Any], tuple[float, np.ndarray]]
    x0: np.ndarray
    unpack: Callable[[Any], dict[str, np.ndarray]]
    hess: Callable[[Any], np.ndarray]
    hessp: Callable[[Any, Any], np.ndarray]


def for_scipy(kernel: Kernel, params: Mapping[str, Any], data: Mapping[str, Any]) -> ScipyProblem:
    """A kernel's loss as a problem for SciPy: see :meth:`Kernel.for_scipy`."""
    program = kernel.program
    names = [label for label, _ in program.outputs if label != LOSS]
    rest = [i.name for i in program.inputs if i.name not in names]
    _check_names("params", params, names, rest)
    _check_names("data", data, rest, names)
    arrays, _ = bind(program, {**data, **params}, DTYPE)
    for name in names:
        if not np.isfinite(arrays[name]).all():
            raise DataError(
                f"The first value of {name!r} is not finite.",
                where=f"for_scipy, params[{name!r}]",
                expected="finite numbers to start from",
            )
    double = kernel if kernel.dtype == DTYPE else compile_gradient(program, DTYPE)
    functions = _Functions(double, {n: arrays[n].copy() for n in rest}, {n: arrays[n].shape for n in names})
    x0 = _flat([arrays[n] for n in names])
    return ScipyProblem(functions.fun, x0, functions.unpack, functions.hess, functions.hessp)


def _check_names(what: str, given: Mapping[str, Any], wanted: Sequence[str], others: Sequence[str]) -> None:
    """See that a mapping has just the names that it should."""
    expected = ", ".join(wanted) or "nothing"
    if not isinstance(given, Mapping):
        raise SpecError(
            f"{what} is a mapping from names to arrays.",
            where=f"for_scipy, {what}",
            expected=expected,
            got=type(given).__name__,
        )
    wrong = [n for n in [*wanted, *given] if n not in given or n not in wanted]
    if wrong:
        name = wrong[0]
        here = "data" if what == "params" else "params"
        raise SpecError(
            f"{name!r} is missing." if name in wanted else f"{name!r} does not belong there.",
            where=f"for_scipy, {what}",
            expected=expected,
            got=", ".join(map(str, given)) or "nothing",
            fix=f"pass {name!r} in {here}" if name in others else None,
        )


@dataclass
class _Functions:
    """The functions of a flat vector.

    Attributes:
        kernel: the loss and its gradients, in double precision.
        data: what stays.
        shapes: of the parameters, in the order in which they lie in the vector.
    """

    kernel: Kernel
    data: Mapping[str, np.ndarray]
    shapes: Mapping[str, tuple[int, ...]]

    def fun(self, x: Any) -> tuple[float, np.ndarray]:
        """The loss and its gradient."""
        loss, gradients = self.kernel({**self.data, **self._parts(x, "x")})
        return float(loss), _flat([gradients[n] for n in self.shapes])

    def unpack(self, x: Any) -> dict[str, np.ndarray]:
        """The parameters, as arrays of their own."""
        return {n: part.copy() for n, part in self._parts(x, "x").items()}

    def hess(self, x: Any) -> np.ndarray:
        """The Hessian."""
        _, blocks = self._hessian({**self.data, **self._parts(x, "x")})
        whole = np.empty((self._size, self._size))
        for (a, b), label in self._blocks.items():
            rows, columns = self._places[a], self._places[b]
            whole[rows, columns] = blocks[label].reshape(whole[rows, columns].shape)
            if a != b:
                whole[columns, rows] = whole[rows, columns].T
        return whole

    def hessp(self, x: Any, v: Any) -> np.ndarray:
        """The Hessian times a direction."""
        along = {self._directions[n]: part for n, part in self._parts(v, "v").items()}
        _, products = self._product({**self.data, **self._parts(x, "x"), **along})
        return _flat([products[label] for label in self._directions.values()])

    # Between vector and parameters ----------------------------------------------------------------------------

    @cached_property
    def _places(self) -> Mapping[str, slice]:
        """Where each parameter lies in the vector."""
        ends = np.cumsum([0, *(math.prod(s) for s in self.shapes.values())]).tolist()
        return {n: slice(a, b) for n, a, b in zip(self.shapes, ends, ends[1:], strict=False)}

    @cached_property
    def _size(self) -> int:
        return sum(math.prod(s) for s in self.shapes.values())

    def _parts(self, x: Any, name: str) -> dict[str, np.ndarray]:
        vector = as_array(name, x, DTYPE)
        if vector.shape != (self._size,):
            raise ShapeError(
                f"{name} holds all parameters in one vector.",
                where=f"for_scipy, {name}",
                expected=f"({self._size},): {', '.join(f'{n} {s}' for n, s in self.shapes.items())}",
                got=str(vector.shape),
            )
        return {n: vector[self._places[n]].reshape(s) for n, s in self.shapes.items()}

    # Second order, compiled when first asked for --------------------------------------------------------------

    @cached_property
    def _blocks(self) -> Mapping[tuple[str, str], str]:
        """For two parameters, the second not before the first, how their second derivatives are called."""
        names = list(self.shapes)
        pairs = [(a, b) for i, a in enumerate(names) for b in names[i:]]
        return {pair: f"hessian_{i}" for i, pair in enumerate(pairs)}

    @cached_property
    def _hessian(self) -> Kernel:
        program = self.kernel.program
        for (a, b), label in self._blocks.items():
            program = jacobian_rows(program, a, b, label)
        return compile_arrays(program, list(self._blocks.values()))

    @cached_property
    def _directions(self) -> Mapping[str, str]:
        """For each parameter an input for the direction; its product with the Hessian is called the same."""
        program = self.kernel.program
        return {n: free_name(program, numbered(f"direction_{i}")) for i, n in enumerate(self.shapes)}

    @cached_property
    def _product(self) -> Kernel:
        made = vector_jacobians(self.kernel.program, self._directions, self._directions)
        return compile_arrays(made, list(self._directions.values()))


def _flat(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([a.ravel() for a in arrays])
