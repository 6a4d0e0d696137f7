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
