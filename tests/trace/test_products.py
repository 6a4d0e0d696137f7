"""Products of arrays of any rank: NumPy's values, right gradients, and the operations a textbook writes."""

from __future__ import annotations

import numpy as np
import pytest
from calculus.differences import check

import symgrad as sg

SIZES = (
    {"n": 3, "d": 2, "k": 4},
    {"n": 2, "d": 2, "k": 2},
    {"n": 1, "d": 1, "k": 1},
    {"n": 1, "d": 3, "k": 2},
)

EINSUM = {
    "product": ("ij,jk->ik", "n d", "d k"),
    "turned": ("ij,jk->ki", "n d", "d k"),
    "left transposed": ("ji,jk->ik", "d n", "d k"),
    "implicit": ("ij,jk", "n d", "d k"),
    "implicit sorted": ("ba,bc", "d n", "d k"),
    "matrix vector": ("ij,j->i", "n d", "d"),
    "vector matrix": ("j,ij->i", "d", "n d"),
    "dot": ("i,i->", "n", "n"),
    "outer": ("i,j->ij", "n", "d"),
    "outer turned": ("i,j->ji", "n", "d"),
    "hadamard": ("ij,ij->ij", "n d", "n d"),
    "hadamard turned": ("ij,ji->ij", "n d", "d n"),
    "frobenius": ("ij,ij->", "n d", "n d"),
    "trace of product": ("ij,ji->", "n d", "d n"),
    "rows": ("ij,ij->i", "n d", "n d"),
    "columns": ("ij,ij->j", "n d", "n d"),
    "batched": ("bij,bjk->bik", "n d k", "n k 2"),
    "batch last": ("ijb,jkb->ikb", "d k n", "k 2 n"),
    "batched vectors": ("bij,bj->bi", "n d k", "n k"),
    "batched row": ("bj,bjk->bk", "n d", "n d k"),
    "stack left": ("bij,jk->bik", "n d k", "k 2"),
    "stack right": ("ij,bjk->bik", "n d", "k d 2"),
    "attention": ("bhqd,bhkd->bhqk", "n 2 d k", "n 2 3 k"),
    "two stacks": ("bcij,bjk->bcik", "n 2 d k", "n k 3"),
    "two contracted": ("ijk,jkl->il", "n d k", "d k n"),
    "both many": ("iaj,jbk->iabk", "n 2 d", "d 3 k"),
    "alone": ("ij,k->i", "n d", "k"),
    "ellipsis": ("...ij,...jk->...ik", "n d k", "n k 2"),
    "ellipsis broadcast": ("...ij,...jk->...ik", "d k", "n k 2"),
    "size one": ("ij,jk->ik", "n 1", "d k"),
    "trace": ("ii->", "n n"),
    "diagonal": ("ii->i", "n n"),
    "diagonal times": ("ii,i->", "n n", "n"),
    "transpose": ("ij->ji", "n d"),
    "sum": ("ijk->j", "n d k"),
    "partial trace": ("iji->j", "n d n"),
    "bilinear": ("i,ij,j->", "n", "n d", "d"),
    "bilinear rows": ("bi,ij,bj->b", "n d", "d k", "n k"),
    "chain": ("ij,jk,kl->il", "n d", "d k", "k 2"),
    "three hadamard": ("ir,jr,kr->ijk", "n 2", "d 2", "k 2"),
    "cyclic": ("ij,jk,ki->", "n d", "d k", "k n"),
}


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("case", EINSUM)
def test_einsum(case, sizes):
    spec, *shapes = EINSUM[case]

    def loss(a, b=None, c=None):
        operands = [x for x in (a, b, c) if x is not None]
        made = np.einsum(spec, *operands)
        return np.sum(np.sin(made + np.sum(made)))

    check(_with(loss, len(shapes)), dict(zip("abc", shapes)), sizes)


