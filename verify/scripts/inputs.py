"""Which array is which: one name for each input and each intermediate value, whatever the functions call it.

An input is what does not depend on the parameters, and the parameters themselves.  What does depend on them is
`given`: the result of a function of the file, or an expression of the script, which is made a function.  Batches of
the rows of an array stand for the array.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from symgrad.errors import ParseError
from verify.scripts.definitions import Function
from verify.scripts.flow import Flow
from verify.scripts.kinds import Array, Number
from verify.scripts.lift import liftable, lifted
from verify.scripts.refusals import unreadable_call
from verify.scripts.shapes import Shapes
from verify.scripts.signatures import defaults
from verify.scripts.values import (
    Apply,
    Call,
    Constant,
    Items,
    Part,
    Reference,
    Table,
    Value,
    children,
    depends,
)

_VIEWS = frozenset({"index", "element", "attr.T", "method.reshape", "method.ravel", "method.flatten"})
_CHOICES = frozenset({"permutation", "choice", "arange", "argsort"})
_ONE_HOT = frozenset({"eye", "identity"})


@dataclass(frozen=True)
class Given:
    """An intermediate value: the function that computes it, its arguments as our names, and where it was written."""

    function: str
    arguments: Mapping[str, str]
    value: Value


@dataclass
class Inputs:
    """Names the inputs and the intermediate values.

    Args:
        flow: the followed script.
        shapes: the forms of its values.
        parameters: the values that are updated.
        batches: whether rows of an array stand for the array.
        inputs: our name -> the array.
        variants: our name -> every value that goes by this name.
        given: our name -> how it is computed.
        functions: functions made of the script's expressions, by name.
    """

    flow: Flow
    shapes: Shapes
    parameters: Sequence[Value]
    batches: bool = True
    inputs: dict[str, Value] = field(default_factory=dict)
    variants: dict[str, list[Value]] = field(default_factory=dict)
    given: dict[str, Given] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    _keys: dict[tuple[object, ...], int] = field(default_factory=dict)
    _taken: dict[int, str] = field(default_factory=dict)

    def bind(self, call: Call) -> dict[str, str]:
        """The arguments of a call as our names.

        Raises:
            ParseError: when an argument is no array or number, or cannot be followed.
        """
        if call.problem is not None:
            raise unreadable_call(call, self.flow.source)
        found: dict[str, str] = {}
        for parameter, value in call.arguments.items():
            if not self._is_default(call.function, parameter, value):
                found[parameter] = self.name(value, parameter, call)
        return found

    def name(self, value: Value, fallback: str, call: Value) -> str:
        """Our name of a value; an intermediate value is made `given`.

        Args:
            value: the value.
            fallback: its name where no variable holds it.
            call: where it is used, for error messages.
        """
        key = self.key(value)
        if key in self._taken:
            name = self._taken[key]
            if value not in self.variants[name]:
                self.variants[name].append(value)
            return name
        root = self.root(value)
        name = self._free(self.flow.names.get(root) or self.flow.names.get(value) or fallback, fallback)
        self._taken[key] = name
        self.variants[name] = [value]
        if value not in self.parameters and depends(value, self.parameters):
            self.given[name] = self._given(value, name, call)
        else:
            self._check_input(value, name, fallback, call)
            self.inputs[name] = root
        return name

    def ours(self, value: Value) -> str | None:
        """Our name of a value that has one."""
        return self._taken.get(self.key(value))

    def leaves(self, names: Iterable[str]) -> list[str]:
        """The inputs that these names come down to, each once."""
        found: dict[str, None] = {}
        for name in names:
            if name in self.given:
                found.update(dict.fromkeys(self.leaves(self.given[name].arguments.values())))
            else:
                found[name] = None
        return list(found)

    def make_function(self, value: Value, name: str) -> tuple[str, dict[str, str]] | None:
        """A function of the expression behind a value, and its arguments as our names; None where it cannot be made."""
        origin = self.flow.origins.get(value)
        if origin is None or not liftable(origin):
            return None
        function, free = lifted(name, origin, self.flow, self.functions)
        self.functions[function.name] = function
        return function.name, {n: self.name(v, n, value) for n, v in free.items()}

    def key(self, value: Value) -> int:
        """A number that two values share where they are computed alike from the same arrays."""
        value = self.root(value)
        named = value in self.flow.names or value in self.parameters
        content: tuple[object, ...]
        view = isinstance(value, Apply) and value.op in _VIEWS
        if value in self.parameters or (named and not view and not depends(value, self.parameters)):
            content = ("value", id(value))
        elif isinstance(value, Constant):
            content = ("constant", repr(value.value))
        elif isinstance(value, Apply):
            words = tuple((word, self.key(v)) for word, v in value.keywords.items())
            content = (value.op, *map(self.key, value.operands), words)
        elif isinstance(value, Call):
            content = (
                "call",
                value.function,
                tuple((p, self.key(v)) for p, v in sorted(value.arguments.items())),
            )
        elif isinstance(value, Part):
            content = ("part", self.key(value.of), value.key)
        elif isinstance(value, Reference):
            content = ("reference", value.name)
        else:
            content = ("value", id(value))
        return self._keys.setdefault(content, len(self._keys))

    def root(self, value: Value) -> Value:
        """The array of which a value is a batch of rows."""
        while self.batches and isinstance(value, Apply) and value.op == "index" and self._rows(value):
            value = value.operands[0]
        return value

    def _rows(self, value: Apply) -> bool:
        base, first, *others = value.operands
        if not isinstance(self.shapes.read(base), Array | None) or value in self.parameters:
            return False
        if any(not _everything(other) for other in others):
            return False
        if isinstance(first, Apply) and first.op == "slice":
            return not _everything(first)
        return self._picks(first, base)

    def _picks(self, index: Value, base: Value) -> bool:
        """Whether an index array is a choice of the rows of `base`, and not, say, labels that pick one-hot rows."""
        kind, rows = self.shapes.read(index), self.shapes.read(base)
        if not isinstance(kind, Array) or len(kind.axes) != 1:
            return False
        while isinstance(index, Apply) and index.op == "index":
            index = index.operands[0]
        name = index.op.rsplit(".", 1)[-1] if isinstance(index, Apply) else ""
        if name in _ONE_HOT or (isinstance(base, Apply) and base.op.rsplit(".", 1)[-1] in _ONE_HOT):
            return False
        if name not in ("randint", "integers"):
            return name in _CHOICES
        sizes = [kind.value for kind in map(self.shapes.read, children(index)) if isinstance(kind, Number)]
        return isinstance(rows, Array) and bool(rows.axes) and self.shapes.dims.size(rows.axes[0]) in sizes

    def _free(self, wanted: str, fallback: str) -> str:
        names = set(self._taken.values())
        for name in (wanted, fallback):
            if name.isidentifier() and name not in names:
                return name
        count = 2
        while f"{fallback}_{count}" in names:
            count += 1
        return f"{fallback}_{count}"

    def _is_default(self, function: str, parameter: str, value: Value) -> bool:
        """Whether a text, True, False or None is passed that is the argument's default anyway."""
        if not isinstance(value, Constant) or _is_number(value.value):
            return False
        default = defaults(self.flow.definitions.functions[function].arguments).get(parameter)
        return isinstance(default, ast.Constant) and default.value is value.value

    def _check_input(self, value: Value, name: str, parameter: str, call: Value) -> None:
        """An input is an array or a number that does not merely repeat the size of another input."""
        source = self.flow.source
        where, got = source.where(call.line), call.text
        callee = call.function if isinstance(call, Call) else "the expression"
        if isinstance(value, Table | Items | Reference) or (
            isinstance(value, Constant) and not _is_number(value.value)
        ):
            kind = {"Table": "a dict", "Items": "a list or tuple", "Reference": "a function"}
            raise ParseError(
                f"The argument {parameter} of {callee} is {kind.get(type(value).__name__, 'an option')}, "
                "not an array or a number.",
                where=where,
                expected="arrays and numbers as arguments",
                got=got,
                fix=f"give {parameter} a default value, or pass its arrays one by one",
            )
        size = self.shapes.read(value)
        if isinstance(size, Number) and size.axis is not None and size.axis != 1:
            raise ParseError(
                f"The argument {parameter} of {callee} is the size of an array.",
                where=where,
                expected="a size computed inside the function, which holds for arrays of every size",
                got=f"{name} = {value.text}" if name != value.text else got,
                fix=f"compute {parameter} in {callee} from the array: {parameter} = x.shape[0]",
            )

    def _given(self, value: Value, name: str, call: Value) -> Given:
        if (
            isinstance(value, Call)
            and value.problem is None
            and all(map(self._simple, value.arguments.values()))
        ):
            return Given(value.function, self.bind(value), value)
        made = self.make_function(value, name)
        if made is not None:
            return Given(made[0], made[1], value)
        if isinstance(value, Part):
            what = f"{name} is one of several results of a function"
        elif isinstance(value, Table | Items):
            what = f"{name} is a dict or list that holds parameters"
        else:
            what = f"{name} depends on the parameters in a way that cannot be followed"
        raise ParseError(
            f"{what}.",
            where=self.flow.source.where(value.line),
            expected="variables that are each the result of one function or expression",
            got=value.text,
            fix=f"write a function that returns {name} alone, or pass the parameters one by one",
        )

    def _simple(self, value: Value) -> bool:
        """Whether an argument is an input or the value of a variable or call, so that it can have a name."""
        if isinstance(value, Constant) and not _is_number(value.value):
            return False
        if isinstance(value, Reference | Table | Items):
            return False
        return not depends(value, self.parameters) or value in self.flow.names or isinstance(value, Call)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _everything(value: Value) -> bool:
    return (
        isinstance(value, Apply)
        and value.op == "slice"
        and all(isinstance(end, Constant) and end.value is None for end in value.operands)
    )


def clash(calls: Iterable[Call], flow: Flow, shapes: Shapes) -> bool:
    """Whether one call gets two different batches of one array, so that a batch cannot stand for the array.

    Args:
        calls: the calls to look at.
        flow: the followed script.
        shapes: the forms of its values.
    """
    whole = Inputs(flow, shapes, ())
    for call in calls:
        roots: dict[Value, Value] = {}
        for value in call.arguments.values():
            if roots.setdefault(whole.root(value), value) is not value:
                return True
    return False
