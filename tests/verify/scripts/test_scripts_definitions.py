"""What of a file runs, and what does not."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scripts_corpus import DATA, FUNCTIONS, LOOP

from verify.scripts import read_script
from verify.scripts.definitions import Definitions, define
from verify.scripts.source import load


def defined(tmp_path: Path, source: str) -> Definitions:
    path = tmp_path / "script.py"
    path.write_text(source, encoding="utf8")
    return define(load(path))


def test_definitions_run_and_the_script_does_not(tmp_path: Path) -> None:
    found = defined(
        tmp_path,
        f"""
import numpy as np
from math import pi as PI
A = 3
B, C = 2 * A + 1, (1, -2.5)
NAMES = ["a", "b"] * 2
TABLE = {{"rate": 1e-3, "sizes": [A, B]}}
X = np.array([[1, 2], [3, 4]], dtype=np.float32).T
HALF: float = 1 / 2
print("this is not printed")
open({str(tmp_path / "written.txt")!r}, "w").write("no")
D = len(NAMES)
E = input("?")
for i in range(3):
    F = i
raise SystemExit(3)
""",
    )
    names = found.namespace
    assert (names["A"], names["B"], names["C"], names["HALF"]) == (3, 7, (1, -2.5), 0.5)
    assert names["NAMES"] == ["a", "b", "a", "b"]
    assert names["TABLE"] == {"rate": 1e-3, "sizes": [3, 7]}
    assert np.array_equal(names["X"], [[1, 3], [2, 4]])  # type: ignore[arg-type]
    assert names["X"].dtype == np.float32  # type: ignore[attr-defined]
    assert names["PI"] == pytest.approx(np.pi)
    assert names["__name__"] != "__main__"
    assert not {"D", "E", "F", "i"} & names.keys()
    assert {"D", "E", "F", "i"} <= found.changed
    assert not (tmp_path / "written.txt").exists()


def test_the_reader_runs_no_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "script.py"
    noisy = FUNCTIONS.replace("    return", "    print('ran')\n    raise RuntimeError\n    return")
    path.write_text(noisy + DATA + LOOP)
    assert read_script(path).wrt == ("w",)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "text",
    [
        "10 ** 10 ** 10",
        "'a' * 10 ** 9",
        "[0] * 10 ** 9",
        "1 / 0",
        "np.array([[1], [2, 3]])",
        "'%d' % 'a'",
        "2 ** 3 ** 99",
    ],
)
def test_constants_are_bounded(text: str, tmp_path: Path) -> None:
    found = defined(tmp_path, f"import numpy as np\nx = {text}\n")
    assert "x" not in found.namespace
    assert "x" in found.changed


def test_a_constant_that_the_script_changes_is_noted(tmp_path: Path) -> None:
    found = defined(tmp_path, "w = [1, 2]\nv = 1\nfor i in range(3):\n    w[0] += 1\n    v -= 1\n")
    assert {"w", "v"} <= found.changed
    assert found.namespace["w"] == [1, 2]


def test_packages_that_are_not_there(tmp_path: Path) -> None:
    found = defined(
        tmp_path,
        """
import package_that_is_not_there as p
from package_that_is_not_there.sub import thing
try:
    import another_that_is_not_there as fast
except ImportError:
    fast = None
@p.decorator
def f(x): return x
def g(x: p.Type) -> p.Other: return x
class C(p.Base): pass
class D:
    sizes = print("not printed")
    def method(self): return 1
""",
    )
    assert set(found.missing) == {"p", "thing", "f", "C"}
    assert "No module named" in found.missing["p"].reason
    assert found.missing["f"].line == 9
    assert found.namespace["fast"] is None
    assert callable(found.namespace["g"])
    assert found.namespace["D"]().method() == 1  # type: ignore[operator]


def test_the_guard_defines_too(tmp_path: Path) -> None:
    found = defined(
        tmp_path, "if __name__ == '__main__':\n    import math\n    RATE = 0.1\n    print('no')\n"
    )
    assert found.namespace["RATE"] == 0.1
    assert "math" in found.namespace
    assert len(found.script) == 2


def test_modules_beside_the_script(tmp_path: Path) -> None:
    (tmp_path / "beside_the_script.py").write_text("def double(x):\n    return 2 * x\n")
    path_before = list(sys.path)
    found = defined(tmp_path, "from beside_the_script import double\n")
    assert found.namespace["double"](4) == 8  # type: ignore[operator]
    assert sys.path == path_before
    assert "beside_the_script" not in sys.modules
    assert not (tmp_path / "__pycache__").exists()


def test_a_file_named_as_the_package_does_not_disturb(tmp_path: Path) -> None:
    for name in ("verify", "numpy", "symgrad"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('shadowed')\n")
    path = tmp_path / "verify.py"
    path.write_text(FUNCTIONS + DATA + LOOP)
    assert read_script(path).gradient == "gradient"


def test_encodings_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_bytes(b"\xef\xbb\xbf" + (FUNCTIONS + DATA + LOOP).replace("\n", "\r\n").encode())
    first = read_script(path)
    path.write_bytes(("# -*- coding: gbk -*-\n# 梯度\n" + FUNCTIONS + DATA + LOOP).encode("gbk"))
    second = read_script(path)
    assert first.shapes == second.shapes
    assert [fact.line + 2 for fact in first.facts] == [fact.line for fact in second.facts]
