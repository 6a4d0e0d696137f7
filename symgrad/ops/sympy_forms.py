"""Matrix expressions of SymPy, put together one step at a time.

SymPy's own ``*`` and ``+`` evaluate everything inside once more (``doit``): an expression of n operations costs n² of
them or worse, and entries of products are written out as sums over indices.  Here a step looks at its own arguments
only.  It brings together what SymPy's operators bring together, so that its results are equal to what they write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

import sympy
from sympy.core.sorting import default_sort_key
from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    MatAdd,
    MatMul,
    MatrixExpr,
    OneMatrix,
    Trace,
    Transpose,
    ZeroMatrix,
    hadamard,
    matadd,
)
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction


def is_matrix(e: Any) -> bool:
    return bool(getattr(e, "is_Matrix", False))


def _factors(e: Any) -> tuple[Any, list[Any]]:
    """The scalar in front of a matrix, and the matrices behind it."""
    if not isinstance(e, MatMul):
        return sympy.S.One, [e]
    scalar, matrices = e.as_coeff_matrices()
    return scalar, list(matrices)


def times(*factors: Any) -> Any:
    """The product of matrices, and of scalars, which stand in front."""
    scalar: Any = sympy.S.One
    matrices: list[Any] = []
    for f in factors:
        if is_matrix(f):
            own, inner = _factors(f)
            scalar, matrices = scalar * own, matrices + inner
        else:
            scalar = scalar * f
    if not matrices:
        return scalar
    product = matrices[0] if len(matrices) == 1 else MatMul(*matrices).doit(deep=False)
    if scalar == 1:
        return product
    if scalar == 0:
        return ZeroMatrix(*product.shape)
    if isinstance(product, MatAdd) and scalar.is_Rational:
        return plus(*(times(scalar, a) for a in product.args))
    own, inner = _factors(product)
    return MatMul(scalar * own, *inner)


def plus(*terms: Any) -> Any:
    """The sum of matrices of one shape."""
    counted: dict[Any, Any] = {}
    shape = terms[0].shape
    for t in _flat(terms, MatAdd):
        scalar, matrices = _factors(t)
        base = matrices[0] if len(matrices) == 1 else MatMul(*matrices)
        counted[base] = counted.get(base, 0) + scalar
    kept = [times(c, m) for m, c in counted.items()]
    kept = [m for m in kept if not isinstance(m, ZeroMatrix)]
    if not kept:
        return ZeroMatrix(*shape)
    whole: Any = matadd.merge_explicit(MatAdd(*kept)) if len(kept) > 1 else kept[0]
    return MatAdd(*sorted(whole.args, key=default_sort_key)) if isinstance(whole, MatAdd) else whole


def entrywise_product(*factors: Any) -> Any:
    """The Hadamard product; scalars stand in front."""
    scalar: Any = sympy.S.One
    matrices: list[Any] = []
    for f in _flat(factors, HadamardProduct):
        own, inner = _factors(f)
        scalar = scalar * own
        matrices.append(inner[0] if len(inner) == 1 else MatMul(*inner))
    return times(scalar, hadamard.canonicalize(HadamardProduct(*_flat(matrices, HadamardProduct))))


def _flat(parts: Iterable[Any], kind: Any) -> list[Any]:
    return [a for p in parts for a in (p.args if isinstance(p, kind) else (p,))]


def transposed(e: Any) -> Any:
    """Eᵀ; of a product the product of the transposes."""
    if isinstance(e, Transpose):
        return e.arg
    if isinstance(e, MatMul):
        scalar, matrices = _factors(e)
        return times(scalar, *(transposed(m) for m in reversed(matrices)))
    if isinstance(e, MatrixExpr) and any(is_matrix(a) for a in e.args):
        return Transpose(e)
    return e.T


def number(e: Any) -> Any:
    """The entry of a 1×1 matrix.

    Of a product of matrices it is the trace: SymPy knows its derivative, while that of an entry is 0 to it.  What is
    made entry by entry is summed over entries, since SymPy does not compute a product of such matrices.
    """
    scalar, matrices = _factors(e)
    if len(matrices) == 1 and not any(is_matrix(a) for a in matrices[0].args):
        return scalar * matrices[0][0, 0]
    product = matrices[0] if len(matrices) == 1 else MatMul(*matrices)
    if product.has(*_ENTRYWISE):
        return scalar * entry(product, sympy.S.Zero, sympy.S.Zero)
    return scalar * Trace(product)


_ENTRYWISE = (OneMatrix, HadamardProduct, HadamardPower, ElementwiseApplyFunction)


def total(e: Any) -> Any:
    """The sum of all entries."""
    scalar, matrices = _factors(e)
    if len(matrices) == 1:
        factors = matrices[0].args
        if isinstance(matrices[0], HadamardPower) and factors[1] == 2:
            factors = (factors[0], factors[0])
        elif not isinstance(matrices[0], HadamardProduct):
            factors = ()
        if len(factors) == 2 and not any(f.has(*_ENTRYWISE) for f in factors):  # Σ a ⊙ b = tr(aᵀb)
            return scalar * Trace(times(transposed(factors[0]), factors[1]))
    rows, columns = e.shape
    return number(times(OneMatrix(1, rows), e, OneMatrix(columns, 1)))


def entry(e: Any, i: Any, j: Any, counter: Iterator[int] | None = None) -> Any:
    """Entry (i, j), with sums over the inner indices of products; SymPy's own would write out those of fixed length."""
    counter = counter or count(1)
    if isinstance(e, MatAdd):
        return sympy.Add(*(entry(a, i, j, counter) for a in e.args))
    if isinstance(e, HadamardProduct):
        return sympy.Mul(*(entry(a, i, j, counter) for a in e.args))
    if isinstance(e, HadamardPower):
        return entry(e.base, i, j, counter) ** e.exp
    if isinstance(e, ElementwiseApplyFunction):
        return e.function(entry(e.expr, i, j, counter))
    if isinstance(e, Transpose):
        return entry(e.arg, j, i, counter)
    if not isinstance(e, MatMul):
        return e[i, j]
    scalar, matrices = _factors(e)
    inner = [
        sympy.S.Zero if m.shape[1] == 1 else sympy.Dummy(f"i_{next(counter)}", integer=True, nonnegative=True)
        for m in matrices[:-1]
    ]
    places = [i, *inner, j]
    term = sympy.Mul(
        *(entry(m, a, b, counter) for m, a, b in zip(matrices, places, places[1:], strict=False))
    )
    limits = [
        (k, 0, m.shape[1] - 1) for k, m in zip(inner, matrices, strict=False) if isinstance(k, sympy.Dummy)
    ]
    return scalar * (sympy.Sum(term, *limits) if limits else term)
