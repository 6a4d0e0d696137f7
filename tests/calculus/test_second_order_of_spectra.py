"""Second derivatives of sums of singular values and eigenvalues: against torch and numeric differences."""

import numpy as np
import pytest

import symgrad as sg

LOSSES = {
    "nuclear norm": lambda A: np.linalg.norm(A, "nuc"),
    "weighed singular values": lambda A: (np.linalg.svd(A, compute_uv=False) ** 3).sum(),
    "all singular values alike": lambda A: 2 * np.linalg.svd(A, compute_uv=False).sum() ** 2,
    "sum of eigenvalues": lambda A: np.linalg.eigvalsh(A).sum(),
    "square of that sum": lambda A: np.linalg.eigvalsh(A).sum() ** 2,
}
SHAPES = {
    "4 3": [(4, 3)],
    "3 4": [(3, 4)],
    "3 3": [(3, 3)],
    "n n": [(4, 4), (1, 1)],
    "n d": [(5, 3), (2, 4), (3, 3)],
}
CASES = [
    (name, shape)
    for name in LOSSES
    for shape in SHAPES
    if "eigenvalues" not in name or shape in ("3 3", "n n")
    if name != "square of that sum" or shape == "n n"
]


@pytest.mark.parametrize(("name", "shape"), CASES, ids=str)
def test_hessians_are_differences_of_gradients(name, shape):
    derived = sg.derive(LOSSES[name], {"A": shape}, "A")
    hessian, product = derived.hessian("A"), derived.hvp("A", "along")
    rng = np.random.default_rng(0)
    for sizes in SHAPES[shape]:
        a, along, h = rng.normal(size=sizes), rng.normal(size=sizes), 1e-5
        expected = (derived(A=a + h * along)[1]["A"] - derived(A=a - h * along)[1]["A"]) / (2 * h)
        close = {"rtol": 1e-6, "atol": 1e-7 * (1 + np.abs(expected).max())}
        np.testing.assert_allclose(product(A=a, along=along), expected, **close)
        np.testing.assert_allclose(np.tensordot(hessian(A=a), along, 2), expected, **close)


@pytest.mark.parametrize("sizes", [(4, 3), (2, 3), (3, 3)], ids=str)
def test_the_nuclear_norms_hessian_is_torchs(sizes):
    torch = pytest.importorskip("torch")
    a = np.random.default_rng(1).normal(size=sizes)
    expected = torch.autograd.functional.hessian(
        lambda value: torch.linalg.svdvals(value).sum(), torch.tensor(a)
    )
    found = sg.derive(LOSSES["nuclear norm"], {"A": "n d"}, "A").hessian("A")(A=a)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-9, atol=1e-10)
