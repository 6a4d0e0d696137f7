"""The right reading of scripts as people write them, field by field."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripts_corpus import SCRIPTS, Script

from verify.scripts import Reading, read_script


def read(tmp_path: Path, source: str, **options: object) -> Reading:
    path = tmp_path / "script.py"
    path.write_text(source, encoding="utf8")
    return read_script(path, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_reading(script: Script, tmp_path: Path) -> None:
    reading = read(tmp_path, script.source, **script.options)
    assert reading.loss == script.loss
    assert reading.gradient == script.gradient
    assert dict(reading.given) == script.given
    assert dict(reading.args) == script.args
    assert dict(reading.loss_args) == script.loss_args
    assert dict(reading.given_args) == script.given_args
    assert reading.wrt == script.wrt
    assert dict(reading.shapes) == script.shapes
    assert dict(reading.dtypes) == script.dtypes
    assert dict(reading.keys) == script.keys
    for name, rate in script.rates.items():
        assert reading.steps[name].rate == rate
    for name in (reading.loss, reading.gradient, *reading.given.values()):
        assert callable(reading.namespace[name])
    lines = script.source.splitlines()
    for fact in reading.facts:
        assert 1 <= fact.line <= len(lines)


def test_a_wrong_gradient_does_not_make_sizes_equal(tmp_path: Path) -> None:
    """`x` in place of `x.T` works on square data only; the sizes come from the loss, so the mistake stays visible."""
    square = next(script for script in SCRIPTS if script.name == "square data by accident")
    wrong = square.source.replace("np.matmul(x.T, (y_pred-y))", "np.matmul(x, (y_pred-y))")
    assert wrong != square.source
    assert dict(read(tmp_path, wrong).shapes) == square.shapes


def test_sizes_that_the_gradient_holds_for_alone_are_fixed(tmp_path: Path) -> None:
    source = next(script for script in SCRIPTS if script.name == "guard").source
    tied = source.replace("np.matmul(x.T, (y_pred-y))", "np.matmul(x.T, (y_pred-y) * np.ones((4, 1)))")
    reading = read(tmp_path, tied)
    assert dict(reading.shapes) == {"x": (4, "d"), "y": (4, 1), "w": ("d", 1)}
    assert any("is fixed at 4, as gradient needs" in fact.what for fact in reading.facts)


def test_shapes_that_contradict_each_other_are_told(tmp_path: Path) -> None:
    source = next(script for script in SCRIPTS if script.name == "guard").source
    reading = read(tmp_path, source.replace("np.random.rand(2, 1)", "np.random.rand(3, 1)"))
    assert dict(reading.shapes) == {"x": ("n", "d"), "y": ("n", 1), "w": ("k", 1)}
    assert any(
        fact.what == "warning: the columns of x (2) and the rows of w (3) do not fit"
        for fact in reading.facts
    )


def test_a_size_that_cannot_be_followed_is_assumed_and_told(tmp_path: Path) -> None:
    source = next(script for script in SCRIPTS if script.name == "guard").source
    opaque = source.replace("return np.matmul(x, w)", "return np.einsum('ij,jk->ik', x, w)")
    reading = read(tmp_path, opaque)
    assert dict(reading.shapes) == {"x": ("n", "d"), "y": ("n", 1), "w": ("d", 1)}
    assert any("are taken as one" in fact.what for fact in reading.facts)


def test_the_same_file_is_read_afresh_each_time(tmp_path: Path) -> None:
    source = SCRIPTS[0].source
    first, second = read(tmp_path, source), read(tmp_path, source)
    assert first.namespace is not second.namespace
    assert first.facts == second.facts
