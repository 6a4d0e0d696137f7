"""The command line: what it prints, its exit status, and that no traceback ever reaches the user."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import symgrad as sg
from symgrad.cli.main import group

FIXTURES = Path(__file__).parent.parent / "fixtures"
ARGUMENTS = ["derive", "(0.5*(x @ w - y)**2).sum()", "--shapes", "x: n d, w: d 1, y: n 1", "--wrt", "w"]


def call(*arguments):
    return CliRunner().invoke(group, list(arguments))


def process(*arguments, cwd=None, **environment):
    return subprocess.run(
        [sys.executable, "-m", "symgrad", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
    )


def test_derive_text():
    result = call(*ARGUMENTS)
    assert result.exit_code == 0
    assert result.output == "    L = ½ Σ (xw − y)²\n∂L/∂w = xᵀ(xw − y)    (d, 1)\n"


@pytest.mark.parametrize(
    ("style", "part"),
    [
        ("latex", r"x^{\top} (x w - y)"),
        ("numpy", "return v6, {'w': v9}"),
        ("numba", "@njit(**FLAGS)"),
        ("sympy", "w: x.T*(x*w - y)"),
        ("ascii", "dL/dw = x'(xw - y)"),
    ],
)
def test_derive_formats(style, part):
    result = call(*ARGUMENTS, "--format", style)
    assert result.exit_code == 0
    assert part in result.output or (style == "numpy" and "return" in result.output)


def test_derive_steps_and_given():
    result = call(
        "derive",
        "np.sum((p - y)**2)",
        "--given",
        "p=x @ w",
        "--shapes",
        "x: n d, w: d, y: n",
        "--wrt",
        "w",
        "--steps",
    )
    assert result.exit_code == 0
    assert "backward pass" in result.output
    assert "Aᵀ stands in front" in result.output


def test_derive_loads_no_compiler():
    done = process(*ARGUMENTS, PYTHONPROFILEIMPORTTIME="1")
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert {"sympy", "symgrad"} <= loaded
    assert not loaded & {"numba", "llvmlite", "scipy", "matplotlib", "hypothesis", "verify", "platformdirs"}


def test_ascii_stream():
    done = process(*ARGUMENTS, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert "dL/dw = x'(xw - y)" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["derive", "x @ w", "--shapes", "x: n d, w: d 1", "--wrt", "w"], "The loss is not a scalar."),
        (["derive", "foo(x)", "--shapes", "x: n", "--wrt", "x"], "The function foo is not known."),
        (["derive", "np.sum(x)", "--shapes", "x n", "--wrt", "x"], "The shapes cannot be read."),
        (["derive", "np.sum(x)", "--shapes", "x: n", "--wrt", "q"], "'q' is not an argument of the loss."),
        (["derive", "np.sum(x)", "--wrt", "x"], "Nothing says what 'x' is."),
        (["derive", "np.sum(x", "--shapes", "x: n", "--wrt", "x"], "The formula cannot be read"),
        (["derive", "missing.py::loss", "--wrt", "x"], "missing.py"),
        (["train", "--optimizer", "Magic"], "There is no such optimizer."),
        (["train", "np.sum(x)"], "The loss is a function of a file."),
        (["verify", "missing.py"], "missing.py"),
    ],
)
def test_errors_are_messages(arguments, text):
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert text in result.output
    assert "Traceback" not in result.output


def test_train_tutorial(tmp_path):
    result = call("train", "--steps", "500", "--save", str(tmp_path / "run.npz"))
    assert result.exit_code == 0, result.output
    assert "∂L/∂w = xᵀ(xw − y)" in result.output
    with np.load(tmp_path / "run.npz") as saved:
        np.testing.assert_allclose(saved["w"], [[2], [3]], atol=1e-5)


def test_train_file(tmp_path):
    file = tmp_path / "ridge.py"
    file.write_text(
        "import numpy as np\n"
        "x = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])\n"
        "y = np.array([5.0, 11.0, 19.0])\n"
        "def predict(x, w): return x @ w\n"
        "def loss(p, y, w): return np.mean((p - y)**2) + 1e-3*np.sum(w**2)\n"
        "raise SystemExit('the script part runs')\n"
    )
    result = call(
        "train", f"{file}::loss", "--params", "w=2", "--given", "p=predict", "--optimizer", "Adam", "--lr", "0.1",
        "--steps", "100",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "100/100 loss:" in result.output
    missing = call("train", f"{file}::loss", "--given", "p=predict")
    assert missing.exit_code == 2
    assert "Nothing says what is trained." in missing.output


def test_demo():
    result = call("demo")
    assert result.exit_code == 0, result.output
    for part in ("∂L/∂w = xᵀ(xw − y)", "500/500 loss:", "proved", "tape", "NumPy"):
        assert part in result.output


class TestInfo:
    def test_text(self):
        result = call("info")
        assert result.exit_code == 0, result.output
        lines = result.output.splitlines()
        starts = {line.split("  ")[0] for line in lines} - {""}
        assert starts == {
            "symgrad", "Python", "numpy", "scipy", "sympy", "numba", "llvmlite", "hypothesis", "processor", "cores",
            "BLAS", "cache",
        }  # fmt: skip
        second = lines[0].index(lines[0].split()[1])
        assert all(line[second - 1] == " " != line[second] for line in lines), "a column is not straight"
        assert all(len(line) <= 100 for line in lines if "/" not in line)

    def test_json(self):
        found = json.loads(call("info", "--json").output)
        assert found["packages"]["numpy"] == np.__version__
        assert found["cpu"]["name"] in call("info").output
        assert found["cpu"]["features"]
        assert found["cpu"]["cores"] >= 1
        assert {"numpy", "scipy"} <= {b["of"] for b in found["blas"]} or os.name != "posix"
        assert all(b["threads"] >= 1 for b in found["blas"])
        assert found["cache"] == json.loads(call("cache", "info", "--json").output)

    def test_a_package_that_is_not_there(self, monkeypatch):
        monkeypatch.setattr("symgrad.cli.info.PACKAGES", ("numpy", "no-such-package"))
        assert "no-such-package  not installed" in call("info").output


class TestCache:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.setenv("SYMGRAD_CACHE_DIR", str(tmp_path))
        monkeypatch.delenv("SYMGRAD_CACHE_MB", raising=False)
        return tmp_path / "kernels"

    def test_info_and_clear(self, folder):
        empty = call("cache", "info").output
        assert empty.splitlines() == [f"folder   {folder}", "kernels  0", "size     0 MB of 500 MB"]
        sg.derive("np.sum((w - 3)**2)", {"w": "n"}).compile()(w=np.ones(2))
        found = json.loads(call("cache", "info", "--json").output)
        assert found["folder"] == str(folder)
        assert found["kernels"] == 1
        assert found["bytes"] == sum(p.stat().st_size for p in folder.iterdir())
        assert abs(found["newest"] - time.time()) < 600
        assert "newest use  2" in call("cache", "info").output
        assert call("cache", "clear").output == "1 kernel removed\n"
        assert call("cache", "clear").output == "0 kernels removed\n"
        assert list(folder.iterdir()) == []

    def test_without_a_folder(self, monkeypatch):
        monkeypatch.setenv("SYMGRAD_CACHE_MB", "0")
        assert call("cache", "info").output.splitlines()[0] == "folder   none"
        assert call("cache", "clear").output == "0 kernels removed\n"

    def test_a_limit_that_is_no_number(self, monkeypatch):
        monkeypatch.setenv("SYMGRAD_CACHE_MB", "lots")
        result = call("cache", "info")
        assert result.exit_code == 2
        assert "SYMGRAD_CACHE_MB" in result.output


class TestVerify:
    def test_the_tutorial_as_it_stands(self):
        result = call("verify", str(FIXTURES / "tutorial_numpy.py"))
        assert result.exit_code == 0, result.output
        assert "proved" in result.output
        assert "w -= LR*grad" in result.output

    def test_a_wrong_gradient(self, tmp_path):
        text = (FIXTURES / "tutorial_numpy.py").read_text().replace("(y_pred-y))", "(y-y_pred))")
        file = tmp_path / "wrong.py"
        file.write_text(text)
        result = call("verify", str(file))
        assert result.exit_code == 1, result.output
        assert "refuted" in result.output

    def test_without_the_guard(self, tmp_path):
        lines = (FIXTURES / "tutorial_numpy.py").read_text().splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith("if __name__"))
        flat = lines[:at] + [line[4:] for line in lines[at + 1 :]]
        file = tmp_path / "flat.py"
        file.write_text("\n".join(flat) + "\n")
        result = call("verify", str(file))
        assert result.exit_code == 0, result.output

    def test_what_cannot_be_read_names_the_option(self, tmp_path):
        file = tmp_path / "alone.py"
        file.write_text("import numpy as np\ndef gradient(x, r):\n    return x.T @ r\n")
        result = call("verify", str(file))
        assert result.exit_code == 2
        assert "--" in result.output

    def test_syntax_error(self, tmp_path):
        file = tmp_path / "broken.py"
        file.write_text("def gradient(:\n")
        result = call("verify", str(file))
        assert result.exit_code == 2
        assert "Traceback" not in result.output

    def test_loss_from_another_file(self, tmp_path):
        (tmp_path / "teacher.py").write_text(
            "import numpy as np\ndef loss(x, w, y): return np.sum((x @ w - y)**2)\n"
        )
        (tmp_path / "mine.py").write_text("def gradient(x, w, y): return 2*x.T @ (x @ w - y)\n")
        result = call(
            "verify", f"{tmp_path / 'mine.py'}::gradient", "--of", f"{tmp_path / 'teacher.py'}::loss",
            "--shapes", "x: n d, w: d 1, y: n 1", "--wrt", "w",
        )  # fmt: skip
        assert result.exit_code == 0, result.output

    def test_a_users_own_verify_module(self, tmp_path):
        (tmp_path / "verify.py").write_text("raise SystemExit('the wrong verify')\n")
        (tmp_path / "t.py").write_text((FIXTURES / "tutorial_numpy.py").read_text())
        done = process("verify", "t.py", cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "the wrong verify" not in done.stdout + done.stderr
