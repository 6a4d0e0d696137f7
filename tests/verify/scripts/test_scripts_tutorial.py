"""The tutorial's own program: everything that is read of it, with its lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from verify.scripts import Fact, Reading, Step, read_script

TUTORIAL = Path(__file__).parents[2] / "fixtures" / "tutorial_numpy.py"


@pytest.fixture(scope="module")
def reading() -> Reading:
    return read_script(TUTORIAL)


def test_roles(reading: Reading) -> None:
    assert (reading.loss, reading.gradient, reading.wrt) == ("loss", "gradient", ("w",))
    assert dict(reading.given) == {"y_pred": "forward"}
    for renamed in (reading.args, reading.loss_args, reading.given_args, reading.keys):
        assert not renamed
    assert reading.steps["w"] == Step(sign=-1, rate="LR", factor=None, line=31)


def test_shapes(reading: Reading) -> None:
    assert dict(reading.shapes) == {"x": ("n", "d"), "y": ("n", 1), "w": ("d", 1)}
    assert dict(reading.dtypes) == {"x": "float32", "y": "float32"}


def test_namespace(reading: Reading) -> None:
    names = reading.namespace
    assert (names["LR"], names["ITER_COUNT"]) == (0.01, 500)
    assert "y_pred" not in names
    assert "w" not in names
    gradient = names["gradient"]
    assert callable(gradient)
    x, y, p = np.ones((3, 2)), np.ones((3, 1)), np.zeros((3, 1))
    assert np.array_equal(gradient(x, y, p), [[-3.0], [-3.0]])


def test_facts(reading: Reading) -> None:
    assert reading.facts == (
        Fact("the columns of x and the rows of w are one size, d", 8, "np.matmul(x, w)"),
        Fact("the rows of x and the rows of y are one size, n", 12, "y_pred-y"),
        Fact(
            "x is 4×2, float32, read as (n, d)",
            20,
            "np.array([[1, 2], [2, 3], [4, 6], [3, 1]], dtype=np.float32)",
        ),
        Fact("y is 4×1, float32, read as (n, 1)", 21, "np.array([[8], [13], [26], [9]], dtype=np.float32)"),
        Fact("w is 2×1, read as (d, 1)", 23, "np.random.rand(2, 1)"),
        Fact("y_pred comes from forward(x, w)", 26, "forward(x, w)"),
        Fact(
            "the loss is loss: it gets what the gradient gets, and its result is not used in the update",
            27,
            "loss(y_pred, y)",
        ),
        Fact("gradient returns the gradient of w", 30, "gradient(x, y, y_pred)"),
        Fact("parameter w is updated", 31, "w -= LR*grad"),
    )
    assert str(reading.facts[-1]) == "line 31: parameter w is updated    w -= LR*grad"


def test_without_the_guard(reading: Reading, tmp_path: Path) -> None:
    head, body = TUTORIAL.read_text(encoding="utf8").split('if __name__ == "__main__":\n')
    path = tmp_path / "tutorial.py"
    path.write_text(head + "\n".join(line[4:] for line in body.split("\n")), encoding="utf8")
    plain = read_script(path)
    for field in ("loss", "gradient", "given", "args", "wrt", "shapes", "dtypes"):
        assert getattr(plain, field) == getattr(reading, field)
    assert {fact.what for fact in plain.facts} == {fact.what for fact in reading.facts}


def test_options_override_what_is_read() -> None:
    stated = read_script(TUTORIAL, shapes={"x": "rows 2", "y": ("rows", 1)}, wrt=["w"], loss="loss")
    assert dict(stated.shapes) == {"x": ("rows", 2), "y": ("rows", 1), "w": (2, 1)}
    assert stated.wrt == ("w",)


def test_a_parameter_that_the_script_does_not_update() -> None:
    assert read_script(TUTORIAL, wrt=["x"]).wrt == ("x",)