def _with(loss, count):
    """The loss with as many parameters as arrays."""
    return {1: lambda a: loss(a), 2: lambda a, b: loss(a, b), 3: lambda a, b, c: loss(a, b, c)}[count]


def test_einsum_by_numbers():
    check(
        lambda a, b: np.sum(np.sin(np.einsum(a, [0, 1], b, [1, 2], [0, 2]))),
        {"a": "n d", "b": "d k"},
        SIZES[0],
    )
    check(lambda a, b: np.sum(np.sin(np.einsum(a, [0, 1], b, [1, 2]))), {"a": "n d", "b": "d k"}, SIZES[0])


PRODUCTS = {
    "dot 3 2": (lambda a, b: np.dot(a, b), "n d k", "k 2"),
    "dot 3 1": (lambda a, b: np.dot(a, b), "n d k", "k"),
    "dot 1 3": (lambda a, b: np.dot(a, b), "d", "n d k"),
    "dot 3 3": (lambda a, b: np.dot(a, b), "n d k", "2 k 3"),
    "dot 2 3": (lambda a, b: np.dot(a, b), "n d", "k d 3"),
    "inner 3 1": (lambda a, b: np.inner(a, b), "n d k", "k"),
    "inner 3 3": (lambda a, b: np.inner(a, b), "n d k", "2 3 k"),
    "inner 2 2": (lambda a, b: np.inner(a, b), "n d", "k d"),
    "vdot": (lambda a, b: np.vdot(a, b), "n d", "n d"),
    "tensordot 2": (lambda a, b: np.tensordot(a, b), "n d k", "d k 2"),
    "tensordot 0": (lambda a, b: np.tensordot(a, b, axes=0), "n d", "k"),
    "tensordot 1": (lambda a, b: np.tensordot(a, b, axes=1), "n d k", "k 2"),
    "tensordot lists": (lambda a, b: np.tensordot(a, b, axes=([0, 1], [1, 0])), "n d k", "d n 2"),
    "tensordot negative": (lambda a, b: np.tensordot(a, b, axes=(-1, 0)), "n d", "d k"),
    "vecdot": (lambda a, b: np.vecdot(a, b), "n d k", "d k"),
    "matvec": (lambda a, b: np.matvec(a, b), "n d k", "n k"),
    "vecmat": (lambda a, b: np.vecmat(a, b), "n d", "n d k"),
    "matmul stacks": (lambda a, b: a @ b, "n 1 d k", "2 k 3"),
    "matmul stack vector": (lambda a, b: a @ b, "n d k", "k"),
    "matmul vector stack": (lambda a, b: a @ b, "d", "n d k"),
    "matmul matrix stack": (lambda a, b: a @ b, "d k", "n k d"),
}


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("case", PRODUCTS)
def test_products_of_any_rank(case, sizes):
    product, *shapes = PRODUCTS[case]
    check(lambda a, b: np.sum(np.sin(product(a, b))), dict(zip("ab", shapes)), sizes)


@pytest.mark.parametrize(
    ("loss", "shapes", "expected"),
    [
        (lambda a, b: np.einsum("i,i->", a, b), "a: n, b: n", "L = aᵀb"),
        (lambda a, b: np.einsum("ij,jk->ik", a, b).sum(), "a: n d, b: d k", "L = Σ ab"),
        (lambda a, b: np.einsum("ji,jk->ik", a, b).sum(), "a: d n, b: d k", "L = Σ aᵀb"),
        (lambda a, x, y: np.einsum("i,ij,j->", x, a, y), "a: n d, x: n, y: d", "L = xᵀay"),
        (lambda a, b: np.einsum("ij,ij->", a, b), "a: n d, b: n d", "L = Σ (a ⊙ b)"),
        (lambda a: np.einsum("ii->", a), "a: n n", "L = tr(a)"),
    ],
)
def test_einsum_prints_as_the_operation_that_it_is(loss, shapes, expected):
    table = dict(s.strip().split(": ") for s in shapes.split(","))
    assert str(sg.derive(loss, table, wrt="a")).splitlines()[0].strip() == expected


