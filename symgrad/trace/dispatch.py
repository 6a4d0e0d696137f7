"""Calls of NumPy that reach a traced array: ufuncs with their options, functions, methods.

Calls on plain numbers are NumPy's own.  What writes into its arguments, or returns memory that it shares with
them, is listed here; everything else is a pure function of ``numpy_functions``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symgrad.errors import TraceError, UnsupportedError, nearest
from symgrad.ops.dims import format_shape
from symgrad.program import Builder
from symgrad.trace import (
    gammas,
    indexing,
    joining,
    moves,
    moving,
    reductions,
    sequences,
    size_lists,
    special,
    views,
)
from symgrad.trace import operations as ops
from symgrad.trace.grids import ordered_ravel, ordered_reshape
from symgrad.trace.numpy_functions import NUMPY_FUNCTIONS, UFUNCS, bind_numpy
from symgrad.trace.refusals import remembering
from symgrad.trace.sizes import constant_of, number

SCIPY_SPECIAL = {**reductions.SCIPY_SPECIAL, **special.SCIPY_SPECIAL, **gammas.SCIPY_SPECIAL}
"""Functions of scipy.special by name."""

REDUCTIONS: dict[str, Callable[..., Any]] = {
    "add": np.sum,
    "multiply": np.prod,
    "maximum": np.max,
    "minimum": np.min,
    "logical_and": np.all,
    "logical_or": np.any,
}
ACCUMULATIONS: dict[str, Callable[..., Any]] = {"add": np.cumsum, "multiply": np.cumprod}

METHODS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (np.all, np.any, np.argmax, np.argmin, np.argsort, np.clip, np.cumprod, np.cumsum, np.diagonal, np.max,
              np.mean, np.min, np.prod, np.repeat, np.round, np.std, np.sum, np.take, np.trace, np.var)
}  # fmt: skip
"""Methods of an array that are NumPy functions of it."""


def torch_names(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """PyTorch's names of axis and keepdims, which its users write; options that change nothing are dropped."""
    out = {{"dim": "axis", "keepdim": "keepdims"}.get(k, k): v for k, v in options.items()}
    return {k: v for k, v in out.items() if not (k in ("dtype", "out") and v is None)}


# Ufuncs ---------------------------------------------------------------------------------------------------


@remembering
def call_ufunc(
    builder: Builder, ufunc: np.ufunc, method: str, inputs: Sequence[Any], options: Mapping[str, Any]
) -> Any:
    """``ufunc(*inputs, **options)``, or one of its methods."""
    options = dict(options)
    out = options.pop("out", (None,))
    where = options.pop("where", True)
    for unneeded in ("dtype", "casting", "order", "subok"):
        options.pop(unneeded, None)
    name = f"np.{ufunc.__name__}"
    if method == "at":
        return _at(builder, ufunc, inputs)
    if out[0] is not None and not isinstance(out[0], ops.Array):
        raise TraceError(
            "A traced array cannot be written into an array of numbers.",
            where=name,
            fix="write r = r + y instead of r += y, or create the array inside the function",
        )
    result = _pure_ufunc(builder, ufunc, method, inputs, options)
    if out[0] is None and where is True:
        return result
    if where is not True:
        if out[0] is None:
            raise UnsupportedError("where= leaves entries undefined.", where=name, fix="give out= too")
        result = ops.elementary(builder, "where", where, result, out[0])
    target: Any = out[0]
    if not target.dims:
        return result  # a NumPy scalar is never changed in place
    return views.replace(target, result, name)


def _pure_ufunc(
    builder: Builder, ufunc: np.ufunc, method: str, inputs: Sequence[Any], options: dict[str, Any]
) -> Any:
    name = f"np.{ufunc.__name__}"
    plain = [_numbers(v) for v in inputs]
    if all(p is not None for p in plain):
        return ops.Array(builder, data=np.asarray(getattr(ufunc, method)(*plain, **options)))
    if method == "reduce" and ufunc.__name__ in REDUCTIONS:
        options = {k: v for k, v in options.items() if v is not None or k == "axis"}
        options.setdefault("axis", 0)
        return call_numpy(builder, REDUCTIONS[ufunc.__name__], inputs, options)
    if method == "reduce" and ufunc.__name__ == "logaddexp":
        return reductions.logsumexp(builder, *inputs, **{"axis": 0, **options})
    if method == "accumulate" and ufunc.__name__ in ACCUMULATIONS:
        return call_numpy(builder, ACCUMULATIONS[ufunc.__name__], inputs, {"axis": 0, **options})
    if method == "accumulate" and ufunc.__name__ in UFUNCS and not options.keys() - {"axis"}:
        axis = inputs[1] if len(inputs) > 1 else options.get("axis", 0)
        return sequences.accumulated(builder, UFUNCS[ufunc.__name__], inputs[0], axis, name)
    if method == "outer" and not options:
        first, second = (ops.lift(builder, v) for v in inputs)
        spread = moves.reshape_dims(first, (*first.dims, *(1 for _ in second.dims)))
        return _pure_ufunc(builder, ufunc, "__call__", (spread, second), {})
    if method != "__call__" or options:
        raise UnsupportedError(
            f"{name} is traced as a plain call only.",
            where=name,
            got=f"method {method}, options {sorted(options)}",
        )
    rule = UFUNCS.get(ufunc.__name__) or SCIPY_SPECIAL.get(ufunc.__name__)
    if rule is None:
        raise UnsupportedError(f"{name} has no rule.", where=name, expected=nearest(ufunc.__name__, UFUNCS))
    result = rule(builder, *inputs)
    result = views.fresh(result) if any(result is v for v in inputs) else result
    if type(result) is ops.Array and result.kind == "int":
        result.real = ufunc in (np.divide, np.true_divide) or any(map(_is_real, inputs))
    return result


