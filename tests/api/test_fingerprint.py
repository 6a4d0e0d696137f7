"""A second ``minimize`` skips tracing only where nothing that the function reads has changed."""

import abc
import enum
import functools
import math
import sys
import types
from collections import deque
from dataclasses import dataclass

import numpy as np
import pytest
import sympy
from scipy.special import expit

import symgrad as sg
from symgrad.api.fingerprint import Reads, fingerprint
from symgrad.program import Recent

scale = 1.0
unused = 1.0


def by_global(w):
    return np.sum(scale * w)


def inner(w):
    return scale * w


def outer(w):
    return inner(w)


def by_helpers_of_helpers(w):
    return np.sum(outer(w))


def with_defaults(w, a=1.0, *, b=1.0):
    return np.sum(a * b * w)


def first_of_two(w, n=3):
    return np.sum(scale * w) if n == 0 else second_of_two(w, n - 1)


def second_of_two(w, n):
    return first_of_two(w, n)


class Settings:
    target = 1.0
    __slots__ = ("slot",)


@dataclass
class Model:
    factor: float
    table: dict

    def __call__(self, w):
        return self.value(w)

    def value(self, w):
        return np.sum(self.factor * self.table["k"] * w)


class Base(abc.ABC):
    power = 1.0

    @property
    def doubled(self):
        return 2 * self.power

    @staticmethod
    def halved(w):
        return w / 2

    @abc.abstractmethod
    def loss(self, w): ...


class Derived(Base):
    def loss(self, w):
        return np.sum(self[self.doubled * self.halved(w)])

    def __getitem__(self, key):
        return key * scale


class Colour(enum.Enum):
    RED = 1.0
    GREEN = 2.0


def twice(loss, change):
    """The first loss before and after a change, at w = (1, 1); the two derivations."""
    runs = [sg.minimize(loss, {"w": np.ones(2)}, steps=1) for _ in range(2)]
    assert runs[0].derivation is runs[1].derivation, "an unchanged function is not traced again"
    change()
    after = sg.minimize(loss, {"w": np.ones(2)}, steps=1)
    return float(runs[0].losses[0]), float(after.losses[0])


def test_globals_helpers_and_functions_that_call_each_other(monkeypatch):
    for loss in (by_global, by_helpers_of_helpers, first_of_two):
        with monkeypatch.context() as patch:
            change = functools.partial(patch.setattr, sys.modules[__name__], "scale", 3.0)
            assert twice(loss, change) == (2, 6)


def test_a_helper_is_replaced(monkeypatch):
    change = functools.partial(monkeypatch.setattr, sys.modules[__name__], "inner", lambda w: 5 * w)
    assert twice(by_helpers_of_helpers, change) == (2, 10)


def test_the_code_of_a_helper_is_replaced(monkeypatch):
    change = functools.partial(monkeypatch.setattr, inner, "__code__", (lambda w: 7 * w).__code__)
    assert twice(by_helpers_of_helpers, change) == (2, 14)


def test_defaults_and_keyword_defaults(monkeypatch):
    change = functools.partial(monkeypatch.setattr, with_defaults, "__defaults__", (3.0,))
    assert twice(with_defaults, change) == (2, 6)
    monkeypatch.undo()
    change = functools.partial(monkeypatch.setitem, with_defaults.__kwdefaults__, "b", 4.0)
    assert twice(with_defaults, change) == (2, 8)


def test_attributes_of_functions():
    def loss(w):
        return np.sum(loss.scale * w)

    loss.scale = 1.0
    assert twice(loss, lambda: setattr(loss, "scale", 3.0)) == (2, 6)


def test_a_name_that_did_not_exist(monkeypatch):
    def loss(w):
        try:
            return np.sum(later * w)
        except NameError:
            return np.sum(w)

    change = functools.partial(monkeypatch.setitem, globals(), "later", 3.0)
    assert twice(loss, change) == (2, 6)


@pytest.mark.parametrize(
    ("held", "change"),
    [
        ([1.0], lambda held: held.__setitem__(0, 3.0)),
        ([1.0], lambda held: held.insert(0, 3.0)),
        (deque([1.0]), lambda held: held.appendleft(3.0)),
        ({0: 1.0}, lambda held: held.update({0: 3.0})),
        (([1.0],) * 2, lambda held: held[0].__setitem__(0, 3.0)),
        (np.array([1.0, 1.0]), lambda held: held.__setitem__(0, 3.0)),
        ([np.array(1.0)], lambda held: held[0].__setitem__((), 3.0)),
        ({0: np.float32(1)}, lambda held: held.__setitem__(0, np.float32(3))),
        ([functools.partial(np.multiply, 1.0)], lambda held: held.__setitem__(0, 3.0)),
    ],
)
def test_what_a_closure_holds_is_changed_in_place(held, change):
    def loss(w):
        first = held[0]
        while isinstance(first, list):
            first = first[0]
        return np.sum(w * (first(1.0) if callable(first) else first))

    assert twice(loss, lambda: change(held)) == (2, 6)


