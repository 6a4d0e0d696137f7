"""Forms that overflow or lose digits get a warning that names the form to write; the stable form gets none."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import special

import symgrad as sg
from symgrad.trace.advice import _FORMS

UNSTABLE = {
    "logsumexp": (lambda z: np.log(np.exp(z).sum(axis=1)).sum(), {"z": "n k"}),
    "softmax(z": (lambda z: (np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))[:, 0].sum(), {"z": "n k"}),
    "log_softmax": (
        lambda z: np.log(np.exp(z - z.max()) / np.exp(z - z.max()).sum()).sum(),
        {"z": "n"},
    ),
    "np.logaddexp(0, z)": (lambda z: np.log(1 + np.exp(z)).sum(), {"z": "n"}),
    "log(1 − σ(z))": (lambda z: np.log(1 / (1 + np.exp(-z))).sum(), {"z": "n"}),
    "slogdet": (lambda A: np.log(np.linalg.det(A)), {"A": "n n"}),
    "np.linalg.solve": (lambda A, b: (np.linalg.inv(A) @ b).sum(), {"A": "n n", "b": "n"}),
}
STABLE = [
    (lambda z: special.logsumexp(z, axis=1).sum(), {"z": "n k"}),
    (lambda z: z.max() + np.log(np.exp(z - z.max()).sum()), {"z": "n"}),
    (lambda z: special.softmax(z, axis=1)[:, 0].sum(), {"z": "n k"}),
    (lambda z: (np.exp(z - z.max()) / np.exp(z - z.max()).sum())[0], {"z": "n"}),
    (lambda z: special.log_softmax(z).sum(), {"z": "n"}),
    (lambda z: np.logaddexp(0, z).sum() - np.logaddexp(0, -z).sum(), {"z": "n"}),
    (lambda A: np.linalg.slogdet(A)[1], {"A": "n n"}),
    (lambda A, b: np.linalg.solve(A, b).sum(), {"A": "n n", "b": "n"}),
    (lambda z: np.log(1 + z**2).sum() + np.exp(z).sum(), {"z": "n"}),
]


def test_every_form_has_a_case():
    assert len(UNSTABLE) == len(_FORMS)


@pytest.mark.parametrize("advice", UNSTABLE)
def test_the_stable_form_is_named(advice):
    function, shapes = UNSTABLE[advice]
    with pytest.warns(sg.errors.SymgradWarning) as caught:
        derivation = sg.derive(function, shapes, wrt=next(iter(shapes)))
    assert len(caught) == len(derivation.warnings) == 1
    assert advice in derivation.warnings[0]


@pytest.mark.parametrize("case", range(len(STABLE)))
def test_stable_forms_get_none(case):
    function, shapes = STABLE[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sg.derive(function, shapes, wrt=next(iter(shapes))).warnings == ()
