"""The source of ``evaluate``: fills the results of a program that is no loss, ``sg.lambdify``'s.

A function of numbers that is called with arrays runs over blocks of entries, so that its intermediates stay in
cache; which entries make a block depends on the sizes alone, and so the result is the same for any number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.compile import unrolled
from symgrad.compile.loops import LoopWriter
from symgrad.compile.names import Namer
from symgrad.compile.nests import nested
from symgrad.compile.source import (
    LOOP_FLAGS,
    UNROLLED_FLAGS,
    Function,
    function_text,
    kernel_file,
    parallel_function,
)
from symgrad.ops.dims import shape_of
from symgrad.program import Program

NAME = "evaluate"
BLOCK = 2048
"""Entries of a block: a few intermediates of that length stay in a first-level cache."""
SHARES = 16
"""Of a grid every thread takes a sixteenth of the first axis: what depends on other axes only is computed in each."""


@dataclass(frozen=True)
class Result:
    """One array of results.

    Attributes:
        entries: for each output of the program that it holds the label, and the index where its array stands.
    """

    entries: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def is_number(self) -> bool:
        """Whether it is one number, where the arguments are."""
        return self.entries[0][1] == ()


def evaluation_source(
    program: Program, results: Sequence[Result], dtype: str, axes: int = 0, threads: bool = False
) -> str:
    """The text of a kernel file whose function takes arrays: the inputs, then one for each result.

    Args:
        program: the labels of its outputs are those of ``results``.
        results: the arrays.
        dtype: ``float32`` or ``float64``.
        axes: how many axes every output has because numbers were broadcast; 0 for a program on whole arrays.
        threads: whether blocks along the first of these axes run on threads.
    """
    helpers: set[str] = set()
    namer = Namer(program)
    arrays = [namer.fresh("result" if len(results) == 1 else f"result_{k}") for k in range(len(results))]
    arguments = [*(namer.values[i.name] for i in program.inputs), *arrays]
    fixed = all(isinstance(d, int) for i in program.inputs for d in i.shape)
    if fixed and unrolled.cost(program, {}) <= unrolled.LIMIT:
        body = _unrolled(program, results, arrays, helpers, namer)
        return kernel_file(
            program, [Function(NAME, tuple(arguments), tuple(body))], helpers, dtype, UNROLLED_FLAGS
        )
    if not axes or (axes > 1 and not threads):
        writer, body = _loops(program, results, arrays, helpers, namer, dtype, "")
        return kernel_file(
            program,
            [Function(NAME, tuple(arguments), tuple(body))],
            helpers,
            dtype,
            LOOP_FLAGS,
            writer.file_arrays(),
        )
    start, stop, size, rows, k = (namer.fresh(w) for w in ("start", "stop", "size", "rows", "k"))
    block, sweep = namer.fresh("block"), namer.fresh("sweep")
    writer, body = _loops(program, results, arrays, helpers, namer, dtype, f"{start}:{stop}")
    rows_text = str(BLOCK) if axes == 1 else f"max(1, ({size} + {SHARES - 1}) // {SHARES})"
    passed = [
        f"{namer.values[i.name]}[{start}:{stop}]" if i.shape and i.shape[0] != 1 else namer.values[i.name]
        for i in program.inputs
    ]
    first = len(results[0].entries[0][1])
    blocks = [
        f"{size} = {arrays[0]}.shape[{first}]",
        f"{rows} = {rows_text}",
        f"for {k} in {'prange' if threads else 'range'}(({size} + {rows} - 1) // {rows}):",
        *nested(
            [
                f"{start} = {k} * {rows}",
                f"{stop} = min({start} + {rows}, {size})",
                f"{block}({', '.join([start, stop, *passed, *arrays])})",
            ]
        ),
    ]
    # numba hands an array without axes to a parallel loop as a number: it goes in as an array of one entry.
    numbers = [namer.values[i.name] for i in program.inputs if threads and not i.shape]
    single = {name: namer.fresh(f"{name}_single") for name in numbers}
    body = [f"{name} = {own}.reshape(())" for name, own in single.items()] + body
    inner = [single.get(a, a) for a in arguments]
    functions = [function_text(block, [start, stop, *inner], body)]
    if threads:
        functions.append(parallel_function(sweep, arguments, blocks))
        outer = [f"{a}.reshape(1)" if a in single else a for a in arguments]
        blocks = [f"{sweep}({', '.join(outer)})"]
    main = Function(NAME, tuple(arguments), tuple(blocks))
    return kernel_file(program, [main], helpers, dtype, LOOP_FLAGS, writer.file_arrays(), functions)


def numbers_source(program: Program, results: Sequence[Result], dtype: str) -> str:
    """The text of a kernel file whose function takes Python's floats and returns them.

    A result of several entries is an array that is passed in, after the inputs; the others are returned, in order,
    in a tuple where there are several.
    """
    helpers: set[str] = set()
    namer = Namer(program)
    given = {i.name: namer.fresh(f"{namer.values[i.name]}_given") for i in program.inputs}
    names = [namer.fresh("result" if len(results) == 1 else f"result_{k}") for k in range(len(results))]
    arrays = [n for n, r in zip(names, results, strict=True) if not r.is_number]
    arguments = [*given.values(), *arrays]
    returned = [f"float({n})" for n, r in zip(names, results, strict=True) if r.is_number]
    if unrolled.cost(program, {}) <= unrolled.LIMIT:
        scalars = unrolled.evaluation(program, {}, helpers, namer, given)
        body = [*scalars.loads, *scalars.statements]
        entry = {value: scalars.entry[value, ()] for value in program.output.values()}
        flags: Sequence[str] = UNROLLED_FLAGS
        file_arrays: list[str] = []
    else:
        body = [f"{namer.values[i.name]} = np.full((), F({given[i.name]}))" for i in program.inputs]
        writer = LoopWriter(program, helpers, namer, {}, dtype == "float64")
        body += [*writer.allocations(), *writer.statements()]
        entry = {value: writer.scalar(value) for value in program.output.values()}
        flags, file_arrays = LOOP_FLAGS, writer.file_arrays()
    for name, result in zip(names, results, strict=True):
        for label, at in result.entries:
            text = entry[program.output[label]]
            body.append(f"{name if result.is_number else unrolled.place_in(name, at)} = {text}")
    body.append(f"return {', '.join(returned)}" if returned else "return None")
    main = Function(NAME, tuple(arguments), tuple(body))
    return kernel_file(program, [main], helpers, dtype, flags, file_arrays)


def _unrolled(
    program: Program, results: Sequence[Result], arrays: Sequence[str], helpers: set[str], namer: Namer
) -> list[str]:
    """The statements of a tiny problem."""
    scalars = unrolled.evaluation(program, {}, helpers, namer)
    body = [*scalars.loads, *scalars.statements]
    for result, array in zip(results, arrays, strict=True):
        for label, at in result.entries:
            value = program.output[label]
            for p in unrolled.positions(shape_of(program.type(value).shape, {})):
                body.append(f"{unrolled.place_in(array, (*at, *p))} = {scalars.entry[value, p]}")
    return body


def _loops(
    program: Program,
    results: Sequence[Result],
    arrays: Sequence[str],
    helpers: set[str],
    namer: Namer,
    dtype: str,
    rows: str,
) -> tuple[LoopWriter, list[str]]:
    """The statements as loops; each output is written to its part of a result, of which ``rows`` is a slice."""
    views: dict[str, str] = {}
    targets: dict[str, str] = {}
    numbers: list[tuple[str, str]] = []
    for result, array in zip(results, arrays, strict=True):
        for label, at in result.entries:
            value = program.output[label]
            if not program.type(value).shape:
                numbers.append((unrolled.place_in(array, at), value))
                continue
            index = ", ".join([*map(str, at), *([rows] if rows else [])])
            targets[label] = namer.fresh("_".join([array, *map(str, at), "part"])) if index else array
            if index:
                views[targets[label]] = f"{array}[{index}]"
    writer = LoopWriter(program, helpers, namer, targets, dtype == "float64", contiguous=False)
    body = [*writer.size_statements({}), *writer.allocations()]
    body += [f"{name} = {text}" for name, text in views.items()]
    body += writer.statements()
    return writer, [*body, *(f"{place} = {writer.scalar(value)}" for place, value in numbers)]
