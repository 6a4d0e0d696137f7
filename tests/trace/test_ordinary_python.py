"""Python around the arithmetic: classes, exceptions, containers, questions of type; traced, it runs as it runs on arrays."""

from __future__ import annotations

import abc
import collections
import copy
import enum
import functools
import numbers
import queue
import typing
from dataclasses import dataclass, field

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import SymgradError, TraceError, UnsupportedError
from symgrad.trace.loss import trace_loss

SIZES = [(4, 3), (3, 4), (2, 2), (1, 3), (5, 1)]


def follows(loss, sizes=SIZES, shape="n d"):
    """The derivation computes what the function computes, for several sizes."""
    d = sg.derive(loss, {"x": shape}, wrt="x")
    generator = np.random.default_rng(0)
    for size in sizes:
        x = generator.uniform(0.5, 1.5, size)
        assert d(x=x)[0] == pytest.approx(float(loss(x)), rel=1e-12), size
    return d


# Classes ------------------------------------------------------------------------------------------------------


class Base:
    def __init__(self, w=1.0, *, more=0.0):
        self.w, self.more = w, more

    def scaled(self, x):
        return 2.0 * x * self.w + self.more

    @classmethod
    def named(cls, x):
        return 3.0 * x

    @property
    def weight(self):
        return self.w

    @functools.cached_property
    def table(self):
        made = np.zeros(2)
        made[0] = self.w
        return made


class Bare(Base):
    def scaled(self, x):
        return 10.0 * super().scaled(x)


class Named(Base):
    def scaled(self, x):
        return 10.0 * super(Named, self).scaled(x)  # noqa: UP008 - what students write

    @classmethod
    def named(cls, x):
        return 5.0 * super().named(x)


class Explicit(Base):
    def scaled(self, x):
        return 10.0 * Base.scaled(self, x)


class Deeper(Named):
    def __init__(self, w, extra):
        super().__init__(w, more=extra)
        self.extra = extra

    @property
    def weight(self):
        return super().weight + self.extra

    def scaled(self, x):
        return super(Named, self).scaled(x) + super().scaled(x)


class Abstract(abc.ABC):
    @abc.abstractmethod
    def value(self, x): ...


class Concrete(Abstract):
    scale: typing.ClassVar[float] = 3.0
    kept: typing.ClassVar[list] = []

    def value(self, x):
        self.kept.append(x)
        return self.scale * len(self.kept)


class Slotted:
    __slots__ = ("kept", "w")

    def __init__(self):
        self.w, self.kept = 2.0, []


@dataclass
class Parent:
    a: float = 2.0
    calls: int = 0

    def __post_init__(self):
        self.a *= 3.0
        self.calls += 1


@dataclass
class Child(Parent):
    b: float = 5.0
    seen: list = field(default_factory=list)


@dataclass
class Own(Parent):
    def __post_init__(self):
        super().__post_init__()
        self.a += 1.0


@dataclass(frozen=True, slots=True)
class Frozen:
    power: int = 2


class Pair(typing.NamedTuple):
    first: float
    second: float


SLOTTED = Slotted()

