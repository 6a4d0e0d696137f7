"""`Module`: a tree of parameters, buffers and submodules, with a `forward`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import numpy as np

from symgrad.autograd import Tensor, no_grad
from symgrad.errors import ShapeError, SpecError
from symgrad.nn.parameter import Parameter

_OWN = ("_parameters", "_buffers", "_modules")


class Module:
    """Base class of everything that has parameters.

    A subclass calls `super().__init__()` first, assigns `Parameter`s and other modules to attributes,
    and writes `forward`.  Names are dotted paths: `net.0.weight`.
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]

    def __init__(self) -> None:
        for name in _OWN:
            object.__setattr__(self, name, {})
        object.__setattr__(self, "training", True)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; to be written by the subclass."""
        raise SpecError(
            "this module has no forward",
            where=type(self).__name__,
            fix="define forward(self, x) in the class",
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "_parameters" not in self.__dict__:
            raise _not_initialised(self, "call")
        return self.forward(*args, **kwargs)

    # attributes

    def __setattr__(self, name: str, value: Any) -> None:
        kinds = ((Parameter, "_parameters"), (Module, "_modules"))
        kind = next((place for cls, place in kinds if isinstance(value, cls)), None)
        if "_parameters" not in self.__dict__:
            if kind is not None:
                raise _not_initialised(self, name)
            object.__setattr__(self, name, value)
            return
        place = kind or next((own for own in _OWN if name in self.__dict__[own]), None)
        if place is None:
            object.__setattr__(self, name, value)
            return
        if kind is None and not (value is None or (place == "_buffers" and isinstance(value, Tensor))):
            wanted = {"_parameters": "a Parameter", "_buffers": "a Tensor", "_modules": "a Module"}[place]
            raise SpecError(
                f"'{name}' is registered in this module and takes {wanted} or None",
                where=f"{type(self).__name__}.{name}",
                expected=wanted,
                got=type(value).__name__,
                fix="to change its values write with no_grad(): p.copy_(...), or p.data = array",
            )
        for own in _OWN:
            if own != place:
                self.__dict__[own].pop(name, None)
        self.__dict__.pop(name, None)
        self.__dict__[place][name] = value

    def __getattr__(self, name: str) -> Any:
        for own in _OWN:
            if name in self.__dict__.get(own, ()):
                return self.__dict__[own][name]
        raise AttributeError(f"'{type(self).__name__}' has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        for own in _OWN:
            if name in self.__dict__.get(own, ()):
                del self.__dict__[own][name]
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Enter a parameter, or None for one that is left out."""
        self._check_name(name)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None) -> None:
        """Enter a tensor that belongs to the state but is not trained."""
        self._check_name(name)
        self._buffers[name] = tensor

    def add_module(self, name: str, module: Module | None) -> None:
        """Enter a submodule."""
        self._check_name(name)
        self._modules[name] = module

    def _check_name(self, name: str) -> None:
        if "_parameters" not in self.__dict__:
            raise _not_initialised(self, name)
        if (
            not name
            or "." in name
            or (hasattr(self, name) and not any(name in self.__dict__[o] for o in _OWN))
        ):
            raise SpecError(
                "this name cannot be registered",
                where=f"{type(self).__name__}, '{name}'",
                expected="a name without dots that is not an attribute already",
            )

    # walks over the tree; a module or parameter that is shared appears once, under its first name

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below it, by dotted name."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            path, module = stack.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield path, module
            below = [
                (_join(path, name), child) for name, child in module._modules.items() if child is not None
            ]
            stack.extend(reversed(below))

    def modules(self) -> Iterator[Module]:
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        return ((name, child) for name, child in self._modules.items() if child is not None)

    def children(self) -> Iterator[Module]:
        return (child for _, child in self.named_children())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """All parameters by dotted name."""
        seen: set[int] = set()
        for path, module in self.named_modules():
            for name, param in module._parameters.items():
                if param is not None and id(param) not in seen:
                    seen.add(id(param))
                    yield _join(path, name), param

    def parameters(self) -> Iterator[Parameter]:
        return (param for _, param in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """All buffers by dotted name."""
        for path, module in self.named_modules():
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    yield _join(path, name), buffer

    def buffers(self) -> Iterator[Tensor]:
        return (buffer for _, buffer in self.named_buffers())

    # the state

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and buffers by dotted name, detached but on the module's memory; shared ones recur."""
        entries = _state_entries(self, "")
        return {name: tensor.detach() for name, tensor in entries}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Copy values into the parameters and buffers.

        Args:
            state: tensors or arrays by dotted name.
            strict: refuse missing and surplus names.

        Raises:
            SpecError: the names differ.
            ShapeError: a shape differs.  Nothing has been changed then.
        """
        own = dict(_state_entries(self, ""))
        missing, surplus = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
        if strict and (missing or surplus):
            raise SpecError(
                "the state does not belong to this module",
                where=f"{type(self).__name__}.load_state_dict",
                expected=f"{', '.join(missing)} as well" if missing else None,
                got=f"{', '.join(surplus)}, which the module does not have" if surplus else None,
                fix="pass strict=False to load what fits",
            )
        values = {name: np.asarray(state[name]) for name in own if name in state}
        for name, value in values.items():
            if value.shape != own[name].shape:
                raise ShapeError(
                    f"the state's '{name}' has another shape",
                    where=name,
                    expected=own[name].shape,
                    got=value.shape,
                )
        with no_grad():
            for name, value in values.items():
                own[name].copy_(value)

    def zero_grad(self, set_to_none: bool = False) -> None:
        """Set all gradients to zero, or to None."""
        for param in self.parameters():
            if set_to_none:
                param.grad = None
            elif param.grad is not None:
                param.grad.zero_()

    def train(self, mode: bool = True) -> Self:
        """Set `training` here and below."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze or unfreeze all parameters."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def apply(self, function: Callable[[Module], Any]) -> Self:
        """Call a function with every module, children first."""
        for module in reversed(list(self.modules())):
            function(module)
        return self

    # printing

    def extra_repr(self) -> str:
        """What stands between the parentheses, besides the children."""
        return ""

    def __repr__(self) -> str:
        children = [
            f"({name}): " + repr(child).replace("\n", "\n  ")
            for name, child in self.__dict__.get("_modules", {}).items()
        ]
        extra = self.extra_repr()
        if not children:
            return f"{type(self).__name__}({extra})"
        return f"{type(self).__name__}(\n  " + "\n  ".join([*filter(None, [extra]), *children]) + "\n)"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _state_entries(module: Module, path: str) -> Iterator[tuple[str, Tensor]]:
    for own in (module._parameters, module._buffers):
        for name, tensor in own.items():
            if tensor is not None:
                yield _join(path, name), tensor
    for name, child in module.named_children():
        yield from _state_entries(child, _join(path, name))


def _not_initialised(module: Module, name: str) -> SpecError:
    cls = type(module).__name__
    return SpecError(
        "a module must be initialised before parameters and submodules are assigned to it",
        where=f"{cls}.{name}",
        expected=f"super().__init__() as the first line of {cls}.__init__",
        fix=f"class {cls}(Module): def __init__(self): super().__init__(); ...",
    )
