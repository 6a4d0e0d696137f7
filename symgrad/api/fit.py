"""``fit``: train a module with one compiled loop."""

from __future__ import annotations

import inspect
import warnings as python_warnings
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.api.minimize import derive_for, make_problem, rate_schedule, rule_of, train
from symgrad.api.run import Run
from symgrad.errors import ShapeError, SpecError, SymgradWarning, UnsupportedError

if TYPE_CHECKING:
    from symgrad.nn import Module


def fit(
    model: Module,
    data: Sequence[Any] | Mapping[str, Any],
    loss: Any,
    optimizer: Any,
    epochs: int | None = None,
    steps: int | None = None,
    *,
    batch_size: int | None = None,
    schedule: Callable[[int], float] | Any = None,
    callbacks: Sequence[Callable[[int, float, Mapping[str, np.ndarray]], Any]] = (),
    validation: Sequence[Any] | Mapping[str, Any] | None = None,
    every: int | None = None,
    seed: int = 0,
    compress: bool = True,
    passes: Sequence[str] | None = None,
) -> Run:
    """Train a module; its parameters hold the result afterwards.

    Args:
        model: the module; parameters without ``requires_grad``, or that the optimizer was not given, stay as they
            are.
        data: the arguments of ``forward``, then those of the loss, as arrays or tensors with equally many rows;
            or a mapping from names to them.
        loss: a criterion such as ``sg.nn.MSELoss(reduction="sum")``, or a function of (prediction, target).
        optimizer: such as ``sg.optim.Adam(model.parameters(), lr=1e-3)``; its rule is compiled.  The rule's
            state starts anew with each call.
        epochs, steps: one of the two says how long.
        batch_size, schedule, callbacks, validation, every, seed, passes, compress: as in ``minimize``.

    Raises:
        ShapeError: (n,) against (n, 1), which would broadcast to n×n.
        UnsupportedError: the optimizer's groups have different options.
        SymgradError: what ``minimize`` raises.
    """
    arrays = _named(model, data)
    params = {n: p.detach().numpy() for n, p in model.named_parameters()}
    trained = _trained(model, optimizer)
    frozen = {n: params[n] for n in params if n not in trained}
    rows = [n for n, a in arrays.items() if np.ndim(a)]
    problem = make_problem({n: params[n] for n in trained}, {**arrays, **frozen}, None, rows)
    count = len(next((arrays[n] for n in rows), ()))
    updates = _updates(epochs, steps, count, batch_size)
    rule = rule_of(optimizer)
    start = perf_counter()
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore", SymgradWarning)
        derivation = derive_for(model, problem, batch_size is not None, criterion=loss)
    if derivation.warnings:
        raise ShapeError(
            "The loss broadcasts one entry against many.",
            where="fit",
            got=derivation.warnings[0],
            fix="give prediction and target the same shape, for instance y.reshape(-1, 1)",
        )
    derived = perf_counter() - start
    checked = None if validation is None else {**_named(model, validation), **frozen}
    made = train(
        derivation, problem, rule, updates, batch_size, rate_schedule(schedule, rule), callbacks, checked, every, seed,
        derived, passes, compress,
    )  # fmt: skip
    from symgrad.autograd import Tensor, no_grad

    with no_grad():
        for name, p in model.named_parameters():
            if name in made.params:
                p.copy_(Tensor(made.params[name].astype(p.detach().numpy().dtype)))
    return made


def _trained(model: Module, optimizer: Any) -> list[str]:
    """The names of the parameters that change."""
    own = {n: p for n, p in model.named_parameters() if p.requires_grad}
    if not getattr(optimizer, "bound", False):
        return list(own)
    groups = optimizer.param_groups
    given = {id(p) for group in groups for p in group["params"]}
    if given - {id(p) for p in model.parameters()}:
        raise SpecError(
            "The optimizer holds parameters that are not the model's.",
            where="optimizer",
            expected=f"parameters of {type(model).__name__}",
            fix=f"{type(optimizer).__name__}(model.parameters(), …), with the model that is fitted",
        )
    options = [{name: group[name] for name in optimizer.defaults} for group in groups]
    if any(other != options[0] for other in options[1:]):
        raise UnsupportedError(
            "fit compiles one update rule for all parameters, and these groups have different options.",
            where="optimizer",
            expected="groups with equal options",
            got=" and ".join(map(str, options)),
            fix="train with the eager loop: loss.backward(), optimizer.step()",
        )
    return [n for n, p in own.items() if id(p) in given]


def _updates(epochs: int | None, steps: int | None, rows: int, batch_size: int | None) -> int:
    if (epochs is None) == (steps is None):
        raise SpecError(
            "Either epochs or steps says how long to train.", where="fit", expected="one of the two"
        )
    if steps is not None:
        return steps
    if batch_size is not None and (isinstance(batch_size, bool) or not isinstance(batch_size, int)):
        raise SpecError("The batch size is a positive int.", where="batch_size", got=repr(batch_size))
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 0:
        raise SpecError("epochs is a non-negative int.", where="epochs", got=repr(epochs))
    return epochs * (1 if batch_size is None else -(-rows // max(batch_size, 1)))


def _named(model: Module, data: Sequence[Any] | Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Names for the arrays: the parameters of ``forward``, then y (or y1, y2, …) for the criterion."""
    if isinstance(data, Mapping):
        return {n: _array(a) for n, a in data.items()}
    if not isinstance(data, Sequence) or isinstance(data, str):
        raise SpecError(
            "fit takes its arrays together.",
            where="data",
            expected="a tuple such as (x, y), or a mapping from names to arrays",
            got=type(data).__name__,
        )
    wanted = [n for n, p in inspect.signature(model.forward).parameters.items() if p.default is p.empty]
    extra = len(data) - len(wanted)
    if extra < 0:
        raise SpecError(
            "There is less data than forward takes.",
            where="data",
            expected=", ".join(wanted),
            got=f"{len(data)} arrays",
        )
    targets = ["y"] if extra == 1 and "y" not in wanted else [f"y{i + 1}" for i in range(extra)]
    return {n: _array(a) for n, a in zip([*wanted, *targets], data, strict=True)}


def _array(value: Any) -> np.ndarray:
    if hasattr(value, "detach"):
        value = value.detach().numpy()
    return value if isinstance(value, np.ndarray) else np.asarray(value)
