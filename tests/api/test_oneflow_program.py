"""The tutorial's OneFlow program runs as it stands, with the library's name exchanged."""

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symgrad as sg

PROGRAM = Path(__file__).parents[1] / "fixtures" / "tutorial_oneflow.py"
GOLDEN = {50: 0.0034512377, 100: 1.9654874e-06, 150: 1.0552412e-09, 200: 3.8653525e-12}


def run(source):
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(source, str(PROGRAM), "exec"), {"__name__": "__main__"})
    return output.getvalue()


def program(start=None):
    source = PROGRAM.read_text(encoding="utf-8")
    assert source.count("import oneflow as flow") == 1
    source = source.replace("import oneflow as flow", "import symgrad as flow")
    if start is not None:
        source = source.replace("flow.randn(2, 1, dtype=flow.float32)", start)
    return source


def test_unchanged():
    sg.manual_seed(0)
    lines = run(program()).splitlines()
    assert [line.split(" ")[0] for line in lines[:10]] == [f"{i}/500" for i in range(50, 501, 50)]
    for line in lines[:10]:
        assert re.fullmatch(r"\d+/500 loss:\d\.?\d*(e-\d+)?", line), line
    assert "\n".join(lines[10:]) == (
        "\nw: tensor([[2.0000],\n        [3.0000]], dtype=symgrad.float32, grad_fn=<accumulate_grad>)"
    )


def test_golden_numbers():
    output = run(program(start="flow.tensor([[2.], [1.]])"))
    losses = {int(i): float(v) for i, v in re.findall(r"(\d+)/500 loss:(\S+)", output)}
    for step, value in GOLDEN.items():
        assert losses[step] == pytest.approx(value, rel=5e-7 if step < 200 else 1e-6)


def test_the_same_model_derives_and_fits():
    class Linear(sg.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = sg.nn.Parameter(sg.tensor([[2.0], [1.0]]))

        def forward(self, x):
            return sg.matmul(x, self.w)

    model = Linear()
    loss = sg.nn.MSELoss(reduction="sum")
    derivation = sg.derive(model, {"x": "n d", "y": "n 1"}, criterion=loss)
    assert str(derivation.gradients["w"]) == "2xᵀ(xw − y)"
    x = sg.tensor([[1, 2], [2, 3], [4, 6], [3, 1]], dtype=sg.float32)
    y = sg.tensor([[8], [13], [26], [9]], dtype=sg.float32)
    made = sg.fit(model, (x, y), loss=loss, optimizer=sg.optim.SGD(model.parameters(), 0.01), steps=500)
    np.testing.assert_allclose(made.losses[[49, 99]], [GOLDEN[50], GOLDEN[100]], rtol=1e-4)
    assert made.losses[149] < 1e-8
    assert made.losses[199] < 1e-11
    np.testing.assert_allclose(model.w.numpy(), [[2.000001], [2.9999993]], atol=5e-6)


def test_importing_is_light():
    script = (
        "import sys, symgrad\n"
        "heavy = {'numpy', 'sympy', 'numba', 'scipy', 'hypothesis', 'click'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "import symgrad as flow\n"
        "flow.nn.MSELoss, flow.float32, flow.optim\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_every_public_name_exists():
    for name in sg.__all__:
        assert getattr(sg, name) is not None, name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        sg.nothing  # noqa: B018
