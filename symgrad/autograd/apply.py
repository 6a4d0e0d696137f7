"""Running one operation: overriding, unwrapping, computing, recording.

An argument whose class has `__symgrad_function__(name, args, kwargs)` takes the call over: that is how
another part of symgrad follows a module's `forward` without running it.  See README.md for the protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import symgrad.autograd.tensor as tensor_module  # its operators call operations: each needs the other
from symgrad.autograd.dtypes import check_numeric
from symgrad.autograd.grad_mode import is_grad_enabled
from symgrad.autograd.node import Edge, Node, Version
from symgrad.errors import DataError, ShapeError

if TYPE_CHECKING:
    from symgrad.autograd.record import TapeOp
    from symgrad.autograd.tensor import Tensor


def overriding(values: Any) -> Any:
    """The first of these values, also inside lists and tuples, that takes calls over, or None."""
    return next((value for value in _flat(values) if hasattr(type(value), "__symgrad_function__")), None)


def _flat(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
        else:
            yield value


def apply(op: TapeOp, operands: tuple[Any, ...], params: dict[str, Any]) -> Tensor:
    """Compute `op` and, where an operand requires a gradient, record it.

    Args:
        op: the record.
        operands: tensors, arrays or numbers; for a variadic operation one sequence of them.
        params: all parameters by canonical name.

    Returns:
        A tensor, or whatever an overriding argument answers.

    Raises:
        ShapeError: the shapes do not fit.
        DataError: an operand is no number, or of a type the operation is not defined for.
        SpecError: a parameter has an impossible value.
    """
    taker = overriding((*operands, *params.values()))
    if taker is not None:
        return taker.__symgrad_function__(op.name, operands, params)
    if op.canonical is not None:
        params = op.canonical(params)
    given = _sequence(op, operands[0]) if op.variadic else operands
    arrays = [_unwrap(op, value) for value in given]
    data = _compute(op, arrays, params)
    result = tensor_module.Tensor(data)
    if op.view and _tensor(given[0]) is not None and np.may_share_memory(data, arrays[0]):
        result._version = given[0]._version
        result._version.has_views = True
    if op.vjps and is_grad_enabled() and data.dtype.kind == "f":
        _record(op, given, arrays, params, result)
    return result


def _compute(op: TapeOp, arrays: list[Any], params: dict[str, Any]) -> np.ndarray:
    try:
        with np.errstate(all="ignore"):  # 1/0 is inf and log(-1) is nan, silently, as in PyTorch
            return np.asarray(op.forward(*arrays, **params))
    except (ValueError, IndexError) as error:
        shapes = " and ".join(str(np.shape(array)) for array in arrays)
        raise ShapeError(
            f"{op.name} cannot take these shapes",
            where=op.signature,
            expected=op.expects,
            got=f"{shapes} ({error})",
        ) from error
    except (TypeError, OverflowError) as error:
        kinds = " and ".join(str(np.asarray(array).dtype) for array in arrays)
        raise DataError(
            f"{op.name} is not defined for these types", where=op.signature, got=f"{kinds} ({error})"
        ) from error


def _record(
    op: TapeOp, given: tuple[Any, ...], arrays: list[Any], params: dict[str, Any], result: Tensor
) -> None:
    names = [op.operands[0]] * len(given) if op.variadic else op.operands
    edges = []
    for position, (name, value) in enumerate(zip(names, given)):
        tensor = _tensor(value)
        if tensor is not None and tensor.requires_grad and name in op.vjps:
            target = tensor if tensor._node is None else tensor._node
            edges.append(Edge(name, position, target, tensor.data.shape, tensor.data.dtype))
    if not edges:
        return
    saved: dict[str, Any] = {}
    versions: list[tuple[str, Version, int]] = []
    for name in {name for edge in edges for name in op.reads[edge.operand]} - {"position"}:
        if name == "out":
            saved[name] = result.data
            versions.append((name, result._version, result._version.count))
        elif name in params:
            saved[name] = params[name]
        elif name == "shapes":
            saved[name] = tuple(np.shape(array) for array in arrays)
        elif name.endswith("_shape"):
            saved[name] = np.shape(arrays[op.operands.index(name.removesuffix("_shape"))])
        else:
            index = op.operands.index(name)
            saved[name] = arrays[index]
            tensor = _tensor(given[index])
            if tensor is not None:
                versions.append((name, tensor._version, tensor._version.count))
    result._node = Node(op, tuple(edges), saved, tuple(versions))


def _tensor(value: Any) -> Tensor | None:
    return value if isinstance(value, tensor_module.Tensor) else None


def _sequence(op: TapeOp, tensors: Any) -> tuple[Any, ...]:
    if not isinstance(tensors, list | tuple) or not tensors:
        raise DataError(
            f"{op.name} takes a list of tensors",
            where=op.signature,
            expected="a list or tuple with at least one tensor",
            got=f"{type(tensors).__name__}" if not isinstance(tensors, list | tuple) else "an empty sequence",
            fix=f"{op.name}([a, b])",
        )
    return tuple(tensors)


def _unwrap(op: TapeOp, value: Any) -> Any:
    """The array of a tensor; Python numbers stay as they are, so that they do not decide the dtype."""
    if isinstance(value, tensor_module.Tensor):
        return value.data
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        check_numeric(array.dtype)
        return array
    if isinstance(value, bool | int | float):
        return value
    raise DataError(
        f"{op.name} got something that is no tensor",
        where=op.signature,
        expected="a tensor, a NumPy array or a number",
        got=type(value).__name__,
        fix="wrap it: symgrad.tensor(...)",
    )