CLASSES = {
    "super()": lambda x: Bare().scaled(x).sum(),
    "super(Cls, self)": lambda x: Named(0.5).scaled(x).sum() + Named.named(x).sum(),
    "Base.method(self)": lambda x: Explicit().scaled(x).sum(),
    "two levels": lambda x: Deeper(2.0, 0.25).scaled(x).sum() * Deeper(1.0, 0.5).weight,
    "traced weights": lambda x: Deeper(x[0], x.sum()).scaled(x).sum(),
    "cached_property": lambda x: (Base(x.sum()).table ** 2).sum(),
    "abstract": lambda x: Concrete().value(x) * x.sum(),
    "slots": lambda x: (SLOTTED.kept.append(x.sum()), SLOTTED.kept[-1] * SLOTTED.w * len(SLOTTED.kept))[1],
    "inherited __post_init__": lambda x: x.sum() * Child().a * Child(b=x.sum()).b * Child().calls,
    "__post_init__ with super()": lambda x: x.sum() * Own().a,
    "frozen dataclass": lambda x: (x ** Frozen().power).sum(),
    "named tuple": lambda x: Pair(x.sum(), 2.0).first * Pair(x.sum(), 2.0).second,
    "isinstance of its own": lambda x: x.sum() * (2.0 if isinstance(Bare(), Base) and issubclass(Bare, Base) else 3.0),
    "type() of its own": lambda x: x.sum() * (2.0 if type(Bare()) is Bare else 3.0),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_kept():
    yield
    Concrete.kept.clear()
    SLOTTED.kept.clear()


@pytest.mark.parametrize("name", CLASSES)
def test_classes(name):
    def loss(x):
        Concrete.kept.clear()
        SLOTTED.kept.clear()
        return CLASSES[name](x)

    follows(loss, SIZES[:2])


class Mode(enum.Enum):
    SUM = "s"
    MEAN = "m"

    def reduce(self, x):
        return x.sum() if self is Mode.SUM else x.mean()


class Option(enum.IntFlag):
    SQUARE = 1
    SCALE = 2


class Registered(type):
    known: typing.ClassVar[list] = []

    def __new__(cls, name, bases, members):
        cls.known.append(name)
        return super().__new__(cls, name, bases, members)


class Counted(metaclass=Registered):
    factor = 4.0


ENUMS = {
    "by value": lambda x: x.sum() if Mode("s") is Mode.SUM else x.mean(),
    "by name": lambda x: x.mean() if Mode["MEAN"] == Mode.MEAN else x.sum(),
    "method": lambda x: Mode.MEAN.reduce(x) + Mode.SUM.reduce(x),
    "flags": lambda x: (x**2).sum() if Option.SQUARE in Option.SQUARE | Option.SCALE else x.sum(),
    "number": lambda x: x.sum() * Option.SCALE,
    "loop": lambda x: sum(m.reduce(x) for m in Mode),
    "metaclass": lambda x: x.sum() * Counted.factor * Counted().factor,
}


@pytest.mark.parametrize("name", ENUMS)
def test_enumerations_and_metaclasses_keep_their_classes(name):
    follows(ENUMS[name], SIZES[:2])
    assert Registered.known == ["Counted"]


# Exceptions and attributes ------------------------------------------------------------------------------------


def halves(x):
    try:
        y = x.reshape(2, -1)
    except ValueError:
        y = x * 100
    return (y**2).sum()


def strides(x):
    try:
        return x.sum() * (2.0 if x.strides else 3.0)
    except AttributeError:
        return x.sum()


def asked(x):
    return x.sum() * (2.0 if hasattr(x, "strides") else 3.0)


def missing(x):
    return x.sum() * (2.0 if hasattr(x, "no_such_thing") else 3.0) * getattr(x, "weight", 1.0)


@pytest.mark.parametrize("loss", [halves, strides, asked], ids=lambda f: f.__name__)
def test_what_is_caught_is_as_in_numpy_or_refused(loss):
    for shape in ("n d", "4 3", "3 3"):
        try:
            d = sg.derive(loss, {"x": shape}, wrt="x")
        except SymgradError as error:
            assert "test_ordinary_python.py, line " in str(error)  # also where the function has caught it
            continue
        for size in {"n d": [(4, 3), (2, 2), (6, 1)], "4 3": [(4, 3)], "3 3": [(3, 3)]}[shape]:
            x = np.ones(size)
            assert d(x=x)[0] == loss(x)


def test_a_refusal_that_is_caught_and_raised_again_names_the_line():
    def loss(x):
        try:
            return np.unwrap(x).sum()
        except Exception as error:
            raise RuntimeError("no") from error

    with pytest.raises(UnsupportedError, match=r"np\.unwrap has no rule") as caught:
        trace_loss(loss, {"x": "n"})
    assert "return np.unwrap(x).sum()" in str(caught.value)
    assert "test_ordinary_python.py, line " in str(caught.value)


def test_other_attributes_are_missing_as_in_numpy():
    follows(missing)


# Containers and sizes -----------------------------------------------------------------------------------------

SIZED = {
    "dict.get": lambda x: x.sum() * {2: 1.0, 4: 5.0}.get(len(x), 9.0),
    "dict[...]": lambda x: x.sum() * collections.defaultdict(float, {4: 5.0})[x.shape[0]],
    "tuple in a set": lambda x: x.sum() * (2.0 if (x.shape[0], x.shape[1]) in {(4, 3)} else 3.0),
    "shape in a list": lambda x: x.sum() * (2.0 if x.shape in [(4, 3), (3, 4)] else 3.0),
    "str of a shape": lambda x: x.sum() * (2.0 if str(x.shape) == "(4, 3)" else 3.0),
    "f-string": lambda x: x.sum() * (2.0 if f"{len(x)}" == "4" else 3.0),
    "isinstance int": lambda x: x.sum() * (2.0 if isinstance(len(x), int) and isinstance(x.shape[1], numbers.Integral) else 3.0),
    "isinstance float": lambda x: x.sum() * (2.0 if isinstance(x.sum(), float) else 3.0),
    "isinstance tuple": lambda x: x.sum() * (2.0 if isinstance(x.sum(), (float, np.floating)) else 3.0),
    "isinstance float64": lambda x: x.sum() * (2.0 if isinstance(x[0, 0], np.float64) else 3.0),
    "isinstance Number": lambda x: x.sum() * (2.0 if isinstance(x.mean(), numbers.Number) else 3.0) * (2.0 if isinstance(x, numbers.Number) else 5.0),
    "isinstance ndarray": lambda x: x.sum() * (2.0 if isinstance(x, np.ndarray) else 3.0) * (2.0 if isinstance(x.sum(), np.ndarray) else 7.0),
    "isinstance np.generic": lambda x: x.sum() * (2.0 if isinstance(x.sum(), np.generic) and not isinstance(x, np.generic) else 3.0),
    "isinstance int of data": lambda x: x.sum() * (2.0 if isinstance(x.sum(), int) else 3.0),
    "type is": lambda x: x.sum() * (2.0 if type(x) is np.ndarray else 3.0) * (2.0 if type(x.sum()) is np.float64 else 3.0),
    "type ==": lambda x: x.sum() * (2.0 if type(len(x)) == int and type(x.sum()) != float else 3.0),  # noqa: E721
    "type in": lambda x: x.sum() * (2.0 if type(x.shape[0]) in (int, float) else 3.0),
    "match": lambda x: _matched(x),
}  # fmt: skip


def _matched(x):
    match x.shape:
        case (4, 3):
            return x.sum() * 2.0
        case (rows, columns):
            return x.sum() * rows / columns
    return x.sum()


@pytest.mark.parametrize("name", SIZED)
def test_sizes_are_ints_and_results_are_numpys(name):
    follows(SIZED[name], [(4, 3), (3, 4), (2, 2)])


@pytest.mark.parametrize(
    "loss",
    [
        lambda x, n=3, /, *, k=2.0: (x**n).sum() * k,
        lambda x, /, n=3: (x**n).sum(),
        lambda x, w=np.array([1.0, 2.0, 3.0]), /: (x @ w).sum(),  # noqa: B008
        lambda x, *, kept=[]: (kept.append(x.sum()), kept[-1] * len(kept))[1] if not kept.clear() else 0,
    ],
)
def test_arguments_of_every_kind(loss):
    follows(loss, [(4, 3), (2, 3)], "n 3")


# What is kept -------------------------------------------------------------------------------------------------

CACHE: dict = {}
HISTORY: list = []
NESTED: dict = {"losses": [], "self": None}
NESTED["self"] = NESTED
RECENT: collections.deque = collections.deque(maxlen=3)
TOTAL = 0.0


class Keeper:
    def __init__(self):
        self.history, self.last = [], None

    def loss(self, x):
        self.history.append(x.sum())
        self.last = x
        return self.history[-1] ** 2


def cached(x):
    if "s" not in CACHE:
        CACHE["s"] = x.sum()
    return CACHE["s"] ** 2


def listed(x):
    HISTORY.append(x.sum())
    NESTED["self"]["losses"].append(x)
    RECENT.append(x[0])
    return HISTORY[-1] * len(HISTORY) + NESTED["losses"][-1].sum() + RECENT[-1].sum()


def add_to_total(x):
    global TOTAL
    TOTAL = x.sum()


def through_a_global(x):
    add_to_total(x)
    return TOTAL**2


def counters():
    seen = 0

    def count():
        nonlocal seen
        seen += 1

    def loss(x):
        count()
        count()
        return x.sum() * seen

    return loss


def test_what_the_function_keeps_is_its_own_for_one_trace():
    keeper = Keeper()
    for loss in (cached, listed, keeper.loss, through_a_global):
        for _ in range(2):
            d = sg.derive(loss, {"x": "n d"}, wrt="x")
            x = np.ones((2, 3))
            assert d(x=x)[0] == {cached: 36.0, listed: 15.0, through_a_global: 36.0}.get(loss, 36.0)
    assert (CACHE, HISTORY, NESTED["losses"], list(RECENT), TOTAL) == ({}, [], [], [], 0.0)
    assert (keeper.history, keeper.last) == ([], None)


def test_closures_share_their_variables():
    assert str(sg.derive(counters(), {"x": "n"}, wrt="x").gradient) == "2 𝟏"


def test_a_value_of_another_trace_is_refused():
    kept: queue.SimpleQueue = queue.SimpleQueue()
    trace_loss(lambda x: (kept.put(x), x.sum())[1], {"x": "n"})
    other = kept.get()
    kept.put(other)
    for use in (
        lambda x: (kept.put(other), kept.get(), kept.get())[-1],
        lambda x: x.sum() * (kept.put(other), kept.get())[-1].sum(),
        lambda x: x[(kept.put(other), kept.get())[-1]].sum(),
    ):
        with pytest.raises(TraceError, match="This traced array belongs to another function"):
            trace_loss(lambda x, use=use: use(x) + 0 * x.sum(), {"x": "n"})


# Copies -------------------------------------------------------------------------------------------------------


def copied(x):
    shallow, deep = copy.copy(x), copy.deepcopy(x)
    inside = copy.deepcopy({"x": x, "more": [x * 2, (x, x + 1)]})
    shallow[0], deep[0], inside["x"][0] = 2.0, 3.0, 4.0
    inside["more"][0][0] = 5.0
    return (
        sum(((v + 1) ** 2).sum() for v in (x, shallow, deep, inside["x"], *inside["more"][1]))
        + inside["more"][0].sum()
    )


def copied_model(x):
    model = Base(x.sum())
    other = copy.deepcopy(model)
    other.w = other.w * 3
    return model.scaled(x).sum() + other.scaled(x).sum()


@pytest.mark.parametrize("loss", [copied, copied_model], ids=lambda f: f.__name__)
def test_copies_are_fresh(loss):
    follows(loss, SIZES[:3])