def _is_real(value: Any) -> bool:
    """Whether NumPy's result of this and whole numbers is made of floats."""
    if isinstance(value, ops.Array):
        return value.kind == "real" and not _is_size(value)
    if isinstance(value, (list, tuple)):
        return any(map(_is_real, value))
    return isinstance(value, (float, np.floating)) or (
        isinstance(value, np.ndarray) and value.dtype.kind == "f"
    )


def _is_size(value: Any) -> bool:
    constant = constant_of(value) if value.numbers is None else None
    return constant is not None and bool(constant.is_integer)


def _at(builder: Builder, ufunc: np.ufunc, inputs: Sequence[Any]) -> None:
    """``np.add.at(a, key, value)``: add at indices, repeated ones several times."""
    if ufunc.__name__ not in ("add", "subtract"):
        raise UnsupportedError(
            f"np.{ufunc.__name__}.at has no rule.", where=f"np.{ufunc.__name__}.at", expected="np.add.at"
        )
    target, key, value = inputs
    if not isinstance(target, ops.Array):
        raise TraceError(
            "A traced array cannot be written into an array of numbers.",
            where="np.add.at",
            fix="create the array inside the function",
        )
    if ufunc.__name__ == "subtract":
        value = -value
    target.store(
        views.fresh(indexing.added_at(builder, ops.Array(builder, target.name), views.plain_key(key), value))
    )


def _numbers(value: Any) -> Any:
    """The plain numbers of an argument; None where it depends on an input."""
    if isinstance(value, ops.Array):
        return value.numbers
    if isinstance(value, (list, tuple)):
        parts = [_numbers(v) for v in value]
        return None if any(p is None for p in parts) else parts
    return (
        value if value is None or isinstance(value, (bool, int, float, np.ndarray, np.generic, str)) else None
    )


# Functions ------------------------------------------------------------------------------------------------

VIEWS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.transpose: lambda b, a, axes=None: views.transpose(ops.lift(b, a), axes),
    np.reshape: lambda b, a, shape, order="C": ordered_reshape(ops.lift(b, a), shape, order),
    np.ravel: lambda b, a, order="C": ordered_ravel(ops.lift(b, a), order),
    np.swapaxes: lambda b, a, axis1, axis2: views.swapaxes(ops.lift(b, a), axis1, axis2),
    np.moveaxis: lambda b, a, source, destination: views.transpose(
        ops.lift(b, a), moving.moved(ops.lift(b, a), source, destination)
    ),
    np.flip: lambda b, m, axis=None: views.getitem(ops.lift(b, m), moving.flipping(ops.lift(b, m), axis)),
    np.fliplr: lambda b, m: views.getitem(ops.lift(b, m), moving.flipping(ops.lift(b, m), 1)),
    np.flipud: lambda b, m: views.getitem(ops.lift(b, m), moving.flipping(ops.lift(b, m), 0)),
    np.squeeze: lambda b, a, axis=None: views.squeeze(ops.lift(b, a), axis),
    np.expand_dims: lambda b, a, axis: views.expand_dims(ops.lift(b, a), axis),
    np.matrix_transpose: lambda b, x: ops.lift(b, x).mT,
    np.linalg.matrix_transpose: lambda b, x: ops.lift(b, x).mT,
    **{f: views.at_least(rank) for rank, f in enumerate((np.atleast_1d, np.atleast_2d, np.atleast_3d), 1)},
    **joining.SPLITS,
}
"""Functions whose result is written through."""

READ_ONLY: tuple[Callable[..., Any], ...] = (
    np.broadcast_to, np.diagonal, np.rollaxis, np.rot90, np.lib.stride_tricks.sliding_window_view, np.linalg.diagonal,
)  # fmt: skip
"""Functions whose result shares memory, which is followed for reading alone."""


def _fill_diagonal(builder: Builder, a: Any, val: Any, wrap: bool = False) -> None:
    if wrap:
        raise UnsupportedError("fill_diagonal is traced without wrap.", where="np.fill_diagonal")
    rows, columns = (number(builder, d, "np.fill_diagonal") for d in a.dims)
    index = np.arange(min(rows, columns))
    views.setitem(a, (index, index), val)


def _copyto(builder: Builder, dst: Any, src: Any, where: Any = True) -> None:
    views.setitem(
        dst,
        Ellipsis if where is True else where,
        src if where is True else moves.broadcast_to(ops.lift(builder, src), dst.dims)[where],
    )


