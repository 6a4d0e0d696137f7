"""Modules made of modules: `Sequential`, `ModuleList`."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from symgrad.errors import SpecError
from symgrad.nn.module import Module


def _member(owner: Module, module: Any) -> Module:
    if not isinstance(module, Module):
        raise SpecError(
            f"{type(owner).__name__} holds modules",
            where=type(owner).__name__,
            expected="a Module",
            got=type(module).__name__,
            fix="wrap a function as a module, e.g. nn.Tanh() for tanh",
        )
    return module


class _Numbered(Module):
    """Submodules in an order, reached by position."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.children())

    def __getitem__(self, index: int | slice) -> Any:
        members = list(self.children())
        if isinstance(index, slice):
            part = type(self)()
            for member in members[index]:
                part.append(member)
            return part
        try:
            return members[operator.index(index)]
        except IndexError:
            raise SpecError(
                "no such module",
                where=f"{type(self).__name__}[{index}]",
                expected=f"an index below {len(self)}",
            ) from None

    def append(self, module: Module) -> Module:
        """Add a module at the end."""
        self.add_module(str(len(self)), _member(self, module))
        return self


class Sequential(_Numbered):
    """Modules applied one after the other.

    Args:
        *modules: the modules, or one mapping of names to modules.
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            named: Iterable[tuple[str, Any]] = modules[0].items()
        else:
            named = ((str(number), module) for number, module in enumerate(modules))
        for name, module in named:
            self.add_module(name, _member(self, module))

    def forward(self, x: Any) -> Any:
        for module in self.children():
            x = module(x)
        return x


class ModuleList(_Numbered):
    """A list whose members are registered; it has no forward of its own."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        for module in modules:
            self.append(module)

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Add modules at the end."""
        for module in modules:
            self.append(module)
        return self
