"""`Tensor`: an array that remembers how it was computed."""

from __future__ import annotations

from typing import Any, Self
from weakref import ref

import numpy as np

from symgrad.autograd.dtypes import DType, check_numeric, dtype_of
from symgrad.autograd.engine import run_backward, seed_gradient
from symgrad.autograd.node import AccumulateGrad, Node, Version
from symgrad.autograd.operators import TensorOperators
from symgrad.autograd.printing import tensor_text
from symgrad.errors import DataError, GradientError, ShapeError, SpecError, UnsupportedError


class Tensor(TensorOperators):
    """A NumPy array with a gradient.

    Args:
        data: the array; it is not copied.  From anything else, `symgrad.tensor` makes one.
        requires_grad: whether `backward` shall leave the gradient in `.grad`.

    Raises:
        DataError: not an array of numbers, or a gradient is wanted of integers.
    """

    __slots__ = ("__weakref__", "_data", "_grad", "_node", "_requires_grad", "_version")

    def __init__(self, data: np.ndarray, requires_grad: bool = False) -> None:
        self._data = _array(data)
        self._node: Node | None = None
        self._grad: Tensor | None = None
        self._version = Version()
        self._requires_grad = False
        if requires_grad:
            self.requires_grad_()

    # what it is

    @property
    def data(self) -> np.ndarray:
        """The array itself.  What is written into its elements directly is not noticed by the tape."""
        return self._data

    @data.setter
    def data(self, value: np.ndarray | Tensor) -> None:
        array = _array(value._data if isinstance(value, Tensor) else value)
        if array is self._data:  # t.data -= ... has changed the memory already
            self._version.count += 1
        else:
            self._data, self._version = array, Version()

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def ndim(self) -> int:
        return self._data.ndim

    @property
    def dtype(self) -> DType:
        return dtype_of(self._data.dtype)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one axis."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        return self.ndim

    def numel(self) -> int:
        return self._data.size

    # its place in the graph

    @property
    def requires_grad(self) -> bool:
        return self._requires_grad or self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Start or stop wanting the gradient of a leaf.

        Raises:
            DataError: the elements are not floating point numbers.
            GradientError: it is a computed tensor, whose gradient cannot be switched off.
        """
        if requires_grad and self._data.dtype.kind != "f":
            raise DataError(
                "only floating point tensors can have a gradient",
                where="requires_grad",
                expected="float32 or float64",
                got=str(self.dtype),
                fix="convert it first, e.g. tensor(a, dtype=symgrad.float32)",
            )
        if self._node is not None and not requires_grad:
            raise GradientError(
                "a computed tensor cannot stop requiring its gradient",
                where="requires_grad",
                fix="use detach()",
            )
        self._requires_grad = requires_grad and self._node is None
        return self

    @property
    def is_leaf(self) -> bool:
        """True where it was not computed from tensors that require a gradient."""
        return self._node is None

    @property
    def grad_fn(self) -> Node | AccumulateGrad | None:
        if self._node is not None:
            return self._node
        return AccumulateGrad() if self._requires_grad else None

    @property
    def grad(self) -> Tensor | None:
        """The gradient accumulated so far; None before the first backward pass."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and not isinstance(value, Tensor):
            raise DataError("a gradient is a tensor or None", where="grad", got=type(value).__name__)
        if value is not None and value.shape != self.shape:
            raise ShapeError(
                "a gradient has the shape of its tensor", where="grad", expected=self.shape, got=value.shape
            )
        self._grad = value

    def retain_grad(self) -> None:
        """Keep the gradient of this computed tensor in `.grad` too."""
        if self._node is not None:
            self._node.retainer = ref(self)
        elif not self._requires_grad:
            raise GradientError(
                "there is no gradient to retain", where="retain_grad", fix="set requires_grad=True"
            )

    def detach(self) -> Tensor:
        """The same memory, outside the graph."""
        result = Tensor(self._data)
        result._version = self._version
        self._version.has_views = True
        return result

    def backward(
        self,
        gradient: Tensor | np.ndarray | None = None,
        retain_graph: bool = False,
        create_graph: bool = False,
    ) -> None:
        """Add the gradient of this tensor with respect to every leaf to the leaf's `.grad`.

        Args:
            gradient: for a tensor that is not a scalar, the vector of the vector-Jacobian product, of
                its shape.
            retain_graph: allow another backward pass through the same graph.
            create_graph: not available; second derivatives are made symbolically.

        Raises:
            GradientError: no gradient is required, the graph was freed, a tensor it needs was changed in
                place.
            ShapeError: `gradient` has another shape.
            UnsupportedError: `create_graph` is set.
        """
        if create_graph:
            raise UnsupportedError(
                "the tape has no second derivatives",
                where="backward, create_graph",
                fix="derive them symbolically: symgrad.derive(...).hessian(...)",
            )
        seed = seed_gradient(self, gradient, "backward")
        if self._node is None:
            self._accumulate(seed)
            return
        found = run_backward([(self._node, seed)], retain_graph)
        for leaf, grad in found.leaves.values():
            leaf._accumulate(grad)
        for node, grad in found.nodes.items():
            retainer = node.retainer() if node.retainer is not None else None
            if retainer is not None:
                retainer._accumulate(grad)

    def _accumulate(self, grad: np.ndarray) -> None:
        if self._grad is None:
            self._grad = Tensor(np.array(grad))  # a copy: rules may share arrays between operands
        else:
            self._grad._data = np.asarray(self._grad._data + grad)
            self._grad._version = Version()

    # its values

    def numpy(self) -> np.ndarray:
        """The array; read-only where a gradient is required, so that no change goes unnoticed."""
        return self.__array__()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self.requires_grad and not copy:
            view = self._data.view()
            view.flags.writeable = False
            return np.asarray(view, dtype=dtype)
        return np.array(self._data, dtype=dtype, copy=copy)

    def item(self) -> Any:
        """The only element, as a Python number.

        Raises:
            ShapeError: there are several, or none.
        """
        if self._data.size != 1:
            raise ShapeError(
                "only a tensor with one element is a number",
                where="item",
                expected="one element",
                got=f"{self._data.size} elements, shape {self.shape}",
                fix="use tolist(), or reduce it first: .sum(), .mean()",
            )
        return self._data.item()

    def tolist(self) -> Any:
        return self._data.tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    def __index__(self) -> int:
        if self._data.dtype.kind not in "biu":
            raise DataError("only an integer can be an index", where="tensor as index", got=str(self.dtype))
        return int(self.item())

    def __len__(self) -> int:
        if self.ndim == 0:
            raise ShapeError("a 0-d tensor has no length", where="len", fix="use item()")
        return self.shape[0]

    def __format__(self, spec: str) -> str:
        if self.ndim == 0:
            return format(self._data.item(), spec)
        if spec:
            raise SpecError(
                "only a 0-d tensor takes a format",
                where="format",
                expected="shape ()",
                got=f"shape {self.shape}, {spec!r}",
            )
        return repr(self)

    def __repr__(self) -> str:
        suffixes = [f"dtype={self.dtype!r}"]
        if self.grad_fn is not None:
            suffixes.append(f"grad_fn={self.grad_fn!r}")
        return tensor_text(self._data, suffixes)

    # copies: the data travels, the graph does not

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self._data, self.requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if self._node is not None:
            raise GradientError(
                "only leaves of the graph can be deep-copied",
                where="deepcopy",
                got=repr(self.grad_fn),
                fix="copy detach()",
            )
        result = _rebuild(type(self), self._data.copy(), self._requires_grad)
        result._grad = None if self._grad is None else Tensor(self._grad._data.copy())
        memo[id(self)] = result
        return result


def _array(data: Any) -> np.ndarray:
    if not isinstance(data, np.ndarray):
        raise DataError(
            "a tensor is made from an array",
            where="Tensor",
            expected="a NumPy array",
            got=type(data).__name__,
            fix="symgrad.tensor(...) takes numbers and lists",
        )
    check_numeric(data.dtype)
    return data


def _rebuild(cls: type[Any], data: np.ndarray, requires_grad: bool) -> Any:
    result: Any = object.__new__(cls)
    Tensor.__init__(result, data, requires_grad)
    return result
