"""Shapes of results: elementwise operations, matrix products, reductions, sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from verify.scripts.kinds import Array, Kind, Number, Several, Word, axes_of, whole_number
from verify.scripts.rules.arguments import Rule, keyword
from verify.scripts.shapes import Shapes
from verify.scripts.values import Apply

_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "floordiv": lambda a, b: a // b,
    "mod": lambda a, b: a % b,
}


def _elementwise(shapes: Shapes, value: Apply) -> Kind | None:
    kinds = [shapes.read(v) for v in value.operands]
    if value.op in _ARITHMETIC and len(kinds) == 2:
        first, second = kinds
        if isinstance(first, Number) and isinstance(second, Number):
            return _number(value.op, first, second)
    if isinstance(kinds[0], Several):
        return None
    if value.op in ("neg", "pos") and isinstance(kinds[0], Number) and kinds[0].value is not None:
        return Number(-kinds[0].value if value.op == "neg" else kinds[0].value)
    found = shapes.together(kinds, value)
    if found is not None and value.op in ("neg", "pos") and isinstance(kinds[0], Array):
        return Array(found.axes, kinds[0].dtype)
    return found


def _number(op: str, first: Number, second: Number) -> Number:
    if first.value is None or second.value is None:
        return Number(None)
    try:
        return Number(_ARITHMETIC[op](first.value, second.value))
    except (ArithmeticError, ValueError):
        return Number(None)


def _either(shapes: Shapes, value: Apply) -> Kind | None:
    kinds = [shapes.read(v) for v in value.operands]
    return next((kind for kind in kinds if kind is not None and not isinstance(kind, Word)), None)


def _matmul(shapes: Shapes, value: Apply) -> Kind | None:
    if len(value.operands) < 2:
        return None
    first, second = (axes_of(shapes.read(v)) for v in value.operands[:2])
    if first is None or second is None:
        return None
    if not first or not second:
        return Array(first or second)  # np.dot with a number
    axes = shapes.product(first, second, value)
    return None if axes is None else Array(axes)


def _outer(shapes: Shapes, value: Apply) -> Kind | None:
    first, second = (axes_of(shapes.read(v)) for v in value.operands[:2])
    return None if first is None or second is None else Array((*first[:1], *second[:1]))


def _reduction(shapes: Shapes, value: Apply) -> Kind | None:
    axes = axes_of(shapes.read(value.operands[0]))
    where = keyword(value, "axis", 1)
    kept = keyword(value, "keepdims")
    keep = kept is not None and shapes.read(kept) == Word("True")
    if axes is None:
        return None
    if where is None or shapes.read(where) == Word(None):
        return Array((1,) * len(axes) if keep else ())
    at_kind = shapes.read(where)
    many = at_kind.items if isinstance(at_kind, Several) else (at_kind,)
    numbers = [whole_number(kind) for kind in many]
    if any(number is None or not -len(axes) <= number < len(axes) for number in numbers):
        return None
    gone = {number % len(axes) for number in numbers if number is not None}
    return Array(tuple(1 if i in gone else a for i, a in enumerate(axes) if keep or i not in gone))


def _shape(shapes: Shapes, value: Apply) -> Kind | None:
    axes = axes_of(shapes.read(value.operands[0]))
    return None if axes is None else Several(tuple(Number(shapes.dims.size(a), a) for a in axes))


def _length(shapes: Shapes, value: Apply) -> Kind | None:
    kind = shapes.read(value.operands[0])
    if isinstance(kind, Array) and kind.axes:
        return Number(shapes.dims.size(kind.axes[0]), kind.axes[0])
    return Number(len(kind.items)) if isinstance(kind, Several) else None


def _count(shapes: Shapes, value: Apply) -> Kind | None:
    axes = axes_of(shapes.read(value.operands[0]))
    if axes is None:
        return None
    rest = [a for a in axes if a != 1]
    if len(rest) == 1:
        return Number(shapes.dims.size(rest[0]), rest[0])
    total = 1
    for one in rest:
        size = shapes.dims.size(one)
        if size is None:
            return Number(None)
        total *= size
    return Number(total)


def _scalar(shapes: Shapes, value: Apply) -> Kind | None:
    kind = shapes.read(value.operands[0])
    return kind if isinstance(kind, Number) else Number(None)


_UNARY = [
    "exp",
    "log",
    "log2",
    "log10",
    "log1p",
    "expm1",
    "sqrt",
    "square",
    "abs",
    "absolute",
    "fabs",
    "sign",
    "tanh",
    "sinh",
    "cosh",
    "sin",
    "cos",
    "tan",
    "arctan",
    "arcsin",
    "arccos",
    "negative",
    "reciprocal",
    "floor",
    "ceil",
    "round",
    "rint",
    "isnan",
    "isfinite",
    "logical_not",
    "cbrt",
    "sigmoid",
    "nan_to_num",
    "cumsum",
]
_BINARY = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "true_divide",
    "power",
    "float_power",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "arctan2",
    "hypot",
    "where",
    "clip",
    "greater",
    "less",
    "equal",
    "not_equal",
    "greater_equal",
    "less_equal",
    "logical_and",
    "logical_or",
    "logaddexp",
    "mod",
]
_REDUCTIONS = [
    "sum",
    "mean",
    "max",
    "min",
    "amax",
    "amin",
    "prod",
    "std",
    "var",
    "any",
    "all",
    "argmax",
    "argmin",
    "median",
    "nansum",
    "nanmean",
    "norm",
]


COMPUTING: Mapping[str, Rule] = {
    **dict.fromkeys((*_ARITHMETIC, "pow", "neg", "pos", "compare", "invert", "not", "bits"), _elementwise),
    **{f"numpy.{name}": _elementwise for name in (*_UNARY, *_BINARY)},
    **dict.fromkeys(("method.clip", "method.round", "builtins.abs"), _elementwise),
    **{f"{where}.{name}": _reduction for name in _REDUCTIONS for where in ("numpy", "method")},
    **dict.fromkeys(("matmul", "numpy.matmul", "numpy.dot", "method.dot", "numpy.inner"), _matmul),
    **dict.fromkeys(("attr.shape", "numpy.shape"), _shape),
    **dict.fromkeys(("attr.size", "numpy.size"), _count),
    **dict.fromkeys(("builtins.float", "builtins.int", "method.item"), _scalar),
    "builtins.len": _length,
    "numpy.linalg.norm": _reduction,
    "numpy.outer": _outer,
    "either": _either,
}
