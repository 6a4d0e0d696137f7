"""`Optimizer`: parameters in groups, and the update rule that each group's options give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from symgrad.autograd import Tensor, enable_grad, no_grad
from symgrad.errors import ShapeError, SpecError
from symgrad.updates import UpdateRule, apply_rule

Params = Iterable[Tensor] | Iterable[Mapping[str, Any]]

_GROUP_EXTRAS = ("initial_lr",)  # what a schedule leaves in a group


class Optimizer:
    """Base of all optimizers; a subclass names the builder of its update rule.

    Args:
        params: parameters, or groups `{"params": …, option: value}`; None gives an unbound rule.
        defaults: options of groups that do not say otherwise, by the names that the builder takes.

    Raises:
        SpecError: an option is out of range; the parameters are none, no leaves, or given twice.
    """

    builder: ClassVar[Callable[..., UpdateRule]]

    def __init__(self, params: Params | None, defaults: Mapping[str, Any]) -> None:
        self.defaults = dict(defaults)
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        self._rules: dict[tuple[Any, ...], UpdateRule] = {}
        self.bound = params is not None
        if params is None:
            self.param_groups.append({"params": [], **self.defaults})
            self._rule_of(self.param_groups[0])
            return
        given = _as_list(params, type(self).__name__)
        if not given:
            raise SpecError(
                "an optimizer without parameters has nothing to do",
                where=f"{type(self).__name__}, params",
                got="an empty sequence",
                fix="a generator is used up after one pass: call model.parameters() again; or omit params",
            )
        groups = given if isinstance(given[0], Mapping) else [{"params": given}]
        for group in groups:
            self.add_param_group(group)

    @property
    def rule(self) -> UpdateRule:
        """The update rule of the first group."""
        return self._rule_of(self.param_groups[0])

    def formula(self, style: str = "unicode") -> str:
        """The rule as a paper prints it; `style` is "unicode", "ascii" or "latex"."""
        return self.rule.formula(style)

    def _rule_of(self, group: Mapping[str, Any]) -> UpdateRule:
        values = [group[name] for name in self.defaults]
        key = tuple([tuple(value) if type(value) is list else value for value in values])
        if key not in self._rules:
            if len(self._rules) > 100:  # a schedule makes a new one each step
                self._rules.clear()
            self._rules[key] = type(self).builder(**dict(zip(self.defaults, values, strict=True)))
        return self._rules[key]

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add parameters with options of their own.

        Args:
            group: "params", and any of the optimizer's options.

        Raises:
            SpecError: an unknown or impossible option; a parameter that is no leaf or already here.
        """
        where = f"{type(self).__name__}, parameter group {len(self.param_groups) if self.bound else 0}"
        unknown = sorted(set(group) - {"params", *self.defaults, *_GROUP_EXTRAS})
        if unknown or "params" not in group:
            raise SpecError(
                f"a parameter group has no '{unknown[0]}'" if unknown else "a parameter group needs 'params'",
                where=where,
                expected="params, " + ", ".join(self.defaults),
            )
        params = (
            [group["params"]] if isinstance(group["params"], Tensor) else _as_list(group["params"], where)
        )
        known = {id(param) for other in self.param_groups for param in other["params"]}
        for number, param in enumerate(params):
            self._check_param(param, f"{where}, params[{number}]", known)
            known.add(id(param))
        complete = {**self.defaults, **group, "params": params}
        self._rule_of(complete)
        if not self.bound:
            self.param_groups.clear()
            self.bound = True
        self.param_groups.append(complete)

    @staticmethod
    def _check_param(param: Any, where: str, known: set[int]) -> None:
        if not isinstance(param, Tensor):
            raise SpecError(
                "an optimizer works on tensors", where=where, expected="a Parameter", got=type(param).__name__
            )
        if not param.is_leaf or param.dtype.dtype.kind != "f":
            raise SpecError(
                "an optimizer works on leaves of the graph that are floating point",
                where=where,
                expected="a Parameter, or a tensor made with requires_grad=True",
                got=f"a computed tensor ({param.grad_fn})" if not param.is_leaf else str(param.dtype),
            )
        if id(param) in known:
            raise SpecError("a parameter is given twice", where=where, fix="list each parameter once")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Apply the update rule once to every parameter that has a gradient.

        Args:
            closure: computes the loss and its gradients; called first.

        Returns:
            What the closure returns, else None.

        Raises:
            SpecError: the optimizer is an unbound rule.
        """
        if not self.bound:
            raise SpecError(
                "this optimizer has no parameters to step",
                where=f"{type(self).__name__}.step",
                expected="parameters, given when it was made",
                fix=f"{type(self).__name__}(model.parameters(), lr={self.defaults['lr']})",
            )
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            for group in self.param_groups:
                rule = self._rule_of(group)
                for param in group["params"]:
                    if param.grad is not None:
                        self._step_param(param, rule)
        return loss

    def _step_param(self, param: Tensor, rule: UpdateRule) -> None:
        assert param.grad is not None
        state = self.state.setdefault(param, {"step": 0})
        for name in rule.state:
            if name not in state:
                state[name] = np.full_like(param.data, dict(rule.initial).get(name, 0.0))
        state["step"] += 1
        value, new = apply_rule(rule, param.data, param.grad.data, state["step"], state_arrays(state))
        state.update(new)
        param.copy_(Tensor(value))

    def zero_grad(self, set_to_none: bool = False) -> None:
        """Set all gradients to zero, or to None."""
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param.grad = None
                elif param.grad is not None:
                    param.grad.zero_()

    def state_dict(self) -> dict[str, Any]:
        """State arrays (copied) and options; parameters appear as their number."""
        params = [param for group in self.param_groups for param in group["params"]]
        numbers = {id(param): number for number, param in enumerate(params)}
        state = {
            numbers[id(param)]: {
                key: value.copy() if isinstance(value, np.ndarray) else value for key, value in entry.items()
            }
            for param, entry in self.state.items()
        }
        groups = [
            {**group, "params": [numbers[id(p)] for p in group["params"]]} for group in self.param_groups
        ]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where another optimizer of the same parameters was.

        Raises:
            SpecError: the groups differ in number, length or options.
            ShapeError: a state array has another shape than its parameter.  Nothing has been changed then.
        """
        groups = state_dict["param_groups"]
        own = [len(group["params"]) for group in self.param_groups]
        theirs = [len(group["params"]) for group in groups]
        if own != theirs:
            raise SpecError(
                "the state belongs to other parameter groups",
                where=f"{type(self).__name__}.load_state_dict",
                expected=f"groups of {own} parameters",
                got=theirs,
            )
        completed = [
            {**mine, **{key: value for key, value in group.items() if key != "params"}}
            for mine, group in zip(self.param_groups, groups)
        ]
        for group in completed:
            surplus = sorted(set(group) - {"params", *self.defaults, *_GROUP_EXTRAS})
            if surplus:
                raise SpecError(
                    f"the state has an option '{surplus[0]}' that is not one of this optimizer",
                    where=f"{type(self).__name__}.load_state_dict",
                    expected=", ".join(self.defaults),
                )
            self._rule_of(group)
        params = [param for group in self.param_groups for param in group["params"]]
        state: dict[Tensor, dict[str, Any]] = {}
        for number, entry in state_dict["state"].items():
            param = params[int(number)]
            for name, array in state_arrays(entry).items():
                if array.shape != param.shape:
                    raise ShapeError(
                        f"the state '{name}' has another shape than its parameter",
                        where=f"{type(self).__name__}.load_state_dict, parameter {number}",
                        expected=param.shape,
                        got=array.shape,
                    )
            state[param] = {
                key: value.astype(param.data.dtype) if isinstance(value, np.ndarray) else value
                for key, value in entry.items()
            }
        self.param_groups[:] = completed
        self.state = state

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}" if self.bound else "Unbound rule")
            lines += [f"    {name}: {group[name]}" for name in self.defaults]
        return "\n".join([*lines, ")"])


def state_arrays(entry: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of one parameter's state, without the step count."""
    return {name: value for name, value in entry.items() if name != "step"}


def _as_list(params: Any, where: str) -> list[Any]:
    if isinstance(params, Tensor | Mapping | str) or not isinstance(params, Iterable):
        raise SpecError(
            "an optimizer takes a sequence of parameters",
            where=f"{where}, params",
            expected="model.parameters(), or a list of tensors or of groups",
            got=type(params).__name__,
            fix="write [w] for a single tensor; lr goes by name: SGD(lr=0.01)",
        )
    return list(params)
