"""Shapes of the inputs as symbols: n for the rows of the data, then d, k, m, …

First the bodies of loss, gradient and intermediate functions say which axes are one (`Shapes`).  Where a body holds
an operation that no rule covers, axes of equal size are taken as one: fewer shapes are then tested, none wrongly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symgrad.errors import ParseError, SpecError
from verify.scripts.dims import Axis, Dim
from verify.scripts.kinds import Array, axes_of
from verify.scripts.reading import Fact, Shape
from verify.scripts.shapes import Shapes
from verify.scripts.source import Source
from verify.scripts.values import Value

_SYMBOLS = ("d", "k", "m", "p", "q", "r", "s", "t", "u", "v")


@dataclass(frozen=True)
class Sized:
    """The inputs' shapes and dtypes, and what was read to tell them."""

    shapes: Mapping[str, Shape]
    dtypes: Mapping[str, str]
    facts: tuple[Fact, ...]


def seed(
    shapes: Shapes,
    inputs: Mapping[str, Value],
    variants: Mapping[str, Sequence[Value]],
    given: Mapping[str, Shape],
) -> None:
    """Settle the forms of the inputs: as an option says, and the same for all batches of an array.

    Args:
        shapes: the forms, empty as yet.
        inputs: our name -> array.
        variants: our name -> every value that goes by the name.
        given: our name -> shape, from an option.
    """
    symbols: dict[str, Dim] = {}
    for name, value in inputs.items():
        if name in given:
            axes = tuple(_axis(size, symbols) for size in given[name])
            shapes.known[value] = Array(axes)
        axes_found = axes_of(shapes.read(value))
        if axes_found is not None:
            _label(name, axes_found)
        for variant in variants.get(name, ()):
            shapes.known[variant] = shapes.known[value]


def parse(
    given: Mapping[str, object] | None, known: Iterable[str], made: Mapping[str, Value], source: Source
) -> dict[str, Shape]:
    """Shapes from an option: tuples, or texts such as "n d".

    Args:
        given: name -> shape.
        known: the inputs.
        made: the intermediate values, whose shapes follow.
        source: the file, for messages.

    Raises:
        SpecError: for a name that is no input, or a size that is none.
    """
    names = list(known)
    found: dict[str, Shape] = {}
    for name, shape in (given or {}).items():
        if name in made:
            raise SpecError(
                f"{name} is computed by the script; its shape follows from the others.",
                where=f"{source.where(made[name].line)}: {made[name].text}",
                fix=f"leave {name} out of --shapes",
            )
        if name not in names:
            raise SpecError(
                f"{name} is no input of the loss.",
                where="--shapes",
                expected=f"shapes for {', '.join(names)}",
                got=f"{name}: {shape}",
                fix=f"use one of these names, or leave {name} out",
            )
        parts = shape.replace(",", " ").split() if isinstance(shape, str) else shape
        sizes = tuple(_size(name, part) for part in parts) if isinstance(parts, Sequence) else None
        if sizes is None:
            raise _no_shape(name, shape)
        found[name] = sizes
    return found


def _size(name: str, part: object) -> str | int:
    if isinstance(part, str) and part.isdigit():
        return int(part)
    if isinstance(part, str) and part.isidentifier():
        return part
    if isinstance(part, int) and not isinstance(part, bool) and part >= 0:
        return part
    raise _no_shape(name, part)


def _no_shape(name: str, shape: object) -> SpecError:
    return SpecError(
        f"The shape of {name} is not one.",
        where="--shapes",
        expected='names and numbers: "n d", "4 2", ""',
        got=repr(shape),
        fix=f'write --shapes "{name}: n d"',
    )


def _axis(size: str | int, symbols: dict[str, Dim]) -> Axis:
    if isinstance(size, str):
        return symbols.setdefault(size, Dim(symbol=size))
    return 1 if size == 1 else Dim(size, fixed=True)


def _label(name: str, axes: tuple[Axis, ...]) -> None:
    words = {1: ("the length of",), 2: ("the rows of", "the columns of")}
    for i, one in enumerate(axes):
        if isinstance(one, Dim) and one.label is None:
            word = words[len(axes)][i] if len(axes) in words else f"axis {i} of"
            one.label = f"{word} {name}"


def assume(shapes: Shapes, data: Sequence[Value], parameters: Sequence[Value]) -> list[Fact]:
    """Take axes of equal size as one: rows of the data, and a parameter's axes with the data's last.

    Args:
        shapes: the forms.
        data: the inputs that are no parameters.
        parameters: the parameters.
    """
    before = len(shapes.dims.joined)
    arrays = [axes for axes in (axes_of(shapes.read(value)) for value in data) if axes]
    pairs = [(arrays[0][0], other[0]) for other in arrays[1:]]
    for value in parameters:
        for one in axes_of(shapes.read(value)) or ():
            pairs += [(other[-1], one) for other in arrays if len(other) > 1][:1]
    gap = shapes.gaps[0] if shapes.gaps else None
    for first, second in pairs:
        sizes = shapes.dims.size(first), shapes.dims.size(second)
        if sizes[0] == sizes[1] and None not in sizes:
            shapes.dims.join(first, second, 0 if gap is None else gap.line, "" if gap is None else gap.text)
    return [
        Fact(
            f"{_words(j.first)} and {_words(j.second)} have equal sizes and are taken as one: this is not followed",
            j.line,
            j.text,
        )
        for j in shapes.dims.joined[before:]
        if j.line
    ]


