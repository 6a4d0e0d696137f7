"""A few rows with the same sums of products as many: S with SᵀS = MᵀM, from one or two readings of M.

S comes from the Cholesky factor of MᵀM, added up in double over blocks of rows, on threads.  That costs a small part
of what a QR factorisation does, and alone it would lose half of the digits of whatever cancels: the residuals where
y is almost Xw, and nearly collinear columns.  So a column of which less than 1 % is left once the others are taken
out is not taken from MᵀM.  Its remainder is computed from the rows of M, with the coefficients that MᵀM gives, and
takes its place in another product; and again, until nothing cancels.  This is Gram–Schmidt in blocks with
reorthogonalisation where it is needed (Björck (1996), Numerical Methods for Least Squares Problems, 2.4; Giraud,
Langou and Rozložník (2005)), and each column of S is right to a few roundings of that column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np

from symgrad.compile.threads import one_blas_thread, run_shares

CANCELS = 1e-4
"""The part of a column's squares that has to be left by the others; less is computed from the rows."""

_PASSES = 8
_BLOCK, _TASKS = 2**16, 16
_TINY = 1e-240


def shorter(arrays: Sequence[np.ndarray]) -> tuple[list[np.ndarray], int] | None:
    """For arrays whose first axes are equally long, others whose first axes are short, with the same products.

    Each has as many rows as there are columns in all, is float64, and the products AᵀB summed over the rows are
    those of the given arrays.

    Returns:
        The arrays, and how often the given ones were read; None where they hold a number that is not finite, or so
        large or small that its square is not a number of double precision.
    """
    columns = [a.reshape(a.shape[0], -1) for a in arrays]
    found = factor(columns)
    if found is None:
        return None
    s, passes = found
    ends = list(accumulate(c.shape[1] for c in columns))
    parts = (s[:, end - c.shape[1] : end] for c, end in zip(columns, ends, strict=True))
    return [p.reshape(-1, *a.shape[1:]) for p, a in zip(parts, arrays, strict=True)], passes


def factor(columns: Sequence[np.ndarray]) -> tuple[np.ndarray, int] | None:
    """S for M = [columns…], and the number of readings; None as for ``shorter``.

    With N = MP, where P starts as the identity, H = NᵀN is what is known, and S = chol(H) P⁻¹.
    """
    h = _products(columns)
    sizes = np.sqrt(np.diag(h))
    if not np.isfinite(h).all() or _vanishes(columns, np.diag(h)):
        return None
    count = len(sizes)
    p, inverse = np.eye(count), np.eye(count)
    taken, open_ = np.empty(0, int), np.flatnonzero(sizes)
    r = np.empty((0, 0))
    for passes in range(1, _PASSES + 1):
        norms = np.sqrt(np.diag(h))
        noise = np.finfo(np.float64).eps * count * (sizes @ np.abs(p))
        open_ = open_[norms[open_] > noise[open_]]  # of the others nothing is left but rounding
        scale = np.where(norms > 0, norms, 1.0)
        scaled = h / np.outer(scale, scale)
        over = np.linalg.solve(r.T, scaled[np.ix_(taken, open_)])
        c, order, rank = _pivoted(scaled[np.ix_(open_, open_)] - over.T @ over)
        lead, late = order[:rank], order[rank:]
        r = np.block([[r, over[:, lead]], [np.zeros((rank, len(taken))), c[:, :rank]]])
        over = np.vstack([over[:, late], c[:, rank:]])
        taken, open_ = np.concatenate([taken, open_[lead]]), open_[late]
        if not open_.size:
            s = np.zeros((count, count))
            s[: len(taken), taken] = r * norms[taken]
            return s @ inverse, passes
        # What the columns taken say of the open ones is subtracted; the rest is computed from the rows.
        z = np.linalg.solve(r, over) * norms[open_] / norms[taken][:, None]
        p[:, open_] -= p[:, taken] @ z
        inverse[taken] += z @ inverse[open_]
        moved = np.flatnonzero((p != np.eye(count)).any(axis=0))
        h[:, moved] = _products(columns, p, moved)
        h[moved] = h[:, moved].T
    return None


def _pivoted(a: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Rows of the Cholesky factor as long as pivots are large, the order of the columns, and how many rows."""
    from scipy.linalg.lapack import dpstrf

    if not a.size:
        return np.empty((0, 0)), np.empty(0, int), 0
    c, pivots, rank, _ = dpstrf(a, tol=CANCELS)
    return np.triu(c)[:rank], pivots - 1, int(rank)


def _vanishes(columns: Sequence[np.ndarray], squares: np.ndarray) -> bool:
    """Whether a column that is not 0 has squares too small to add up."""
    ends = list(accumulate(c.shape[1] for c in columns))
    for c, end in zip(columns, ends, strict=True):
        for k in np.flatnonzero(squares[end - c.shape[1] : end] < _TINY):
            if c[:, k].any():
                return True
    return False


def _products(
    columns: Sequence[np.ndarray], p: np.ndarray | None = None, moved: np.ndarray | None = None
) -> np.ndarray:
    """MᵀM; or, for N that is M but for the columns ``moved``, which are those of MP, the products NᵀN[:, moved].

    The tasks and the order in which they are added depend on the sizes alone.
    """
    rows, count = columns[0].shape[0], sum(c.shape[1] for c in columns)
    block = max(64, _BLOCK // count)
    per_task = max(1, -(-rows // (block * _TASKS))) * block
    change = None if p is None or moved is None else p[:, moved]

    def task(total: np.ndarray, begin: int) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            for m in _blocks(columns, begin, min(begin + per_task, rows), block, count):
                if change is None:
                    total += np.dot(m.T, m)
                else:
                    m[:, moved] = m @ change
                    total += np.dot(m.T, m[:, moved])

    begins = range(0, rows, per_task)
    totals = np.zeros((len(begins), count, count if change is None else change.shape[1]))
    with one_blas_thread():
        run_shares(task, list(zip(totals, begins, strict=True)))
    return np.asarray(np.sum(totals, axis=0))


def _blocks(
    columns: Sequence[np.ndarray], begin: int, end: int, block: int, count: int
) -> Iterator[np.ndarray]:
    """Blocks of rows in double, each written over the last one."""
    whole = np.empty((min(block, end - begin), count))
    for first in range(begin, end, block):
        m = whole[: min(block, end - first)]
        at = 0
        for c in columns:
            m[:, at : at + c.shape[1]] = c[first : first + len(m)]
            at += c.shape[1]
        yield m
