"""How names are written: ``W1`` as W₁, ``theta`` as θ, ``0.weight`` as W₁ of its layer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eta": "η", "theta": "θ",
    "kappa": "κ", "lam": "λ", "lamb": "λ", "lambda_": "λ", "lmbda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "psi": "ψ", "omega": "ω", "Sigma": "Σ", "Phi": "Φ",
}  # fmt: skip
_LATEX = {v: "\\" + k.rstrip("_") for k, v in GREEK.items() if k not in ("lam", "lamb", "lmbda", "lambda_")}
_LATEX["λ"] = r"\lambda"
_SPLIT = re.compile(r"([^\W\d_]+)_?(\d+)\Z")


def unicode_name(name: str) -> str:
    """The name as a formula shows it in a terminal."""
    if name in GREEK and name != "Sigma":  # Σ is the sum's sign
        return GREEK[name]
    match = _SPLIT.match(name)
    if match:
        stem = GREEK.get(match[1], match[1])
        return stem + match[2].translate(_SUBSCRIPTS)
    return name


def latex_name(name: str) -> str:
    """The name in LaTeX."""
    if GREEK.get(name, name) in _LATEX:
        return _LATEX[GREEK.get(name, name)]
    match = _SPLIT.match(name)
    if match:
        stem = _LATEX.get(GREEK.get(match[1], match[1]), match[1])
        stem = stem if len(match[1]) == 1 or stem.startswith("\\") else rf"\mathrm{{{stem}}}"
        return f"{stem}_{{{match[2]}}}"
    if len(name) == 1:
        return name
    if name.startswith("∂"):
        return name
    escaped = name.replace("_", r"\_")
    return rf"\mathrm{{{escaped}}}"


def ascii_name(name: str) -> str:
    """The name in ASCII."""
    for word, letter in GREEK.items():
        name = name.replace(letter, word)
    return name


NAMES: dict[str, Callable[[str], str]] = {"text": unicode_name, "ascii": ascii_name, "latex": latex_name}
"""For each style how names look."""


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Dotted parameter names as a course writes them: the layers' weights W1, W2, …, their biases b1, b2, …

    Names without a dot stay as they are, but those of a bare linear layer; a letter that is taken leaves the name.
    """
    letters = {"weight": "W", "bias": "b"}
    out = {n: n for n in names if "." not in n}
    if letters.keys() <= out.keys() and not set(letters.values()) & out.keys():
        out |= letters
    layers: list[str] = []
    for n in names:
        prefix, dot, _ = n.rpartition(".")
        if dot and prefix not in layers:
            layers.append(prefix)
    for n in names:
        prefix, dot, last = n.rpartition(".")
        if not dot:
            continue
        letter = letters.get(last, last)
        number = str(layers.index(prefix) + 1) if len(layers) > 1 or last in letters else ""
        candidate = f"{letter}{number}" if len(layers) > 1 else letter
        out[n] = candidate if candidate not in out.values() else n
    return out