def name_sizes(shapes: Shapes, inputs: Mapping[str, Value], order: Sequence[str], source: Source) -> Sized:
    """The symbols.

    Args:
        shapes: the forms, after everything that joins axes has been read.
        inputs: our name -> array.
        order: the names, data first.
        source: the file, for messages.

    Raises:
        ParseError: when the shape of an input is not known.
    """
    found: dict[str, Shape] = {}
    dtypes: dict[str, str] = {}
    facts: list[Fact] = []
    symbols: dict[Dim, str] = {}
    forms = {name: axes_of(shapes.read(inputs[name])) for name in order}
    unknown = [name for name, axes in forms.items() if axes is None]
    if unknown:
        first = inputs[unknown[0]]
        wanted = ", ".join(f"{name}: {_suggestion(forms[name])}" for name in order if name in unknown)
        raise ParseError(
            f"The shape of {' and '.join(unknown)} cannot be read from the source.",
            where=source.where(first.line),
            expected="an array written out, or made with sizes that are numbers, as np.zeros((2, 1))",
            got=first.text,
            fix=f'give the shapes with an option: --shapes "{wanted}"',
        )
    taken = {
        dim.symbol for axes in forms.values() for dim in map(shapes.dims.find, _dims(axes)) if dim.symbol
    }
    pool = iter(symbol for symbol in _SYMBOLS if symbol not in taken and symbol not in inputs)
    rows_left = "n" not in taken and "n" not in inputs
    for name in order:
        axes = forms[name] or ()
        for i, one in enumerate(axes):
            if isinstance(one, int):
                continue
            root = shapes.dims.find(one)
            if root.symbol is not None or root in symbols or root.fixed:
                continue
            if rows_left and i == 0:
                symbols[root], rows_left = "n", False
            else:
                symbols[root] = next(pool, f"d{len(symbols)}")
        found[name] = tuple(_final(shapes, one, symbols) for one in axes)
        kind = shapes.read(inputs[name])
        if isinstance(kind, Array) and kind.dtype is not None:
            dtypes[name] = kind.dtype
        facts.append(
            Fact(
                _described(name, axes, found[name], dtypes.get(name), shapes),
                inputs[name].line,
                inputs[name].text,
            )
        )
    return Sized(found, dtypes, (*facts, *_reasons(shapes, symbols)))


def _suggestion(axes: tuple[Axis, ...] | None) -> str:
    return "n d" if axes is None else " ".join("n" for _ in axes)


def _dims(axes: tuple[Axis, ...] | None) -> list[Dim]:
    return [one for one in axes or () if isinstance(one, Dim)]


def _final(shapes: Shapes, one: Axis, symbols: Mapping[Dim, str]) -> str | int:
    if isinstance(one, int):
        return one
    root = shapes.dims.find(one)
    if root.fixed and root.size is not None:
        return root.size
    return root.symbol if root.symbol is not None else symbols[root]


def _described(name: str, axes: tuple[Axis, ...], shape: Shape, dtype: str | None, shapes: Shapes) -> str:
    stated = f", {dtype}" if dtype is not None else ""
    if not axes:
        return f"{name} is a number{stated}"
    sizes = [shapes.dims.size(one) for one in axes]
    numbers = "×".join("?" if size is None else str(size) for size in sizes)
    symbols = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
    if numbers == "×".join(map(str, shape)):
        return f"{name} is {numbers}{stated}"
    if all(size is None for size in sizes):
        return f"{name} is ({symbols}){stated}"
    return f"{name} is {numbers}{stated}, read as ({symbols})"


def _reasons(shapes: Shapes, symbols: Mapping[Dim, str]) -> list[Fact]:
    facts: list[Fact] = []
    for joined in shapes.dims.joined:
        first, second = joined.first, joined.second
        root = shapes.dims.find(first)
        symbol = root.symbol or symbols.get(root)
        if first.label and second.label and first.label != second.label and joined.line:
            name = f", {symbol}" if symbol is not None else ""
            facts.append(
                Fact(f"{_words(first)} and {_words(second)} are one size{name}", joined.line, joined.text)
            )
    for clash in shapes.dims.clashes:
        sizes = (shapes.dims.size(clash.first), shapes.dims.size(clash.second))
        if clash.first.label and clash.second.label:
            facts.append(
                Fact(
                    f"warning: {_words(clash.first)} ({sizes[0]}) and {_words(clash.second)} ({sizes[1]}) do not fit",
                    clash.line,
                    clash.text,
                )
            )
    return facts


def _words(dim: Dim) -> str:
    return dim.label or "an axis"
