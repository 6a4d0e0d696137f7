"""A program as NumPy source text, and as the function that this text defines.

What ``to_numpy()`` shows is what evaluation runs.
"""

from __future__ import annotations

import keyword
import linecache
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import sympy

from symgrad.ops.record import Piece
from symgrad.ops.scalars import SCIPY_NAMES, numpy_names, numpy_text, scipy_names
from symgrad.ops.scalars.printer import ATOM
from symgrad.program.program import Program

_RESERVED = {"np", *SCIPY_NAMES}


def identifiers(program: Program) -> dict[str, str]:
    """For every input and binding a name that Python accepts: ``0.weight`` becomes ``weight_0``."""
    taken: set[str] = {*_RESERVED, *_needed(program)}
    out: dict[str, str] = {}
    for name in program.by_name:
        parts = name.split(".")
        base = name if len(parts) == 1 else "_".join([parts[-1], *parts[:-1]])
        out[name] = _free(base, taken)
    return out


def _needed(program: Program) -> dict[str, str]:
    """The names that the operations' source texts may call, each with the line or function that makes it."""
    lines = dict.fromkeys(line for b in program.bindings for line in b.record.imports)
    return {m[1]: line for line in lines if (m := re.search(r"(?:^def|import) (\w+)", line))}


def _free(base: str, taken: set[str]) -> str:
    """A name like ``base`` that Python accepts and nothing else has; it is taken from now on."""
    base = "".join(c if c.isalnum() or c == "_" else "_" for c in base)
    if not base.isidentifier() or keyword.iskeyword(base):
        base = f"_{base}"
    candidate, i = base, 2
    while candidate in taken:
        candidate, i = f"{base}_{i}", i + 1
    taken.add(candidate)
    return candidate


def _dim_sources(program: Program, names: Mapping[str, str]) -> dict[sympy.Symbol, str]:
    """For each dimension symbol the array axis that it is read from."""
    found: dict[sympy.Symbol, str] = {}
    for i in program.inputs:
        for axis, d in enumerate(i.shape):
            if isinstance(d, sympy.Symbol):
                found.setdefault(d, f"{names[i.name]}.shape[{axis}]")
    return found


def numpy_source(program: Program, function: str = "loss_and_gradient") -> str:
    """NumPy source of a function of the program's inputs that returns its outputs.

    The function returns the first output alone and the others as a dict, or only the first where it has no
    other.
    """
    names = identifiers(program)
    dims = _dim_sources(program, names)
    taken = {*_RESERVED, *_needed(program), *names.values()}
    sizes = {s: _free(s.name, taken) for s in dims}
    pieces = {s: Piece(text, ATOM) for s, text in sizes.items()}
    body: list[str] = []
    used_dims: set[sympy.Symbol] = set()
    inline: dict[str, str] = {}

    def number(value: Any) -> str:
        expr = sympy.sympify(value)
        used_dims.update(s for s in expr.free_symbols if s in dims)
        return numpy_text(expr, pieces)

    def dim(value: Any) -> str:
        top, bottom = sympy.fraction(sympy.together(sympy.sympify(value)))
        if bottom == 1:
            return number(value)
        return f"({number(sympy.expand(top))})//{number(bottom)}"  # a size is whole

    for b in program.bindings:
        args = [inline.get(a, names[a]) for a in b.args]
        text = b.record.numpy(args, b.attrs, number if b.op in ("constant", "pointwise") else dim)
        if b.op == "constant":
            inline[b.name] = text if text.replace(".", "").isalnum() else f"({text})"
            continue
        body.append(f"    {names[b.name]} = {text}")
    results = {label: inline.get(name, names[name]) for label, name in program.outputs}
    header = [f"    {sizes[s]} = {source}" for s, source in dims.items() if s in used_dims]
    first, *others = results.items()
    if others:
        grads = ", ".join(f"{label!r}: {value}" for label, value in others)
        result = f"    return {first[1]}, {{{grads}}}"
    else:
        result = f"    return {first[1]}"
    text = "\n".join([*header, *body, result])
    imports = ["import numpy as np"]
    special = scipy_names(text)
    if special:
        imports.append(f"from scipy.special import {', '.join(special)}")
    called = {name: line for name, line in _needed(program).items() if f"{name}(" in text}
    imports.extend(line for line in called.values() if not line.startswith("def "))
    imports.extend(f"\n\n{line.rstrip()}" for line in called.values() if line.startswith("def "))
    arguments = ", ".join(names[i.name] for i in program.inputs)
    return "\n".join([*imports, "", "", f"def {function}({arguments}):", text, ""])


@lru_cache(maxsize=512)
def numpy_callable(program: Program) -> Callable[..., Any]:
    """The function that :func:`numpy_source` defines, its lines visible in tracebacks and debuggers."""
    source = numpy_source(program)
    filename = f"<symgrad numpy {abs(hash(source)):x}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace = numpy_names(source)
    exec(compile(source, filename, "exec"), namespace)
    return namespace["loss_and_gradient"]
