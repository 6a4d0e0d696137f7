"""What cannot be read is refused: what, where, expected, got, and the option that says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from scripts_corpus import DATA, FUNCTIONS, LOOP, indented

from symgrad.errors import ParseError, SpecError, SymgradError
from verify.scripts import read_script

WHOLE = FUNCTIONS + DATA + LOOP


@dataclass(frozen=True)
class Refusal:
    """A script and what its refusal says."""

    name: str
    source: str
    line: int | None
    says: tuple[str, ...]
    options: dict[str, object] = field(default_factory=dict)
    error: type[SymgradError] = ParseError


def changed(old: str, new: str, source: str = WHOLE) -> str:
    assert old in source
    return source.replace(old, new)


CLASS = """
import numpy as np
class Net:
    def __init__(self):
        self.w = np.zeros((2, 1))
    def gradient(self, x, y):
        return x.T @ (x @ self.w - y)
    def train(self, x, y):
        for _ in range(10):
            self.w -= 0.1 * self.gradient(x, y)
net = Net()
net.train(np.ones((3, 2)), np.ones((3, 1)))
"""

REFUSALS = [
    Refusal("syntax error", "import numpy as np\ndef f(:\n    pass\n", 2, ("not valid Python", "def f(:")),
    Refusal("empty file", "", None, ("The file has no code.", "an empty file")),
    Refusal("comments only", "# 梯度\n\n# nothing\n", None, ("The file has no code.", "comments only")),
    Refusal(
        "no update",
        FUNCTIONS,
        None,
        (
            "No line updates a parameter",
            "functions forward, loss, gradient",
            "script.py::gradient --wrt NAME",
        ),
    ),
    Refusal("no functions", "print(1)\n", None, ("No line updates a parameter", "no functions")),
    Refusal(
        "gradient written out in the update",
        changed("LR*grad", "LR * np.dot(x.T, y_pred - y)"),
        24,
        ("The gradient of w is written out in the script", "np.dot(x.T, y_pred - y)", "script.py::gradient"),
    ),
    Refusal(
        "gradient written out before the update",
        changed("gradient(x, y, y_pred)\n    w", "x.T @ (y_pred - y)\n    w"),
        24,
        ("The gradient of w is written out in the script", "w -= LR*grad"),
    ),
    Refusal(
        "a function's result is only part of the gradient",
        changed("LR*grad", "LR * np.dot(x.T, loss_slope(y_pred, y))").replace(
            "\nx = np", "\ndef loss_slope(a, b):\n    return a - b\nx = np"
        ),
        26,
        ("The gradient of w is written out in the script",),
    ),
    Refusal(
        "an array multiplies the gradient",
        changed("LR*grad", "LR * mask * grad").replace("\nw = ", "\nmask = np.array([[1.0], [0.0]])\nw = "),
        25,
        ("The gradient of w is written out in the script", "LR * mask * grad"),
    ),
    Refusal(
        "the update completes the gradient with a size",
        changed("LR*grad", "LR * grad / len(x)"),
        24,
        ("multiplies the result of gradient by 1 / len(x) besides the rate LR", "script.py::gradient"),
    ),
    Refusal(
        "the update completes the gradient with a number",
        changed("LR*grad", "2 * LR * grad"),
        24,
        ("multiplies the result of gradient by 2 besides the rate LR",),
    ),
    Refusal(
        "the gradient is added",
        changed("w -= LR*grad", "w += LR*grad"),
        24,
        ("adds the result of gradient instead of subtracting it", "script.py::gradient"),
    ),
    Refusal(
        "weight decay in the update",
        changed("LR*grad", "LR * (grad + 0.1 * w)"),
        24,
        ("adds terms of its own", "move the terms into the function"),
    ),
    Refusal(
        "two gradient functions",
        changed("    w -= LR*grad", "    w -= LR*grad\n    b -= LR*slope(y, y_pred)")
        .replace("y_pred = forward(x, w)", "y_pred = forward(x, w) + b")
        .replace("\nw = ", "\nb = 0.0\ndef slope(y, y_pred):\n    return (y_pred - y).sum()\nw = "),
        27,
        ("use the results of several functions: gradient, slope", "script.py::gradient (and --wrt w)"),
    ),
    Refusal(
        "a result that no update uses",
        changed("return np.matmul(x.T, (y_pred-y))", "return y_pred-y, np.matmul(x.T, (y_pred-y))").replace(
            "grad = gradient", "_, grad = gradient"
        ),
        24,
        ("returns 2 results, of which the updates use 1", "--wrt NAME,NAME"),
    ),
    Refusal(
        "two losses",
        changed("print(l)", "print(l, total(y_pred, y))").replace(
            "\nx = np", "\ndef total(a, b):\n    return np.abs(a - b).sum()\nx = np"
        ),
        25,
        (
            "Several functions may be the loss: loss, total",
            "line 23: loss(y_pred, y); line 24: total(y_pred, y)",
            "--of script.py::loss or --of script.py::total",
        ),
    ),
    Refusal(
        "no loss",
        changed("    l = loss(y_pred, y)\n    print(l)\n", ""),
        21,
        ("No function computes a loss from what gradient is given", "--of script.py::loss"),
    ),
    Refusal(
        "shapes that the source does not show",
        changed(DATA, "x = np.loadtxt('x.csv')\ny = np.loadtxt('y.csv')\nw = np.zeros((2, 1))\n"),
        14,
        ("The shape of x and y cannot be read", "np.loadtxt('x.csv')", '--shapes "x: n d, y: n d"'),
    ),
    Refusal("a class", CLASS, 10, ("The class Net updates its own attributes", "self.w -= 0.1")),
    Refusal(
        "parameters in a dict",
        changed("w -= LR*grad", "p['w'] -= LR*grad")
        .replace("= forward(x, w)", "= forward(x, p['w'])")
        .replace("\nfor i", "\np = {'w': w}\nfor i"),
        25,
        ("kept in an object, a dict or a list", '--shapes "..." --wrt NAME'),
    ),
    Refusal(
        "functions inside a function",
        "import numpy as np\ndef main():" + indented(WHOLE.replace("import numpy as np\n", "")) + "main()\n",
        6,
        ("The function forward is defined inside another function", "move forward out"),
    ),
    Refusal(
        "the parameter is a global",
        changed("def forward(x, w)", "def forward(x)").replace(
            "y_pred = forward(x, w)", "y_pred = forward(x)"
        ),
        23,
        ("The parameter w does not enter the loss", "pass w as an argument"),
    ),
    Refusal(
        "an input is a global in one function",
        changed("def gradient(x, y, y_pred)", "def gradient(y, y_pred)").replace(
            "gradient(x, y, y_pred)", "gradient(y, y_pred)"
        ),
        13,
        ("gradient reads the variable x of the script", "add x to the arguments of gradient"),
    ),
    Refusal(
        "a global that the script part sets",
        changed("np.matmul(x, w)", "scale * np.matmul(x, w)") + "scale = np.random.rand()\n",
        7,
        ("forward reads the variable scale, which the script part sets", "add scale to the arguments"),
    ),
    Refusal(
        "a name that is nowhere",
        changed("np.matmul(x, w)", "nowhere(np.matmul(x, w))"),
        7,
        ("forward reads nowhere, which is defined nowhere", "define or import nowhere"),
    ),
    Refusal(
        "an import that is needed fails",
        "from package_that_is_not_there import expit\n"
        + changed("np.matmul(x, w)", "expit(np.matmul(x, w))"),
        1,
        ("forward needs expit, which cannot be defined", "No module named 'package_that_is_not_there'"),
    ),
    Refusal(
        "a default that is a call",
        changed("def forward(x, w)", "def forward(x, w, rng=np.random.default_rng(0))"),
        6,
        ("The function forward cannot be defined", "np.random.default_rng(0) is the result of a call"),
    ),
    Refusal(
        "a size as an argument",
        changed("gradient(x, y, y_pred)", "gradient(x, y, y_pred, m)").replace(
            "\nfor i", "\nm = x.shape[0]\nfor i"
        ),
        24,
        ("The argument m of gradient is the size of an array", "m = x.shape[0]"),
    ),
    Refusal(
        "an option as an argument of the loss",
        changed("loss(y_pred, y)", "loss(y_pred, y, 'sum')").replace(
            "def loss(y_pred, y, 'sum')", "def loss(y_pred, y, mode)"
        ),
        21,
        ("The argument mode of loss is an option", "give mode a default value"),
    ),
    Refusal(
        "a missing argument",
        changed("grad = gradient(x, y, y_pred)", "grad = gradient(x, y_pred)"),
        23,
        ("The call of gradient cannot be read: gradient is called without y_pred",),
    ),
    Refusal(
        "unpacked arguments",
        changed("grad = gradient(x, y, y_pred)", "grad = gradient(*[x, y, y_pred])"),
        23,
        ("the arguments are unpacked from a list or dict", "write the arguments of gradient out"),
    ),
    Refusal(
        "an intermediate value among several results",
        changed("return np.matmul(x, w)", "return np.matmul(x, w), x").replace(
            "y_pred = f", "y_pred, cache = f"
        ),
        20,
        ("y_pred is one of several results of a function", "write a function that returns y_pred alone"),
    ),
    Refusal(
        "the gradient gets what the loss does not",
        changed("gradient(x, y, y_pred)", "gradient(x, y, y_pred, 0.3)").replace(
            "y, y_pred, 0.3):", "y, y_pred, lam):"
        ),
        23,
        ("gradient is given lam, on which the loss loss does not depend", "pass lam to the loss too"),
    ),
    Refusal(
        "a gradient that is never called",
        FUNCTIONS,
        12,
        ("Nothing shows how x, which gradient is given, is related to the loss loss",),
        {"gradient": "gradient", "loss": "loss", "wrt": ["y_pred"]},
    ),
    Refusal(
        "a named gradient without a loss",
        FUNCTIONS,
        None,
        ("The script never calls gradient", "--of script.py::NAME"),
        {"gradient": "gradient"},
    ),
    Refusal(
        "a gradient that is no function",
        WHOLE,
        None,
        ("slope is no function of this file", "forward, loss, gradient", "FILE.py::slope"),
        {"gradient": "slope"},
        SpecError,
    ),
    Refusal(
        "a gradient that is a class",
        CLASS,
        None,
        ("Net is a class, not a function",),
        {"gradient": "Net"},
        SpecError,
    ),
    Refusal(
        "a loss that is no function",
        WHOLE,
        None,
        ("cost is no function of this file", "--of FILE.py::cost"),
        {"loss": "cost"},
        SpecError,
    ),
    Refusal(
        "a parameter that is no input",
        WHOLE,
        None,
        ("theta is no input of the loss", "--wrt", "names among x, w, y"),
        {"wrt": ["theta"]},
        SpecError,
    ),
    Refusal(
        "a shape of no input",
        WHOLE,
        None,
        ("z is no input of the loss", "shapes for x, w, y"),
        {"shapes": {"z": "n d"}},
        SpecError,
    ),
    Refusal(
        "a shape of an intermediate value",
        WHOLE,
        20,
        ("y_pred is computed by the script", "leave y_pred out of --shapes"),
        {"shapes": {"y_pred": "n 1"}},
        SpecError,
    ),
    Refusal(
        "a shape that is none",
        WHOLE,
        None,
        ("The shape of x is not one", '--shapes "x: n d"'),
        {"shapes": {"x": "n -1"}},
        SpecError,
    ),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)
def test_refusal(refusal: Refusal, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(refusal.source, encoding="utf8")
    with pytest.raises(refusal.error) as caught:
        read_script(path, **refusal.options)  # type: ignore[arg-type]
    text = str(caught.value)
    for words in refusal.says:
        assert words in text
    if refusal.line is not None:
        assert f"script.py:{refusal.line}" in (caught.value.where or "")


def test_the_autograd_twin_has_no_gradient_to_check() -> None:
    path = Path(__file__).parents[2] / "fixtures" / "tutorial_oneflow.py"
    with pytest.raises(ParseError, match="leaves the gradient to an autograd") as caught:
        read_script(path)
    assert "l.backward()" in str(caught.value)
    assert "verify.check_autograd" in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="There is no such file") as caught:
        read_script(tmp_path / "nothing.py")
    assert "nothing.py" in str(caught.value)


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="A folder is not a script") as caught:
        read_script(tmp_path)
    assert "name the file" in str(caught.value)


def test_name_that_is_no_path() -> None:
    with pytest.raises(ParseError, match="cannot be read"):
        read_script("a\0b.py")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"import numpy as np\nx = '\xff\xfe'\n", "not UTF-8 text"),
        (b"# -*- coding: no-such-code -*-\nx = 1\n", "not UTF-8 text"),
        (b"x = 1\n\0\0\n", "null characters"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not UTF-8 text"),
    ],
)
def test_not_text(data: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "data.py"
    path.write_bytes(data)
    with pytest.raises(ParseError) as caught:
        read_script(path)
    assert says in str(caught.value)
    assert "data.py" in str(caught.value)


def test_nested_too_deeply(tmp_path: Path) -> None:
    path = tmp_path / "deep.py"
    path.write_text("x = " + "(" * 5000 + "1" + ")" * 5000 + "\n")
    with pytest.raises(ParseError):
        read_script(path)
    path.write_text("x = " + "-" * 3000 + "1\n")
    with pytest.raises(ParseError):
        read_script(path)
