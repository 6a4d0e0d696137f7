"""What is legal in a loss and probably not meant: shapes that broadcast by accident, forms that overflow.

The formula is derived as it was written; each warning names the form to write instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy

from symgrad.ops.dims import format_shape
from symgrad.ops.record import ARG
from symgrad.ops.scalars.functions import Sigmoid
from symgrad.program import Binding, Program

A = ARG(0)


def warnings_of(program: Program) -> tuple[str, ...]:
    """One sentence for each thing that is worth a warning."""
    found = [w for rule in (_broadcasts, _unstable) for w in rule(program)]
    return tuple(dict.fromkeys(found))


def _broadcasts(program: Program) -> Iterator[str]:
    """(n,) against (n, 1) is n×n in NumPy: legal, and nearly always a mistake."""
    for b in program.bindings:
        if b.op != "pointwise" or len(b.args) < 2:
            continue
        shapes = [program.type(a).shape for a in b.args]
        for i, a in enumerate(shapes):
            for j, other in enumerate(shapes):
                if len(a) == 1 and len(other) == 2 and other[1] == 1 and a[0] == other[0] and a[0] != 1:
                    yield (
                        f"{format_shape(a)} with {format_shape(other)} broadcasts to "
                        f"{format_shape((other[0], a[0]))}: {b.args[i]} meets {b.args[j]}; "
                        "if entry i shall meet entry i, give both the same shape"
                    )


def _unstable(program: Program) -> Iterator[str]:
    for b in program.bindings:
        for finds, advice in _FORMS:
            if finds(program, b):
                yield advice


def _made_by(program: Program, name: str) -> Binding | None:
    """The binding behind a value, through changes of shape."""
    found = program.by_name[name]
    while isinstance(found, Binding) and found.op in ("reshape", "broadcast_to", "transpose"):
        found = program.by_name[found.args[0]]
    return found if isinstance(found, Binding) else None


def _elementwise(b: Binding | None, fn: sympy.Expr) -> bool:
    return b is not None and b.op == "pointwise" and b.attrs["fn"] == fn


def _exp(program: Program, name: str) -> Binding | None:
    """exp(z) with a z from which no maximum has been taken."""
    b = _made_by(program, name)
    if not _elementwise(b, sympy.exp(A)) or b is None:
        return None
    inner = _made_by(program, b.args[0])
    if inner is not None and inner.op == "pointwise":
        for a in inner.args:
            part = _made_by(program, a)
            if part is not None and part.op in ("max", "logsumexp"):
                return None
    return b


def _sum_of_exp(program: Program, name: str) -> Binding | None:
    b = _made_by(program, name)
    return _exp(program, b.args[0]) if b is not None and b.op == "sum" else None


def _log_sum_exp(program: Program, b: Binding) -> bool:
    return _elementwise(b, sympy.log(A)) and _sum_of_exp(program, b.args[0]) is not None


def _softmax(program: Program, b: Binding) -> bool:
    if not _elementwise(b, A / ARG(1)):
        return False
    top, bottom = _exp(program, b.args[0]), _sum_of_exp(program, b.args[1])
    return top is not None and bottom is not None and top.args == bottom.args


def _log_of_softmax(program: Program, b: Binding) -> bool:
    inner = _made_by(program, b.args[0]) if _elementwise(b, sympy.log(A)) else None
    if inner is None or not _elementwise(inner, A / ARG(1)):
        return False
    total = _made_by(program, inner.args[1])
    return (
        total is not None
        and total.op == "sum"
        and _made_by(program, total.args[0]) is _made_by(program, inner.args[0])
    )


def _log_one_plus_exp(program: Program, b: Binding) -> bool:
    if not (
        _elementwise(b, sympy.log(A)) or (b.op == "pointwise" and type(b.attrs["fn"]).__name__ == "Log1p")
    ):
        return False
    inner = _made_by(program, b.args[0])
    if _elementwise(b, sympy.log(A)):
        if inner is None or inner.op != "pointwise" or inner.attrs["fn"] != A + ARG(1):
            return False
        ones = [a for a in inner.args if _is_one(program, a)]
        rest = [a for a in inner.args if a not in ones]
        inner = _made_by(program, rest[0]) if ones and len(rest) == 1 else None
    return _elementwise(inner, sympy.exp(A))


def _is_one(program: Program, name: str) -> bool:
    b = _made_by(program, name)
    return b is not None and b.op == "constant" and b.attrs["value"] == 1


def _log_of_sigmoid(program: Program, b: Binding) -> bool:
    if not _elementwise(b, sympy.log(A)):
        return False
    inner = _made_by(program, b.args[0])
    if _elementwise(inner, A - ARG(1)) and inner is not None and _is_one(program, inner.args[0]):
        inner = _made_by(program, inner.args[1])
    return _is_sigmoid(program, inner)


def _is_sigmoid(program: Program, b: Binding | None) -> bool:
    if b is None or b.op != "pointwise":
        return False
    if b.attrs["fn"] == Sigmoid(A):
        return True
    if b.attrs["fn"] != A / ARG(1) or not _is_one(program, b.args[0]):
        return False
    below = _made_by(program, b.args[1])
    if below is None or not _elementwise(below, A + ARG(1)):
        return False
    return any(_is_one(program, a) for a in below.args) and any(
        _elementwise(_made_by(program, a), sympy.exp(A)) for a in below.args
    )


def _log_of_det(program: Program, b: Binding) -> bool:
    inner = _made_by(program, b.args[0]) if _elementwise(b, sympy.log(A)) else None
    return inner is not None and inner.op == "det"


def _inverse_times(program: Program, b: Binding) -> bool:
    if b.op != "matmul":
        return False
    left = program.by_name[b.args[0]]
    return isinstance(left, Binding) and left.op == "inverse"


_FORMS: tuple[tuple[Callable[[Program, Binding], bool], str], ...] = (
    (
        _log_sum_exp,
        "log(Σ exp(z)) overflows for z above 709; write scipy.special.logsumexp(z, axis=…), or take z.max() out first",
    ),
    (
        _softmax,
        "exp(z)/Σ exp(z) overflows for z above 709; write scipy.special.softmax(z, axis=…), or exp(z − z.max())",
    ),
    (
        _log_of_softmax,
        "log(softmax(z)) is −inf where a probability underflows; write z − logsumexp(z), or scipy.special.log_softmax",
    ),
    (_log_one_plus_exp, "log(1 + exp(z)) overflows for z above 709; write np.logaddexp(0, z)"),
    (
        _log_of_sigmoid,
        "log(σ(z)) is −inf for z far from 0; write −np.logaddexp(0, −z), and −np.logaddexp(0, z) for log(1 − σ(z))",
    ),
    (_log_of_det, "log(det(A)) over- and underflows for large A; write np.linalg.slogdet(A)[1]"),
    (_inverse_times, "inv(A) @ b loses digits; write np.linalg.solve(A, b)"),
)
"""How to find a form, and what to say of it."""

__all__ = ["warnings_of"]
