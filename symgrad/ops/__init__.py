"""The operations: one file, one record each, collected in ``OPS``.

``record`` says what a record holds, ``dims`` how shapes are compared, ``scalars`` what may happen to one
entry.  Nothing here imports another folder of symgrad.
"""

from symgrad.ops.argextremum import ARGMAX, ARGMIN
from symgrad.ops.argsort import ARGSORT
from symgrad.ops.array import ARRAY
from symgrad.ops.broadcast_to import BROADCAST_TO
from symgrad.ops.cholesky import CHOLESKY
from symgrad.ops.concatenate import CONCATENATE
from symgrad.ops.constant import CONSTANT
from symgrad.ops.cumsum import CUMSUM
from symgrad.ops.det import COFACTOR, DET, DET_SIGN, LOGDET
from symgrad.ops.diag import DIAG, DIAGONAL
from symgrad.ops.eigh import EIGH_SUM, EIGH_VECTORS, EIGVALSH
from symgrad.ops.einsum import EINSUM
from symgrad.ops.extremum import MAX, MIN
from symgrad.ops.eye import EYE
from symgrad.ops.gaps import OVER_GAPS
from symgrad.ops.inverse import INVERSE
from symgrad.ops.logsumexp import LOGSUMEXP
from symgrad.ops.matmul import MATMUL
from symgrad.ops.matrix_power import MATRIX_POWER
from symgrad.ops.norm import NORM
from symgrad.ops.outer import OUTER
from symgrad.ops.pattern import PATTERN
from symgrad.ops.pinv import PINV
from symgrad.ops.place import PLACE
from symgrad.ops.pointwise import POINTWISE
from symgrad.ops.prod import PROD, PROD_OTHERS
from symgrad.ops.record import Op
from symgrad.ops.reshape import RESHAPE
from symgrad.ops.scatter import SCATTER
from symgrad.ops.singular import SVD_SUM, SVDVALS
from symgrad.ops.slice import SLICE
from symgrad.ops.solve import SOLVE
from symgrad.ops.sum import SUM
from symgrad.ops.take import TAKE
from symgrad.ops.trace import TRACE
from symgrad.ops.transpose import TRANSPOSE
from symgrad.ops.triangle import HALF_TRIANGLE, TRIANGLE

_ALL = (
    *(CONSTANT, POINTWISE, MATMUL, OUTER, TRANSPOSE, SUM, BROADCAST_TO, RESHAPE),
    *(MAX, MIN, ARGMAX, ARGMIN, LOGSUMEXP, PROD, PROD_OTHERS, EINSUM),
    *(SLICE, PLACE, TAKE, SCATTER, CONCATENATE, CUMSUM, ARGSORT, PATTERN, ARRAY),
    *(INVERSE, SOLVE, DET, COFACTOR, LOGDET, DET_SIGN, CHOLESKY, MATRIX_POWER),
    *(TRACE, DIAG, DIAGONAL, EYE, TRIANGLE, HALF_TRIANGLE, NORM),
    *(EIGVALSH, EIGH_VECTORS, EIGH_SUM, OVER_GAPS, SVDVALS, SVD_SUM, PINV),
)

OPS: dict[str, Op] = {op.name: op for op in _ALL}

__all__ = ["OPS", "Op"]