@pytest.mark.parametrize(
    "loss",
    [
        lambda a, b: np.einsum("ij,kj->ik", a, b).sum(),
        lambda a, b: np.einsum("ij,jk->iz", a, b).sum(),
        lambda a, b: np.einsum("ijk,jk->i", a, b).sum(),
        lambda a, b: np.einsum("ij", a, b).sum(),
        lambda a, b: np.tensordot(a, b, axes=([0, 1], [0])).sum(),
        lambda a, b: np.einsum("ij,jk->ik", a > 0, b > 0).sum() + a.sum() + b.sum(),
    ],
)
def test_what_does_not_fit_is_refused(loss):
    with pytest.raises(sg.errors.SymgradError):
        sg.derive(loss, {"a": "n d", "b": "d k"}, wrt="a")


def test_sizes_of_one_broadcast_in_einsum_alone():
    with pytest.raises(sg.errors.SymgradError):
        sg.derive(lambda a, b: np.tensordot(a, b, axes=1).sum(), {"a": "n 1", "b": "d k"}, wrt="a")


@pytest.mark.parametrize("heads", [1, 2])
def test_attention_is_torchs(heads):
    torch = pytest.importorskip("torch")

    def attention(q, k, v, t):
        scores = q @ np.transpose(k, (0, 1, 3, 2)) / np.sqrt(q.shape[-1])
        scores = scores - np.max(scores, axis=-1, keepdims=True)
        weights = np.exp(scores) / np.sum(np.exp(scores), axis=-1, keepdims=True)
        return np.sum((weights @ v - t) ** 2)

    shapes = dict.fromkeys("qkvt", "B h T d")
    rng = np.random.default_rng(1)
    arrays = {n: rng.normal(size=(2, heads, 5, 3)) for n in shapes}
    value, grads = sg.derive(attention, shapes, wrt=["q", "k", "v"])(**arrays)
    tensors = {n: torch.tensor(a, requires_grad=n != "t") for n, a in arrays.items()}
    made = torch.nn.functional.scaled_dot_product_attention(tensors["q"], tensors["k"], tensors["v"])
    expected = ((made - tensors["t"]) ** 2).sum()
    expected.backward()
    np.testing.assert_allclose(value, expected.item(), rtol=1e-12)
    for n in "qkv":
        np.testing.assert_allclose(grads[n], tensors[n].grad.numpy(), rtol=1e-9, atol=1e-11, err_msg=n)


def test_layer_norm_is_torchs():
    torch = pytest.importorskip("torch")

    def loss(x, g, b, t):
        normal = (x - np.mean(x, axis=-1, keepdims=True)) / np.sqrt(np.var(x, axis=-1, keepdims=True) + 1e-5)
        return np.sum((normal * g + b - t) ** 2)

    shapes = {"x": "B T d", "g": "d", "b": "d", "t": "B T d"}
    rng = np.random.default_rng(2)
    arrays = {n: rng.normal(size={"B": (2, 3, 4), "d": (4,)}[s[0]]) for n, s in shapes.items()}
    value, grads = sg.derive(loss, shapes, wrt=["x", "g", "b"])(**arrays)
    tensors = {n: torch.tensor(a, requires_grad=n != "t") for n, a in arrays.items()}
    made = torch.nn.functional.layer_norm(tensors["x"], (4,), tensors["g"], tensors["b"], eps=1e-5)
    expected = ((made - tensors["t"]) ** 2).sum()
    expected.backward()
    np.testing.assert_allclose(value, expected.item(), rtol=1e-12)
    for n in "xgb":
        np.testing.assert_allclose(grads[n], tensors[n].grad.numpy(), rtol=1e-9, atol=1e-11, err_msg=n)