def test_modules_classes_and_slots():
    module = types.ModuleType("users")
    module.target, module.loud = 1.0, object()  # what no code names does not matter
    Settings.target, settings = 1.0, Settings()
    settings.slot = 1.0
    for holder, name in ((module, "target"), (Settings, "target"), (settings, "slot")):

        def through(here, name=name):
            return here.target if name == "target" else here.slot

        def loss(w, holder=holder, through=through):
            return np.sum(through(holder) * w)

        change = functools.partial(setattr, holder, name, 3.0)
        assert twice(functools.wraps(loss)(lambda w, f=loss: f(w)), change) == (2, 6)


def test_objects_that_are_called_their_methods_and_partials():
    for wrap in (lambda m: m, lambda m: m.value, lambda m: functools.partial(m.value)):
        model = Model(1.0, {"k": 1.0})
        loss = wrap(model)
        assert twice(lambda w, f=loss: f(w), lambda m=model: setattr(m, "factor", 3.0)) == (2, 6)
        assert twice(lambda w, f=loss: f(w), lambda m=model: m.table.update(k=3.0)) == (6, 18)

    def scaled(w, a, settings):
        return np.sum(a * settings["b"] * w)

    words = {"b": 1.0}
    loss = functools.partial(scaled, a=1.0, settings=words)
    assert twice(lambda w, f=loss: f(w), lambda: words.update(b=3.0)) == (2, 6)


def test_inherited_members_and_special_methods(monkeypatch):
    loss = Derived().loss
    change = functools.partial(monkeypatch.setattr, Base, "power", 3.0)
    assert twice(lambda w: loss(w), change) == (2, 6)
    change = functools.partial(monkeypatch.setattr, sys.modules[__name__], "scale", 2.0)
    assert twice(lambda w: loss(w), change) == (6, 12)


def test_functions_made_anew_with_the_same_meaning_are_known():
    def make(target):
        return lambda w: np.sum((w - target) ** 2)

    runs = [sg.minimize(make(t), {"w": np.zeros(2)}, steps=1) for t in (1.0, 1.0, 2.0)]
    assert runs[0].derivation is runs[1].derivation
    assert [float(r.losses[0]) for r in runs] == [2, 2, 8]


def test_texts_and_expressions_are_known():
    w = sympy.Symbol("w", real=True)
    for loss in ("(w - 1)**2", (w - 1) ** 2):
        first, second = (sg.minimize(loss, {"w": np.array(0.0)}, steps=1) for _ in range(2))
        assert first.derivation is second.derivation


def test_what_given_functions_read(monkeypatch):
    words = {"params": {"w": np.ones(2)}, "given": {"p": inner}, "steps": 1}
    first = sg.minimize("np.sum(p)", **words)
    monkeypatch.setattr(sys.modules[__name__], "scale", 3.0)
    second = sg.minimize("np.sum(p)", **words)
    assert (float(first.losses[0]), float(second.losses[0])) == (2, 6)


def test_other_layouts_are_other_questions():
    def loss(x, w):
        return np.sum(x * w)

    words = {"params": {"w": np.ones(2)}, "steps": 1}
    for x in (np.ones(2), np.ones((3, 2)), np.ones((3, 2), np.float32), np.asfortranarray(np.ones((3, 2)))):
        assert sg.minimize(loss, data={"x": x}, **words).losses[0] == x.size


def test_what_does_not_matter_does_not_retrace(monkeypatch):
    def loss(w, colour=Colour.RED):
        return np.sum(np.sqrt(scale) * expit(w) * colour.value * math.pi * len(w))

    before = fingerprint(loss)
    assert before is not None
    monkeypatch.setattr(sys.modules[__name__], "unused", 2.0)
    assert fingerprint(loss) is before
    monkeypatch.setattr(sys.modules[__name__], "scale", float("1.0"))  # another object of the same value
    assert fingerprint(loss) == before


def names_at_run_time(w):
    return np.sum(globals()["scale"] * w)


def by_getattr(w):
    return np.sum(getattr(Settings, "tar" + "get") * w)


def imports(w):
    from tests_of_nothing import target

    return np.sum(target * w)


class Inherits(dict):
    pass


@pytest.mark.parametrize(
    "loss",
    [
        names_at_run_time,
        by_getattr,
        imports,
        lambda w, held=Inherits(): w,  # noqa: B008
        lambda w, held=np.zeros(100_000): w,  # noqa: B008
        lambda w, held=np.random.default_rng(0): w,  # noqa: B008
        lambda w, held=sympy.Matrix([1]): w,  # noqa: B008
        lambda w, held={object()}: w,  # noqa: B008
        lambda w: sys.argv,
        lambda w: [getattr(w, n) for n in ("T",)],
    ],
)
def test_what_cannot_be_followed_has_no_fingerprint(loss):
    assert fingerprint(loss) is None
    assert Reads((loss,)).fingerprint is None


def test_names_made_at_run_time_are_seen_again(monkeypatch):
    first = sg.minimize(names_at_run_time, {"w": np.ones(2)}, steps=1)
    monkeypatch.setattr(sys.modules[__name__], "scale", 3.0)
    second = sg.minimize(names_at_run_time, {"w": np.ones(2)}, steps=1)
    assert (float(first.losses[0]), float(second.losses[0])) == (2, 6)


def test_recent_forgets_the_oldest():
    memory = Recent(2)
    for key in "abca":
        memory.put(key, key.upper())
    assert [memory.get(k) for k in "abc"] == ["A", None, "C"]
