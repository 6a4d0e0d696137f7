"""What gets memory, what is written into its reader, and which loops are joined."""

from __future__ import annotations

import symgrad as sg
from symgrad.compile.gradient_source import gradient_source
from symgrad.compile.nests import Nest
from symgrad.compile.placement import place
from symgrad.program import Program


def program(loss: str, shapes: dict[str, str], wrt: tuple[str, ...] = ("w",)) -> Program:
    return sg.derive(loss, shapes, wrt).program


LEAST_SQUARES = program("(0.5*(x @ w - y)**2).sum()", {"x": "n d", "w": "d 1", "y": "n 1"})


def test_products_with_a_vector_are_loops_over_the_matrix() -> None:
    body = gradient_source(LEAST_SQUARES, "float64").partition("def loss_and_gradient")[2]
    assert "matvec(x, w.reshape(w.size), v2.reshape(v2.size))" in body
    assert "vecmat(v3.reshape(v3.size), x, gradient_w.reshape(gradient_w.size))" in body
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
