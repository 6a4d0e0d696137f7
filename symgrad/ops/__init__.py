"""The operations: one file, one record each, collected in ``OPS``.

``record`` says what a record holds, ``dims`` how shapes are compared, ``scalars`` what may happen to one
entry.  Nothing here imports another folder of symgrad.
"""

from symgrad.ops.broadcast_to import BROADCAST_TO
from symgrad.ops.constant import CONSTANT
from symgrad.ops.extremum import MAX, MIN
from symgrad.ops.logsumexp import LOGSUMEXP
from symgrad.ops.matmul import MATMUL
from symgrad.ops.outer import OUTER
from symgrad.ops.pointwise import POINTWISE
from symgrad.ops.record import Op
from symgrad.ops.reshape import RESHAPE
from symgrad.ops.sum import SUM
from symgrad.ops.transpose import TRANSPOSE

_ALL = (
    *(CONSTANT, POINTWISE, MATMUL, OUTER, TRANSPOSE, SUM, BROADCAST_TO, RESHAPE),
    *(MAX, MIN, LOGSUMEXP),
)

OPS: dict[str, Op] = {op.name: op for op in _ALL}

__all__ = ["OPS", "Op"]
