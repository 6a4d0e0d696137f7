"""Which known mistake explains a refuted gradient; nothing is said where none does, or more than one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import sympy

from symgrad.ops.dims import shape_of
from symgrad.program import Program, at_sizes
from verify.candidate import run
from verify.drawing import symbols_of, values
from verify.judge import Judge
from verify.mistakes import MISTAKES, Mistake, Observation
from verify.report import Counterexample, Diagnosis
from verify.spec import computed_values
from verify.tolerance import error_bound, evaluate

OBSERVATIONS = 5
SIZES = (5, 3, 7, 4, 6, 11, 13)
LONGEST_LINE = 160


def diagnose(judge: Judge, example: Counterexample, dtype: np.dtype[Any], seed: int) -> Diagnosis | None:
    """The one mistake that explains all of several fresh cases, if there is one."""
    name = example.parameter
    if name is None or example.kind not in ("value", "shape"):
        return None
    seen = list(_observations(judge, name, dtype, seed))
    if len(seen) < OBSERVATIONS:
        return None
    fitting = [m for m in MISTAKES if all(m.explains(o) for o in seen)]
    if len({m.row for m in fitting}) != 1 or len(fitting) != 1:
        return None
    return _described(fitting[0], name, judge.spec.program)


def _described(mistake: Mistake, name: str, program: Program) -> Diagnosis:
    line = inline(program, name)
    text, where = mistake.text.format(p=name), mistake.where.format(p=name)
    return Diagnosis(mistake.row, text, name, where, line)


def _observations(judge: Judge, name: str, dtype: np.dtype[Any], seed: int) -> Iterator[Observation]:
    inputs = judge.spec.inputs
    symbols = symbols_of(inputs)
    for number in range(OBSERVATIONS):
        generator = np.random.default_rng([seed, number, 7])
        wanted = {s: SIZES[(i + number) % len(SIZES)] for i, s in enumerate(symbols)}
        sizes = judge.spec.plan.fit(wanted, inputs)
        spec = judge.spec.at(sizes)
        if spec is None:
            continue
        arrays = {
            i.name: values(generator, shape_of(i.shape, sizes), "ordinary", at_sizes(i.domain, sizes), dtype)
            for i in inputs
        }
        answer = run(judge.candidate, spec, computed_values(spec, {n: a.copy() for n, a in arrays.items()}))
        found = evaluate(spec.program, arrays, sizes, judge.fmt)
        if answer.finding is not None or found is None or not np.all(np.isfinite(found.outputs[name].value)):
            continue
        quiet = {
            n: a if n in spec.wrt or a.ndim == 0 or a.dtype.kind != "f" else np.zeros_like(a)
            for n, a in arrays.items()
        }
        still = evaluate(spec.program, quiet, sizes, judge.fmt)
        decay = still.outputs[name].value if still is not None else np.zeros_like(arrays[name])
        right = {
            n: answer.gradients[n].shape == np.shape(found.outputs[n].value)
            and bool(
                np.all(
                    np.abs(answer.gradients[n] - found.outputs[n].value)
                    <= error_bound(found.outputs[n], judge.fmt)
                )
            )
            for n in spec.wrt
        }
        others = [ok for n, ok in right.items() if n != name]
        yield Observation(
            answer.gradients[name].astype(judge.fmt.reference),
            found.outputs[name].value,
            error_bound(found.outputs[name], judge.fmt),
            arrays[name],
            np.where(np.isfinite(decay), decay, 0),
            sizes,
            _rows(judge, sizes),
            all(others) if others else None,
            sum(d != 1 for d in spec.program.type(name).shape),
        )


def _rows(judge: Judge, sizes: Mapping[str, int]) -> int:
    """The first size of the data: of the first input that is no parameter."""
    for i in judge.spec.inputs:
        if i.name not in judge.spec.wrt and i.shape and i.shape[0] != 1:
            return shape_of(i.shape, sizes)[0]
    return 1


def inline(program: Program, label: str) -> str:
    """The derived gradient as one line of NumPy, in the user's names; a long one is cut into named parts."""
    texts = {i.name: i.name for i in program.inputs}
    parts: list[str] = []
    wanted = program.only(label)
    target = wanted.output[label]
    for b in wanted.bindings:
        text = b.record.numpy([_wrapped(texts[a]) for a in b.args], b.attrs, _size_text)
        named = b.label is not None and b.label == b.name and b.name != target
        if named:
            texts[b.name] = b.name
        elif len(text) > LONGEST_LINE and b.name != target:
            parts.append(f"{b.name} = {text}")
            texts[b.name] = b.name
        else:
            texts[b.name] = text
    return "; ".join([*parts, texts[target]])


def _size_text(size: Any) -> str:
    return str(sympy.sympify(size))


def _wrapped(text: str) -> str:
    """Brackets, where something that is applied to the text would bind stronger than it."""
    atom = re.fullmatch(r"[\w.]+", text) or re.fullmatch(r"[\w.]+\([^()]*\)(\.T)?", text)
    return text if atom else f"({text})"