def _putmask(builder: Builder, a: Any, mask: Any, values: Any) -> None:
    new = ops.lift(builder, values)
    if new.dims and new.dims != a.dims:
        raise UnsupportedError(
            "np.putmask is traced with one value, or one for each entry.",
            where="np.putmask",
            expected=f"values of shape {format_shape(a.dims)}",
            got=format_shape(new.dims),
            fix="write a[mask] = values for one value for each entry of the mask",
        )
    views.setitem(a, Ellipsis, ops.elementary(builder, "where", mask, new, a))


IN_PLACE: dict[Callable[..., Any], Callable[..., Any]] = {
    np.putmask: _putmask,
    np.fill_diagonal: _fill_diagonal,
    np.copyto: _copyto,
}
"""Functions that change their first argument."""

SHAPES: dict[Callable[..., Any], Callable[..., Any]] = {
    np.shape: lambda b, a: a.shape,
    np.ndim: lambda b, a: a.ndim,
    np.size: lambda b, a, axis=None: a.size if axis is None else a.shape[axis],
    np.copy: lambda b, a, order="K", subok=False: views.copy(ops.lift(b, a), order),
}


@remembering
def call_numpy(builder: Builder, func: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """``func(*args, **options)`` for a function of NumPy."""
    name = f"{func.__module__}.{func.__name__}".replace("numpy", "np", 1)
    options = {k: v for k, v in options.items() if not (k in ("dtype", "out") and v is None)}
    for table in (SHAPES, IN_PLACE, VIEWS):
        if func in table:
            return bind_numpy(name, table[func], builder, tuple(args), options)
    sizes = size_lists.reduced(builder, func, args, options)
    if sizes is not None:
        return sizes
    shared = func in READ_ONLY or (func is np.diag and np.ndim(args[0]) == 2)
    if shared and isinstance(args[0], ops.Array) and "out" not in options:
        return views.read_only(
            args[0], lambda base: _computed(builder, func, name, (base, *args[1:]), options)
        )
    return _computed(builder, func, name, args, options)


def _computed(builder: Builder, func: Any, name: str, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """A function of NumPy's whose result is new."""
    args, options = _in_precision(builder, func, args, dict(options))
    plain = [_numbers(v) for v in args]
    plain_options = {k: _numbers(v) for k, v in options.items()}
    alone = func is np.einsum and len(args) == 2  # whose result may be a view
    if not alone and all(
        _is_plain(v, p)
        for v, p in zip([*args, *options.values()], [*plain, *plain_options.values()], strict=True)
    ):
        return _wrapped(builder, func(*plain, **plain_options))
    rule = NUMPY_FUNCTIONS.get(func)
    if rule is None:
        known = nearest(func.__name__, [f.__name__ for f in NUMPY_FUNCTIONS])
        raise UnsupportedError(f"{name} has no rule.", where=name, expected=known)
    if "out" in options:
        target = options.pop("out")
        return views.replace(target, bind_numpy(name, rule, builder, tuple(args), options), name)
    result = bind_numpy(name, rule, builder, tuple(args), options)
    result = (
        views.fresh(result) if any(result is v for v in args) and isinstance(result, ops.Array) else result
    )
    if type(result) is ops.Array and result.kind == "int" and func not in _OF_POSITIONS:
        result.real = any(map(_is_real, args))
    return result


_OF_POSITIONS = {np.argmax, np.argmin, np.argsort, np.count_nonzero, np.insert}
"""Functions whose result is whole whatever the entries are, or has the kind of the first argument."""


_ACCUMULATING = {np.sum, np.mean, np.prod, np.cumsum, np.cumprod, np.var, np.std}
"""Functions whose ``dtype`` says in which numbers they add up."""


def _in_precision(
    builder: Builder, func: Any, args: Sequence[Any], options: dict[str, Any]
) -> tuple[Sequence[Any], dict[str, Any]]:
    """``np.sum(a, dtype=t)`` as ``np.sum(a.astype(t))``; half precision, which overflows early, stays an option."""
    wanted = options.get("dtype")
    if func not in _ACCUMULATING or wanted is None or not args or _numbers(args[0]) is not None:
        return args, options
    dtype = np.dtype(getattr(wanted, "plain_type", wanted))
    if dtype.kind not in "fiu" or (dtype.kind == "f" and not 4 <= dtype.itemsize <= 8):
        return args, options
    rest = {k: v for k, v in options.items() if k != "dtype"}
    return (ops.as_kind(ops.lift(builder, args[0]), dtype), *args[1:]), rest


def _is_plain(value: Any, plain: Any) -> bool:
    return plain is not None or value is None


def _wrapped(builder: Builder, result: Any) -> Any:
    """Arrays among NumPy's results as traced ones, so that they can be written into."""
    if isinstance(result, np.ndarray) and result.dtype.kind in "fiub":
        return ops.Array(builder, data=result)
    if isinstance(result, (list, tuple)) and not hasattr(result, "_fields"):
        return type(result)(_wrapped(builder, r) for r in result)
    return result


__all__ = ["METHODS", "call_numpy", "call_ufunc", "torch_names"]
