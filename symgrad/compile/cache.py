"""Kernel files on disk: written once, found again by the next process, compiled code beside them.

A file is named by the hash of its text and of the versions that shape the compiled code.  The folder belongs to
the user alone; what another user could have written is not loaded.  Source is compared with the text that is
wanted, compiled code with its digests (``.sums``), so that damaged files are made anew.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import stat
import sys
import tempfile
import warnings
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from symgrad.errors import CacheWarning

ENVIRONMENT = "SYMGRAD_CACHE_DIR"


def cache_folder() -> Path | None:
    """The folder of the kernel files, made if need be; None where there can be none."""
    return _folder(os.environ.get(ENVIRONMENT))


@lru_cache(maxsize=8)
def _folder(named: str | None) -> Path | None:
    if named:
        folder = Path(named).expanduser() / "kernels"
    else:
        from platformdirs import user_cache_dir

        folder = Path(user_cache_dir("symgrad", appauthor=False)) / "kernels"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        problem = _problem(folder)
    except OSError as error:
        problem = f"{error.strerror or error}"
    if problem is not None:
        warnings.warn(
            f"The kernel cache {folder} cannot be used ({problem}); kernels are compiled anew in each process. "
            f"Set {ENVIRONMENT} to a folder of your own.",
            CacheWarning,
            stacklevel=4,
        )
        return None
    return folder


def _problem(folder: Path) -> str | None:
    """Why a folder must not be used, or None."""
    status = folder.stat()
    if hasattr(os, "getuid"):
        if status.st_uid != os.getuid():
            return "it belongs to another user"
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return "other users can write to it"
    with tempfile.TemporaryFile(dir=folder):
        return None


@lru_cache(maxsize=1)
def _versions() -> str:
    import llvmlite.binding as llvm

    parts = [version(p) for p in ("symgrad", "numba", "numpy", "llvmlite") if _installed(p)]
    return " ".join([*parts, sys.version.split()[0], llvm.get_host_cpu_name()])


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None and package != "symgrad"


def digest(source: str) -> str:
    """The name of a kernel: a hash of its text and of the versions."""
    return hashlib.sha256(f"{source}\0{_versions()}".encode()).hexdigest()[:32]


def load(source: str, name: str) -> tuple[Any, Path | None]:
    """The function ``name`` that the source defines, and the file it lives in (None without a cache)."""
    folder = cache_folder()
    key = digest(source)
    if folder is not None:
        path = folder / f"k{key}.py"
        text = source.replace("cache=CACHE", "cache=True")
        try:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                _write(path, text)
            return getattr(_import(path, key), name), path
        except OSError as error:
            warnings.warn(f"The kernel cache is not used: {error}", CacheWarning, stacklevel=3)
    module = ModuleType(f"symgrad_kernel_{key}")
    code = compile(source.replace("cache=CACHE", "cache=False"), f"<symgrad kernel {key}>", "exec")
    exec(code, module.__dict__)
    return getattr(module, name), None


def _import(path: Path, key: str) -> ModuleType:
    name = f"symgrad_kernel_{key}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # numba finds a cached function's module by its name
    spec.loader.exec_module(module)
    return module


def _write(path: Path, text: str) -> None:
    """Write atomically: another process sees the whole file or none."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".py")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def kind_of(arguments: tuple[Any, ...]) -> tuple[bool, ...]:
    """What numba tells apart in a kernel's arguments: arrays that may be written to and those that may not."""
    return tuple([a.flags.writeable for a in arguments if isinstance(a, np.ndarray)])


def compile_for(function: Any, arguments: tuple[Any, ...], path: Path | None) -> None:
    """Compile for these arguments, or take the compiled code from disk if it is what was written there."""
    if not hasattr(function, "compile"):  # NUMBA_DISABLE_JIT=1: it is the plain function
        return
    import numba

    signature = tuple(numba.typeof(a) for a in arguments)
    if path is None:
        function.compile(signature)
        return
    place = Path(function.stats.cache_path)  # beside the file, unless NUMBA_CACHE_DIR says otherwise
    summary = path.with_suffix(".sums")
    noted = summary.read_text(encoding="utf-8") if summary.is_file() else ""
    if noted != _sums(place, path.stem):
        for damaged in _compiled_files(place, path.stem):
            damaged.unlink(missing_ok=True)
    function.compile(signature)
    found = _sums(place, path.stem)
    if found != noted:
        try:
            _write(summary, found)
        except OSError as error:
            warnings.warn(f"The kernel cache is not used: {error}", CacheWarning, stacklevel=3)


def _compiled_files(place: Path, stem: str) -> list[Path]:
    return sorted(place.glob(f"{stem}.*.nb[ci]"))


def _sums(place: Path, stem: str) -> str:
    """The digests of the compiled code: numba itself would run whatever lies there, or crash on it."""
    return "".join(
        f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.name}\n" for f in _compiled_files(place, stem)
    )
