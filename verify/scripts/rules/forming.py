"""Shapes of arrays that are turned, reshaped, indexed, put together."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from verify.scripts.dims import Axis, Dim, axis
from verify.scripts.kinds import Array, Kind, Several, Word, axes_of, whole_number
from verify.scripts.rules.arguments import Rule, keyword
from verify.scripts.rules.making import dtype, stacked
from verify.scripts.shapes import Shapes
from verify.scripts.values import Apply, Items, Reference, Value


def _transpose(shapes: Shapes, value: Apply) -> Kind | None:
    kind = shapes.read(value.operands[0])
    if not isinstance(kind, Array) or (len(value.operands) > 1 and len(kind.axes) > 2):
        return None
    return Array(kind.axes[::-1], kind.dtype)


def _reshape(shapes: Shapes, value: Apply) -> Kind | None:
    kind = shapes.read(value.operands[0])
    source = stacked(kind)
    stated = kind.dtype if isinstance(kind, Array) else None
    given = value.operands[1:] or tuple(v for k, v in value.keywords.items() if k != "order")
    if len(given) == 1 and isinstance(given[0], Items):
        given = given[0].items
    elif len(given) == 1 and isinstance(shapes.read(given[0]), Several):
        made = shapes.shape(given[0])
        return None if made is None else Array(made, stated)
    targets = [None if whole_number(shapes.read(g)) == -1 else shapes.size(g) for g in given]
    open_at = [i for i, g in enumerate(given) if whole_number(shapes.read(g)) == -1]
    if not given or len(open_at) > 1 or any(t is None and i not in open_at for i, t in enumerate(targets)):
        return None
    long = [i for i, target in enumerate(targets) if target != 1]
    only = _single(source)
    if only is not None and len(long) <= 1:
        axes = [only if i in long else 1 for i in range(len(targets))]
    else:
        axes = [_rest(shapes, source, targets) if t is None else t for t in targets]
    return Array(tuple(axes), stated)


def _single(axes: tuple[Axis, ...] | None) -> Axis | None:
    """The one axis that is longer than 1, where there is just one."""
    long = [a for a in axes or () if a != 1]
    return long[0] if len(long) == 1 else None


def _rest(shapes: Shapes, source: tuple[Axis, ...] | None, targets: list[Axis | None]) -> Axis:
    """The axis that -1 stands for: what the other targets leave of the source."""
    if source is None:
        return Dim()
    left = [a for a in source if a != 1]
    taken = [t for t in targets if t is not None and t != 1]
    for target in list(taken):
        match = next((a for a in left if shapes.dims.same(a, target)), None)
        if match is not None:
            left.remove(match)
            taken.remove(target)
    if not taken and len(left) <= 1:
        return left[0] if left else 1
    sizes, divisors = ([shapes.dims.size(a) for a in part] for part in (left, taken))
    if None in sizes or None in divisors or 0 in divisors:
        return Dim()
    return axis(prod(s for s in sizes if s is not None) // prod(s for s in divisors if s is not None))


def _flat(shapes: Shapes, value: Apply) -> Kind | None:
    kind = shapes.read(value.operands[0])
    if not isinstance(kind, Array):
        return None
    return Array((_rest(shapes, kind.axes, [None]),), kind.dtype)


def _squeeze(shapes: Shapes, value: Apply) -> Kind | None:
    kind = shapes.read(value.operands[0])
    return Array(tuple(a for a in kind.axes if a != 1), kind.dtype) if isinstance(kind, Array) else None


def _expand(shapes: Shapes, value: Apply) -> Kind | None:
    kind, where = shapes.read(value.operands[0]), keyword(value, "axis", 1)
    at = None if where is None else whole_number(shapes.read(where))
    if not isinstance(kind, Array) or at is None:
        return None
    at = at + len(kind.axes) + 1 if at < 0 else at
    return Array((*kind.axes[:at], 1, *kind.axes[at:]), kind.dtype)


def _astype(shapes: Shapes, value: Apply) -> Kind | None:
    kind = shapes.read(value.operands[0])
    return Array(kind.axes, dtype(shapes, keyword(value, "dtype", 1))) if isinstance(kind, Array) else kind


def _same(shapes: Shapes, value: Apply) -> Kind | None:
    return shapes.read(value.operands[0])


def _index(shapes: Shapes, value: Apply) -> Kind | None:
    if isinstance(value.operands[0], Reference) and value.operands[0].name == "numpy.c_":
        return _columns(shapes, value)
    kind = shapes.read(value.operands[0])
    if isinstance(kind, Several):
        at = whole_number(shapes.read(value.operands[1]))
        return kind.items[at] if at is not None and -len(kind.items) <= at < len(kind.items) else None
    if not isinstance(kind, Array):
        return None
    left, result = list(kind.axes), list[Axis]()
    lists = 0
    for part in value.operands[1:]:
        if isinstance(part, Apply) and part.op == "slice":
            if not left:
                return None
            result.append(shapes.slice_axis(left.pop(0), part))
            continue
        at_kind = shapes.read(part)
        if at_kind == Word(None):
            result.append(1)
        elif isinstance(at_kind, Word) or not left:
            return None
        elif isinstance(at_kind, Array) and at_kind.axes:
            lists += 1
            left.pop(0)
            if len(at_kind.axes) != 1 or lists > 1:
                return None
            result.append(at_kind.axes[0])
        else:
            left.pop(0)  # a single row; an index that is not known is read as one
    return Array((*result, *left), kind.dtype)


def _element(shapes: Shapes, value: Apply) -> Kind | None:
    kind = shapes.read(value.operands[0])
    return Array(kind.axes[1:], kind.dtype) if isinstance(kind, Array) and kind.axes else None


def _joined(along: int | None) -> Rule:
    """`hstack`, `vstack`, `concatenate`, `np.c_`: the other axes are joined, the sizes along this one add up."""

    def rule(shapes: Shapes, value: Apply) -> Kind | None:
        stack = shapes.read(value.operands[0])
        where = keyword(value, "axis", 1)
        at = along if along is not None else (0 if where is None else whole_number(shapes.read(where)))
        if not isinstance(stack, Several) or at is None:
            return None
        return _put_together(shapes, [axes_of(item) for item in stack.items], at, value)

    return rule


def _columns(shapes: Shapes, value: Apply) -> Kind | None:
    parts = value.operands[1:] if value.op == "index" else value.operands
    stack = shapes.read(parts[0]) if len(parts) == 1 else None
    kinds = list(stack.items) if isinstance(stack, Several) else [shapes.read(part) for part in parts]
    axes = [axes_of(kind) for kind in kinds]
    return _put_together(shapes, [(*a, 1) if a is not None and len(a) == 1 else a for a in axes], 1, value)


def _put_together(shapes: Shapes, parts: list[tuple[Axis, ...] | None], at: int, value: Value) -> Kind | None:
    known = [part for part in parts if part is not None]
    if len(known) != len(parts) or not known or len({len(part) for part in known}) > 1:
        return None
    rank = len(known[0])
    at = 0 if rank == 1 else at + rank if at < 0 else at
    if not 0 <= at < rank:
        return None
    result = list(known[0])
    for part in known[1:]:
        for i in range(rank):
            if i != at:
                result[i] = shapes.dims.join(result[i], part[i], value.line, value.text)
    sizes = [shapes.dims.size(part[at]) for part in known]
    result[at] = axis(None if None in sizes else sum(size for size in sizes if size is not None))
    return Array(tuple(result))


FORMING: Mapping[str, Rule] = {
    **dict.fromkeys(("attr.T", "numpy.transpose", "method.transpose"), _transpose),
    **dict.fromkeys(("method.reshape", "numpy.reshape"), _reshape),
    **dict.fromkeys(("method.ravel", "method.flatten", "numpy.ravel"), _flat),
    **dict.fromkeys(("method.squeeze", "numpy.squeeze"), _squeeze),
    **dict.fromkeys(("method.copy", "numpy.copy", "numpy.ascontiguousarray"), _same),
    "numpy.expand_dims": _expand,
    "method.astype": _astype,
    "index": _index,
    "element": _element,
    "numpy.hstack": _joined(1),
    "numpy.vstack": _joined(0),
    "numpy.concatenate": _joined(None),
    "numpy.column_stack": _columns,
}
