"""Which values of a program get memory of their own, and which are written into the loops that read them.

A value is written into its reader where that costs nothing: it moves entries without arithmetic, or its only
reader asks for each of its entries exactly once.  All else has a buffer, or a variable if it is a scalar.  So has
what a sum along the innermost loop would keep from being computed in vectors: exp, tanh and their like; and what they
are taken of, if that is not read entry by entry, such as a sum of a matrix and a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import sympy

from symgrad.compile.forms import Call, Form, Literals, form_of, is_log_sum_exp
from symgrad.ops.dims import Dim, product, same
from symgrad.ops.record import ARG, INDEX, Definition
from symgrad.ops.transpose import swaps_last
from symgrad.program import Binding, Program

Place = Literal["buffer", "scalar", "inline", "number", "file"]

_MATRIX, _LINE = "matrix", "line"


@dataclass(frozen=True)
class Placement:
    """Where each binding lives, and how it is computed."""

    place: Mapping[str, Place]
    forms: Mapping[str, Form]

    def calls(self, name: str) -> bool:
        """Whether the binding is a call on whole arrays."""
        return isinstance(self.forms.get(name), Call)


def place(program: Program) -> Placement:
    """Decide from the last binding to the first, so that every reader is known before what it reads.

    For each value ``roots`` collects the loop nests (or calls) that end up computing or reading it.
    """
    forms = {b.name: form_of(program, b) for b in program.bindings}
    roots: dict[str, list[str]] = {name: [] for name in program.by_name}
    entries = {b.name: _entries(b, forms[b.name]) for b in program.bindings}
    for _, name in program.outputs:
        roots[name].append("output")
    found: dict[str, Place] = {}
    for b in reversed(program.bindings):
        form = forms[b.name]
        in_line = any(r in forms and adds_in_line(forms[r]) for r in roots[b.name])
        found[b.name] = _place(b, form, roots[b.name], entries)
        if found[b.name] == "inline" and in_line:
            assert isinstance(form, Definition)
            found[b.name] = "buffer" if has_functions(form.fn) else "inline"
        if found[b.name] == "inline" and any(takes_functions(forms.get(r)) for r in roots[b.name]):
            assert isinstance(form, Definition)
            found[b.name] = "inline" if form.fn == ARG(0) or reads_straight(form, b) else "buffer"
        if found[b.name] in ("inline", "number"):
            mine = roots[b.name]
        elif isinstance(form, Call):
            mine = [form.on]
        else:
            mine = [b.name] * (1 + (isinstance(form, Definition) and is_log_sum_exp(form)))
        for a in b.args:
            roots[a] += mine
    return Placement({b.name: found[b.name] for b in program.bindings}, forms)


def _place(b: Binding, form: Form, roots: list[str], entries: Mapping[str, Dim]) -> Place:
    if isinstance(form, Literals):
        return "file"
    if not b.args and b.shape == ():
        return "number"
    if b.shape == ():
        return "scalar"
    if isinstance(form, Call) or form.reduce or form.parts or "output" in roots:
        return "buffer"
    if _MATRIX in roots or _LINE in roots:
        return "inline" if is_view(b) and set(roots) == {_MATRIX} else "buffer"
    if form.fn == ARG(0) or not b.args:
        return "inline"
    once = len(roots) == 1 and same(product(b.shape), entries[roots[0]])
    return "inline" if once else "buffer"


def adds_in_line(form: Form) -> bool:
    """Whether the loops of a reduction run innermost over what it reduces, one term after the other."""
    if not isinstance(form, Definition) or not form.reduce:
        return False
    return loop_order(form, form.rank + len(form.reduce))[-1] not in [INDEX(i) for i in range(form.rank)]


def takes_functions(form: Form | None) -> bool:
    """Whether each entry of a matrix, or of more axes, is a function such as exp: one loop may go over all entries."""
    return isinstance(form, Definition) and form.rank > 1 and not form.reduce and has_functions(form.fn)


def reads_straight(form: Definition, b: Binding) -> bool:
    """Whether an entry is computed from the same entries of other arrays, and from numbers."""
    straight = tuple(INDEX(k) for k in range(len(b.shape)))
    return all(a.index in (straight, ()) for a in form.access) and not any(
        sympy.sympify(form.fn).has(i) for i in straight
    )


def has_functions(fn: sympy.Expr) -> bool:
    """Whether it takes a function such as exp, not only sums and products."""
    return not sympy.sympify(fn).is_rational_function()


def loop_order(definition: Definition, rank: int) -> list[sympy.Symbol]:
    """The indices of a reduction in the order of its loops, for one argument as that one lies in memory."""
    indices = [INDEX(i) for i in range(rank)]
    if len(definition.access) != 1:
        return indices
    widest = [i for i in definition.access[0].index if i in indices]
    return list(dict.fromkeys([*widest, *indices]))


def is_view(b: Binding) -> bool:
    """A transposed matrix, or a stack of them, which BLAS and LAPACK read without a copy."""
    return b.op == "transpose" and swaps_last(b.attrs["axes"])


def _entries(b: Binding, form: Form) -> Dim:
    """How often the loops run."""
    if not isinstance(form, Definition):
        return product(b.shape)
    if form.parts:
        total: Dim = sum((product(p.sizes) for p in form.parts), 0)
        return product([total])
    return product((*b.shape, *form.reduce))
