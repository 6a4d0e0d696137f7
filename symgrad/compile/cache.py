"""Kernels: made once from their source, compiled code found again by the next process.

In the folder a kernel has a file with its source, for people and debuggers, and one with compiled code for each
kind of arrays that it met.  Their names are hashes of the source, of the versions and of the processor, so that
nothing has to be invalidated.  Only compiled code is ever loaded, and only if its digest is right; what is
truncated or changed is compiled again.

numba's own disk cache is not used: it runs whatever lies beside the source, keeps an index that processes write
in turns, and sets up the whole compiler before it loads anything (0.4 s, and half of that is SciPy).
"""

from __future__ import annotations

import hashlib
import pickle
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np

from symgrad.compile import folder as files

_MODULE = "symgrad_kernel_"
_OPTIONS = ("OPT", "BOUNDSCHECK", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DEBUGINFO_DEFAULT")
"""Settings of numba that change the code it makes."""
_MADE = Lock()


@lru_cache(maxsize=1)
def _circumstances() -> str:
    """Everything but the source that compiled code depends on."""
    from numba import config
    from numba.core.registry import cpu_target

    versions = [version(package) for package in ("numba", "llvmlite", "numpy", "scipy")]
    options = [repr(getattr(config, option, None)) for option in _OPTIONS]
    processor = cpu_target.target_context.codegen().magic_tuple()
    return "\n".join(map(str, (sys.version, sys.implementation.cache_tag, *versions, *options, *processor)))


def digest(source: str) -> str:
    """The name of a kernel: a hash of its text and of what else its compiled code depends on."""
    return hashlib.sha256(f"{source}\0{_circumstances()}".encode()).hexdigest()[:32]


def load(source: str, name: str) -> Any:
    """The function ``name`` of a kernel's source; the same one for the same source.

    Whenever numba compiles it for arguments of a kind that it has not met, the disk is asked first.
    """
    function = getattr(_module(source), name)
    if hasattr(function, "compile"):  # with NUMBA_DISABLE_JIT=1 it is the plain function
        function._cache = _CompiledCode(function.__module__.removeprefix(_MODULE), name)
    return function


def _module(source: str) -> ModuleType:
    key = digest(source)
    with _MADE:
        known = sys.modules.get(_MODULE + key)
        if known is not None:
            return known
        module = ModuleType(_MODULE + key)
        module.__file__ = _keep_source(key, source)
        exec(compile(source, module.__file__, "exec"), module.__dict__)
        sys.modules[module.__name__] = module  # where compiled code looks for the names it uses
        return module


def _keep_source(key: str, source: str) -> str:
    """The file that holds the source, for a debugger to show; written if need be."""
    folder = files.cache_folder()
    if folder is None:
        return f"<symgrad kernel {key}>"
    path = folder / f"{files.KERNEL}{key}.py"
    text = source.encode()
    if files.read(path) != text:
        _keep(path, text)
    return str(path)


def kind_of(arguments: tuple[Any, ...]) -> tuple[bool, ...]:
    """What numba tells apart in a kernel's arguments: arrays that may be written to and those that may not."""
    return tuple([a.flags.writeable for a in arguments if isinstance(a, np.ndarray)])


def compile_for(function: Any, arguments: tuple[Any, ...]) -> None:
    """Let a function that was loaded have compiled code for arguments of this kind: from disk, or made now."""
    if hasattr(function, "compile"):
        import numba

        function.compile(tuple(numba.typeof(a) for a in arguments))


@dataclass(frozen=True)
class _CompiledCode:
    """The compiled code of one function: what numba's dispatcher asks of a cache, in place of numba's own."""

    key: str
    name: str

    @property
    def cache_path(self) -> str | None:
        folder = files.cache_folder()
        return None if folder is None else str(folder)

    def load_overload(self, signature: tuple[Any, ...], target: Any) -> Any:
        folder = files.cache_folder()
        return None if folder is None else _loaded(folder / self._file(signature), target)

    def save_overload(self, signature: tuple[Any, ...], compiled: Any) -> None:
        folder = files.cache_folder()
        if folder is not None and not compiled.library.has_dynamic_globals:  # addresses of this process
            _keep(folder / self._file(signature), _sealed(compiled))

    def _file(self, signature: tuple[Any, ...]) -> str:
        kind = hashlib.sha256(", ".join(map(str, signature)).encode()).hexdigest()[:16]
        return f"{files.KERNEL}{self.key}.{self.name}.{kind}.code"


def _sealed(compiled: Any) -> bytes:
    """Compiled code as bytes, with their digest in front."""
    from numba.core.serialize import dumps

    content: bytes = dumps(compiled._reduce())
    return hashlib.sha256(content).digest() + content


_CALLS_BLAS = (b"numba_xx", b"numba_ez")
"""What numba's functions for BLAS and LAPACK begin with."""


def _loaded(path: Path, target: Any) -> Any:
    """numba's record of the compiled code of a file; None if there is none or it is damaged."""
    sealed = files.read(path)
    if sealed is None:
        return None
    size = hashlib.sha256().digest_size
    content = memoryview(sealed)[size:]
    if hashlib.sha256(content).digest() != sealed[:size]:
        return None
    files.touch(path)
    from numba.core.compiler import CompileResult
    from numba.core.runtime import rtsys

    rtsys.initialize(target)  # memory for arrays; numba does so when it compiles
    if any(mark in sealed for mark in _CALLS_BLAS):
        import scipy.linalg  # noqa: F401 - else the first call would load it
    return CompileResult._rebuild(target, *pickle.loads(content))


def _keep(path: Path, content: bytes) -> None:
    try:
        files.write(path, content)
        files.sweep(path.parent)
    except OSError as error:
        files.done_without(f"{path.parent} cannot be written to: {error.strerror or error}")
