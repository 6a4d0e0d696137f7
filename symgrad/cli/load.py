"""What a command-line argument names: a function in a file, shapes, the package ``verify``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import symgrad
from symgrad.errors import SpecError


def our_verify(submodule: str = "") -> ModuleType:
    """The package ``verify`` that belongs to symgrad, also where a file ``verify.py`` of the user comes first.

    Raises:
        SpecError: it is not installed beside symgrad.
    """
    folder = Path(symgrad.__file__).resolve().parent.parent / "verify"
    found = sys.modules.get("verify")
    if found is None or Path(str(found.__file__)).resolve().parent != folder:
        location = folder / "__init__.py"
        if not location.is_file():
            raise SpecError(
                "The package verify is not installed beside symgrad.", fix="install symgrad again"
            )
        spec = importlib.util.spec_from_file_location(
            "verify", location, submodule_search_locations=[str(folder)]
        )
        if spec is None or spec.loader is None:
            raise SpecError("The package verify cannot be loaded.", where=str(location))
        found = importlib.util.module_from_spec(spec)
        sys.modules["verify"] = found
        spec.loader.exec_module(found)
    return importlib.import_module(f"verify.{submodule}") if submodule else found


def parse_shapes(text: str) -> dict[str, str]:
    """``"x: n d, w: d 1"`` as a mapping.

    Raises:
        SpecError: a part is not of the form ``name: sizes``.
    """
    out: dict[str, str] = {}
    for part in text.replace(";", ",").split(","):
        if not part.strip():
            continue
        name, colon, sizes = part.partition(":")
        if not colon or not name.strip():
            raise SpecError(
                "The shapes cannot be read.",
                where="--shapes",
                expected='"x: n d, w: d 1, y: n 1"; sizes are separated by spaces',
                got=part.strip(),
            )
        if name.strip() in out:
            raise SpecError(f"{name.strip()!r} is given twice.", where="--shapes")
        out[name.strip()] = sizes.strip()
    return out


def names(text: str | None) -> list[str] | str | None:
    """``"w"`` as a name, ``"w,b"`` as a list."""
    if text is None:
        return None
    parts = [p for p in text.replace(",", " ").split() if p]
    return parts[0] if len(parts) == 1 else parts


def is_reference(text: str) -> bool:
    """Whether an argument names something in a file."""
    return ".py::" in text or text.endswith(".py")


def split_reference(text: str) -> tuple[Path, str | None]:
    """``FILE.py::name`` as a path and a name."""
    path, _, name = text.partition("::")
    return Path(path), name or None


def definitions(path: Path) -> Mapping[str, Any]:
    """The imports, functions, classes and literal constants of a file; its script part does not run."""
    our_verify()
    source = importlib.import_module("verify.scripts.source").load(path)
    found: Mapping[str, Any] = importlib.import_module("verify.scripts.definitions").define(source).namespace
    return found


def own_functions(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The functions that a file itself defines, by name."""
    own = namespace.get("__name__")
    return {
        n: v
        for n, v in namespace.items()
        if callable(v) and not isinstance(v, type) and getattr(v, "__module__", None) == own
    }


def function(reference: str, option: str) -> Any:
    """The function that ``FILE.py::name`` names.

    Raises:
        SpecError: there is none, or no name is given and the file has several.
    """
    path, name = split_reference(reference)
    namespace = definitions(path)
    callables = own_functions(namespace)
    if name is None and len(callables) == 1:
        return next(iter(callables.values()))
    if name not in callables:
        raise SpecError(
            f"{path} has no function {name}." if name else f"{path} has several functions.",
            where=option,
            expected=f"{path}::name with a name of {', '.join(callables) or '(none)'}",
        )
    return callables[name]
