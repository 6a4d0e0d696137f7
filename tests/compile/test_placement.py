"""What gets memory, what is written into its reader, and which loops are joined."""

from __future__ import annotations

from itertools import pairwise

import sympy

import symgrad as sg
from symgrad.compile.entries import integer_text
from symgrad.compile.gradient_source import gradient_source
from symgrad.compile.nests import Nest
from symgrad.compile.placement import place
from symgrad.compile.reuse import shared_memory
from symgrad.program import Program


def program(loss: str, shapes: dict[str, str], wrt: tuple[str, ...] = ("w",)) -> Program:
    return sg.derive(loss, shapes, wrt).program


LEAST_SQUARES = program("(0.5*(x @ w - y)**2).sum()", {"x": "n d", "w": "d 1", "y": "n 1"})


def test_products_with_a_vector_are_loops_over_the_matrix() -> None:
    body = gradient_source(LEAST_SQUARES, "float64").partition("def loss_and_gradient")[2]
    assert "matvec(x, w.reshape(w.size), v2.reshape(v2.size))" in body
    assert "vecmat(v2.reshape(v2.size), x, gradient_w.reshape(gradient_w.size))" in body
    assert body.count("for ") == 1  # over the residuals


def test_two_matrices_are_multiplied_by_blas() -> None:
    several = program("(0.5*(x @ w - y)**2).sum()", {"x": "n d", "w": "d k", "y": "n k"})
    source = gradient_source(several, "float64")
    assert "np.dot(x, w, " in source
    assert "np.dot(x.T, " in source  # a view, not a copy


def test_what_is_read_once_an_entry_is_written_into_its_reader() -> None:
    placement = place(LEAST_SQUARES)
    squares = [b.name for b in LEAST_SQUARES if str(b.attrs.get("fn")) == "a0**2"]
    assert [placement.place[n] for n in squares] == ["inline"]


def test_work_is_not_repeated_for_every_row() -> None:
    repeated = program("(x * exp(w)).sum()", {"x": "n d", "w": "d"})
    exponential = next(b.name for b in repeated if "exp" in str(b.attrs.get("fn")))
    assert place(repeated).place[exponential] == "buffer"


def test_small_products_are_loops_without_blas() -> None:
    small = program("((x @ w - y)**2).sum()", {"x": "n 2", "w": "2 1", "y": "n 1"})
    assert not any(place(small).calls(b.name) for b in small)
    assert "np.dot" not in gradient_source(small, "float32")


def test_programs_of_fixed_tiny_size_have_no_loops() -> None:
    tiny = program("((x @ w - y)**2).sum()", {"x": "4 2", "w": "2 1", "y": "4 1"})
    assert "for " not in gradient_source(tiny, "float32")


def test_source_is_the_same_each_time() -> None:
    assert gradient_source(LEAST_SQUARES, "float32") == gradient_source(LEAST_SQUARES, "float32")
    assert "F = np.float32" in gradient_source(LEAST_SQUARES, "float32")


def test_loops_join_only_where_nothing_is_read_too_early() -> None:
    first = Nest(("n",), body=["a[i0] = 1"], writes={("a", "i0")}, ends={"total"})
    assert first.joins(Nest(("n",), reads={("a", "i0")}))
    assert not first.joins(Nest(("n",), reads={("a", "i0 + 1")}))
    assert not first.joins(Nest(("n",), reads={("total", "")}))
    assert not first.joins(Nest(("m",)))


def test_loops_join_only_where_nothing_is_overwritten_too_early() -> None:
    first = Nest(("n",), reads={("a", "i0"), ("b", "i0 + 1")}, writes={("c", "i0")})
    assert first.joins(Nest(("n",), writes={("a", "i0")}))
    assert not first.joins(Nest(("n",), writes={("b", "i0")}))
    assert not first.joins(Nest(("n",), ends={"a"}))  # cleared in front of the loops
    assert not first.joins(Nest(("n",), ends={"c"}))


DEEP = {"x": "n d", "u": "d d", "v": "d d", "w": "d d", "y": "n d"}


def test_values_take_the_memory_of_what_nobody_reads_any_more() -> None:
    deep = program("((tanh(tanh(x @ u) @ v) @ w - y)**2).sum()", DEEP, ("u", "v", "w"))
    placement = place(deep)
    shared = shared_memory(deep, placement, set())
    products = [
        b.name for b in deep if b.op == "matmul" and deep.type(b.args[0]).shape[0] != deep.type("u").shape[0]
    ]
    tanh = [b.name for b in deep if "tanh" in str(b.attrs.get("fn"))]
    assert [shared.get(n) for n in tanh] == products[:2]  # in the place of its argument, entry by entry
    for later, first in shared.items():
        assert deep.type(later) == deep.type(first)
        assert first not in shared
    buffers = [b.name for b in deep if placement.place[b.name] == "buffer"]
    results = {name for _, name in deep.outputs}
    assert (
        len(set(buffers) - shared.keys() - results) == 4
    )  # two layers, and what two steps of the way back need


def test_no_value_is_overwritten_before_its_last_reader() -> None:
    crossed = program("((x @ u)*(x @ u).T + x @ u.T).sum()", {"x": "d d", "u": "d d"}, ("u",))
    placement = place(crossed)
    order = [b.name for b in crossed]
    lives: dict[str, list[str]] = {}
    for b in crossed:
        if placement.place[b.name] == "buffer":
            lives.setdefault(shared_memory(crossed, placement, set()).get(b.name, b.name), []).append(b.name)
    for names in lives.values():
        for first, second in pairwise(names):
            readers = [order.index(b.name) for b in crossed if first in b.args]
            assert max(readers) <= order.index(second)


def test_reuse_is_switched_off_by_name() -> None:
    d = sg.derive("((tanh(tanh(x @ u) @ v) @ w - y)**2).sum()", DEEP, ("u", "v", "w"))
    with_it, without = d.compile(), d.compile(passes=("cse",))
    assert with_it.source.count("np.empty(") < without.source.count("np.empty(")
    assert "array of v" in str(with_it.plan)
    assert "array of v" not in str(without.plan)


def test_an_index_may_hold_a_rounded_one() -> None:
    a, n = sympy.symbols("a n", integer=True, nonnegative=True)
    halves = 2 * sympy.floor(sympy.floor(2 * sympy.floor(a * n / 2 + a) / n) / 2) + (a + n) / 2
    text = integer_text(halves)
    for x, size in ((6, 4), (5, 3), (0, 2)):
        rounded = 2 * ((2 * ((x * size + 2 * x) // 2) // size) // 2) + (x + size) // 2
        assert eval(text, {"a": x, "n": size}) == rounded
