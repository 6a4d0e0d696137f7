"""No text hangs the machine: each is derived and printed, or refused, within seconds in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

import symgrad as sg
from symgrad.errors import SymgradError

SECONDS = 60  # what a loaded machine may take for a few seconds' work

PROGRAM = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
import symgrad as sg
for text in sys.stdin.read().split(chr(0)):
    try:
        str(sg.derive(text, {'w': 'n'}, wrt='w', syntax=sys.argv[1]).gradient)
        print('derived', flush=True)
    except sg.errors.SymgradError as error:
        print('refused', type(error).__name__, str(error).splitlines()[0], flush=True)
"""

NUMPY = {
    "powers": [
        "9**9**9*w.sum()",
        "2**5000*w.sum()",
        "2**2**2**2**30*w.sum()",
        "((2**4096)**4096)**4096*w.sum()",
        "((0.1**4000)**4000)**4000*w.sum()",
        "((w.sum()**9999)**9999)",
        "((((w.sum()**4096)**4096)**4096)**4096)",
        "w.sum()" + "**2" * 50,
        "2.5**4000.5*w.sum()",
        "np.power(np.pi, np.power(np.pi, np.pi))*w.sum()",
        "(0.1*w.sum() + 1)**4096",
    ],
    "constants": [
        "np.exp(np.exp(np.exp(100.0)))*w.sum()",
        "np.exp(1e6)*w.sum()",
        "1e308*1e308*w.sum()",
        "np.tan(1e300)*w.sum()",
        "np.sqrt(2)*" * 1400 + "w.sum()",
        "(" + "+".join(f"np.sqrt({i})" for i in range(2, 900)) + ")*w.sum()",
        "*".join(f"(np.sqrt({i}) + 1)" for i in range(2, 700)) + "*w.sum()",
        "(1/3)**4000*w.sum()",
    ],
    "sizes": [
        "w.reshape((10**9, 10**9)).sum()",
        "w.reshape(" + "1, " * 5000 + "-1).sum()",
        "w.reshape((n + 1)**4096).sum()",
        "((n + 1)**4096)**4096*w.sum()",
        "((n + 1)**40 + n)**40*w.sum()",
        "w.sum()*" + "*".join(["(n + 1)"] * 1500),
        "np.ones(10**9) @ w",
        "np.ones((10**5, 10**5)).sum()*w.sum()",
        "np.zeros((" + "10**4, " * 30 + ")).sum()*w.sum()",
        "np.arange(0, 1, 1e-12).sum()*w.sum()",
        "np.linspace(0, 1, 10**10).sum()*w.sum()",
        "np.eye(10**6)[0, 0]*w.sum()",
        "np.repeat(w, 10**9).sum()",
        "np.tile(w, (10**9, 1)).sum()",
        "np.outer(np.arange(10**4), np.arange(10**4)).sum()*w.sum()",
        "np.kron(np.ones(10**4), np.ones(10**4)).sum()*w.sum()",
        "w[10**12]",
        "w[::10**9].sum()",
    ],
    "rounds": [
        "np.diff(w, n=9999).sum()",
        "np.linalg.matrix_power(w[:, None]*w[None, :], 9999).sum()",
        "np.einsum('" + "i," * 3000 + "i->', " + "w, " * 3000 + "w)",
        "np.stack([" + "w, " * 3000 + "w]).sum()",
        "np.array([" + "1, " * 6000 + "2]).sum()*w.sum()",
    ],
    "depth": [
        "-" * 3000 + "w.sum()",
        "(" * 90 + "w.sum()" + ")" * 90,
        "(" * 3000 + "w.sum()" + ")" * 3000,
        "w" + ".T" * 5000,
        "w" + "[None]" * 3000,
        "np.exp(" * 35 + "w" + ")" * 35 + ".sum()",
        "np.exp(" * 2500 + "w" + ")" * 2500,
    ],
    "length": [
        "+".join(["w.sum()"] * 2400),
        "*".join(["w.sum()"] * 2400),
        "w.sum()" + "*1.5" * 400,
        "0.1**(0.1**(0.1**0.1))*w.sum()",
        "w.sum() + " * 5000 + "1",
        "1" * 15000,
        "w" * 15000,
    ],
}
MATH = {
    "powers": [
        "((sum(w)^9999)^9999)",
        "2^(2^(2^(2^30)))*sum(w)",
        "tr((w*w')^9999)",
        "tr((w*w')^-64)",
        "sum(w)" + "²" * 4000,
        "sum(w)^" + "-" * 9000 + "2",
    ],
    "sizes": [
        "ones(10^12)'*w",
        "sum(ones(10^5, 10^5), 'all')*sum(w)",
        "ones((n + 1)^4096)'*w",
        "((n + 1)^40 + n)^40*sum(w)",
        "tr(eye(10^9))*sum(w)",
        "sum(kron(eye(10^4), eye(10^4)), 'all')*sum(w)",
    ],
    "depth": [
        "w" + "'" * 5000 + "*w",
        "w'" + "^T" * 3000 + "*w",
        "(" * 5000 + "sum(w)" + ")" * 5000,
        "-" * 9000 + "sum(w)",
        "√" * 9000 + "sum(w)",
        "|" * 35 + "sum(w)" + "|" * 35,
        "exp(" * 38 + "sum(w)" + ")" * 38,
    ],
    "length": ["+".join(["sum(w)"] * 2400), "*".join(["sum(w)"] * 2400), "'" * 9999, "1" * 9000, "w" * 9000],
}


@pytest.mark.parametrize(
    ("syntax", "texts"),
    [("numpy", t) for t in NUMPY.values()] + [("math", t) for t in MATH.values()],
    ids=[f"numpy {n}" for n in NUMPY] + [f"math {n}" for n in MATH],
)
def test_nothing_hangs(syntax, texts):
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", PROGRAM, syntax],
        input="\0".join(texts),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        encoding="utf-8",
    )
    answers = done.stdout.splitlines()
    assert done.returncode == 0, (texts[len(answers)][:60], done.stderr[-500:])
    assert len(answers) == len(texts)


@pytest.mark.parametrize("text", ["x[10**20]", "x[-10**20]", "x[:10**20].sum()", "x[10**9:].sum()"])
def test_an_index_that_no_array_has(text):
    with pytest.raises(SymgradError) as caught:
        sg.derive(text, {"x": "n"}, "x")
    assert "There is no array with this index" in str(caught.value)
