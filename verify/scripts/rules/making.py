"""Shapes of arrays that are made: written out, filled, drawn at random."""

from __future__ import annotations

from collections.abc import Mapping

from verify.scripts.dims import Axis, Dim, axis
from verify.scripts.kinds import Array, Kind, Number, Several, Word, axes_of
from verify.scripts.rules.arguments import Rule, keyword
from verify.scripts.shapes import Shapes
from verify.scripts.values import Apply, Value

DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8")
_BUILTIN_DTYPES = {"float": "float64", "int": "int64", "double": "float64", "single": "float32"}


def dtype(shapes: Shapes, value: Value | None) -> str | None:
    """The dtype that an argument names."""
    kind = None if value is None else shapes.read(value)
    if isinstance(kind, Word) and kind.text is not None:
        name = _BUILTIN_DTYPES.get(kind.text, kind.text)
        return name if name in DTYPES else None
    return None


def stacked(kind: Kind | None) -> tuple[Axis, ...] | None:
    """The axes of `np.array` of a nested list."""
    if isinstance(kind, Several):
        inner = [stacked(item) for item in kind.items]
        if not inner:
            return (axis(0),)
        if any(axes is None for axes in inner) or len({len(axes or ()) for axes in inner}) > 1:
            return None
        return (axis(len(inner)), *(inner[0] or ()))
    return axes_of(kind)


def _array(shapes: Shapes, value: Apply) -> Kind | None:
    inner = shapes.read(value.operands[0])
    axes = stacked(inner)
    stated = dtype(shapes, keyword(value, "dtype", 1)) or (inner.dtype if isinstance(inner, Array) else None)
    return None if axes is None else Array(axes, stated)


def _typed(name: str) -> Rule:
    def rule(shapes: Shapes, value: Apply) -> Kind | None:
        axes = stacked(shapes.read(value.operands[0]))
        return None if axes is None else Array(axes, name)

    return rule


def _filled(where: int, dtype_at: int) -> Rule:
    def rule(shapes: Shapes, value: Apply) -> Kind | None:
        wanted = keyword(value, "shape", where)
        axes = None if wanted is None else shapes.shape(wanted)
        return None if axes is None else Array(axes, dtype(shapes, keyword(value, "dtype", dtype_at)))

    return rule


def _sized(name: str, where: int) -> Rule:
    """Random numbers: `size=` gives the shape, without it the result is one number."""

    def rule(shapes: Shapes, value: Apply) -> Kind | None:
        wanted = keyword(value, name, where)
        if wanted is None or shapes.read(wanted) == Word(None):
            return shapes.together([shapes.read(v) for v in value.operands[where - 2 : where]], value)
        axes = shapes.shape(wanted)
        return None if axes is None else Array(axes)

    return rule


def _listed(shapes: Shapes, value: Apply) -> Kind | None:
    """`rand(2, 1)`: each argument is a size."""
    axes = [shapes.size(v) for v in value.operands]
    return None if None in axes else Array(tuple(a for a in axes if a is not None))


def _like(shapes: Shapes, value: Apply) -> Kind | None:
    axes = stacked(shapes.read(value.operands[0]))
    return None if axes is None else Array(axes, dtype(shapes, keyword(value, "dtype")))


def _eye(shapes: Shapes, value: Apply) -> Kind | None:
    rows = shapes.size(value.operands[0])
    second = value.operands[min(1, len(value.operands) - 1)]
    columns = shapes.size(second)
    return None if rows is None or columns is None else Array((rows, columns))


def _linspace(shapes: Shapes, value: Apply) -> Kind | None:
    number = keyword(value, "num", 2)
    rows = axis(50) if number is None else shapes.size(number)
    return None if rows is None else Array((rows,))


def _arange(shapes: Shapes, value: Apply) -> Kind | None:
    numbers = [shapes.read(v) for v in value.operands]
    if len(numbers) == 1:
        rows = shapes.size(value.operands[0])
        return Array((Dim(),)) if rows is None else Array((rows,))
    ends = [number.value for number in numbers if isinstance(number, Number) and number.value is not None]
    if len(ends) != len(numbers) or (len(ends) == 3 and ends[2] == 0):
        return Array((Dim(),))
    step = ends[2] if len(ends) == 3 else 1
    return Array((axis(max(0, int(-(-(ends[1] - ends[0]) // step)))),))


def _permutation(shapes: Shapes, value: Apply) -> Kind | None:
    kind = shapes.read(value.operands[0])
    if isinstance(kind, Array):
        return kind
    rows = shapes.size(value.operands[0])
    return None if rows is None else Array((rows,))


_RANDOM: Mapping[str, Rule] = {
    "rand": _listed,
    "randn": _listed,
    "random": _sized("size", 0),
    "random_sample": _sized("size", 0),
    "standard_normal": _sized("size", 0),
    "normal": _sized("size", 2),
    "uniform": _sized("size", 2),
    "integers": _sized("size", 2),
    "randint": _sized("size", 2),
    "choice": _sized("size", 1),
    "binomial": _sized("size", 2),
    "permutation": _permutation,
}
_GENERATORS = ("numpy.random.default_rng", "numpy.random.RandomState")

MAKING: Mapping[str, Rule] = {
    **{f"numpy.random.{name}": rule for name, rule in _RANDOM.items()},
    **{f"numpy.{name}": _typed(name) for name in DTYPES},
    **dict.fromkeys(("numpy.array", "numpy.asarray", "numpy.mat"), _array),
    **dict.fromkeys(("numpy.zeros_like", "numpy.ones_like", "numpy.empty_like", "numpy.full_like"), _like),
    "numpy.zeros": _filled(0, 1),
    "numpy.ones": _filled(0, 1),
    "numpy.empty": _filled(0, 1),
    "numpy.full": _filled(0, 2),
    "numpy.eye": _eye,
    "numpy.identity": _eye,
    "numpy.linspace": _linspace,
    "numpy.arange": _arange,
}


def generator_rule(value: Apply) -> Rule | None:
    """`rng.normal(...)`, where `rng` is a NumPy generator, is `np.random.normal(...)`."""
    if not value.op.startswith("method.") or not value.operands:
        return None
    owner = value.operands[0]
    rule = _RANDOM.get(value.op.removeprefix("method."))
    if rule is None or not isinstance(owner, Apply) or owner.op not in _GENERATORS:
        return None
    found = rule

    def without_owner(shapes: Shapes, value: Apply) -> Kind | None:
        return found(shapes, Apply(value.line, value.text, "random", value.operands[1:], value.keywords))

    return without_owner
