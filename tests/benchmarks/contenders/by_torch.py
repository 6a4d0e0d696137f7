"""PyTorch's contenders, on all cores: eager as its tutorials write it, and ``torch.compile``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import models
from harness.workload import Call, Data, Values

from contenders.training import BETAS, EPSILON, Training

COMPILERS = ("g++", "clang++", "c++")
"""One of them is what ``torch.compile`` needs."""


def _tensors(data: Data) -> dict[str, Any]:
    import torch

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    return {n: torch.from_numpy(a) for n, a in data.items()}


def gradient(model: models.Model, compiled: bool = False) -> Callable[[Data], Call]:
    """The loss and ``torch.autograd.grad``; compiled, forward and backward are fused."""

    def make(data: Data) -> Call:
        import torch

        arrays = _tensors(data)
        loss = model.loss(models.torch_library())
        if compiled:
            loss = torch.compile(loss, fullgraph=True, dynamic=False)
        params = {n: arrays[n].requires_grad_() for n in model.params}

        def call() -> Values:
            value = loss(**arrays)
            found = torch.autograd.grad(value, list(params.values()))
            return {"loss": value.detach(), **dict(zip(params, found, strict=True))}

        return call

    return make


def training(t: Training) -> Callable[[Data], Call]:
    """The usual loop with ``torch.optim``; its fused Adam is the fastest that it has."""

    def make(data: Data) -> Call:
        import torch

        arrays = _tensors(data)
        loss = t.model.loss(models.torch_library())
        others = {n: arrays[n] for n in t.model.data}
        order = None if t.batch is None else torch.from_numpy(t.order(len(data[t.model.data[0]])))

        def call() -> Values:
            params = {n: arrays[n].clone().requires_grad_() for n in t.model.params}
            optimizer: torch.optim.Optimizer
            if t.rule == "adam":
                optimizer = torch.optim.Adam(params.values(), t.rate, BETAS, EPSILON, fused=True)
            else:
                optimizer = torch.optim.SGD(params.values(), t.rate, fused=True)
            losses = torch.empty(t.steps, dtype=arrays[t.model.params[0]].dtype)
            for step in range(t.steps):
                batch = others
                if order is not None:
                    batch = {n: a.index_select(0, order[step]) for n, a in others.items()}
                value = loss(**batch, **params)
                losses[step] = value.detach()
                optimizer.zero_grad()
                value.backward()
                optimizer.step()
            return {"losses": losses, **{n: p.detach() for n, p in params.items()}}

        return call

    return make


def compiled_training(t: Training) -> Callable[[Data], Call]:
    """One compiled function for gather, loss, gradient and update, which changes the parameters in place.

    What it changes has at least one axis: changes of float64 scalars are lost.
    """

    def make(data: Data) -> Call:
        import torch

        arrays = _tensors(data)
        loss = t.model.loss(models.torch_library())
        others = {n: arrays[n] for n in t.model.data}
        order = None if t.batch is None else torch.from_numpy(t.order(len(data[t.model.data[0]])))
        both = torch.func.grad_and_value(lambda params, batch: loss(**params, **batch))
        first, second = BETAS

        @torch.compile(fullgraph=True, dynamic=False)
        def advance(params: Any, m: Any, v: Any, count: Any, losses: Any, rows: Any) -> None:
            batch = others if rows is None else {n: a[rows] for n, a in others.items()}
            gradients, value = both(params, batch)
            losses.copy_(value)
            count += 1
            for n, g in gradients.items():
                if t.rule == "adam":
                    m[n].mul_(first).add_(g, alpha=1 - first)
                    v[n].mul_(second).addcmul_(g, g, value=1 - second)
                    root = (v[n] / (1 - second**count)).sqrt() + EPSILON
                    g = m[n] / (1 - first**count) / root
                params[n].sub_(g, alpha=t.rate)

        @torch.no_grad()
        def call() -> Values:
            params = {n: arrays[n].clone() for n in t.model.params}
            m = {n: torch.zeros_like(p) for n, p in params.items()} if t.rule == "adam" else {}
            v = {n: torch.zeros_like(p) for n, p in params.items()} if t.rule == "adam" else {}
            kind = arrays[t.model.params[0]].dtype
            count, losses = torch.zeros(1, dtype=kind), torch.empty(t.steps, dtype=kind)
            for step in range(t.steps):
                rows = None if order is None else order[step]
                advance(params, m, v, count, losses[step : step + 1], rows)
            return {"losses": losses, **params}

        return call

    return make


def hessian(model: models.Model, how: str) -> Callable[[Data], Call]:
    """A Hessian by the only parameter.

    Args:
        model: the loss.
        how: ``func`` for ``torch.func.hessian``, ``compiled`` for the same compiled, ``vectorized`` for
            ``torch.autograd.functional.hessian`` with all rows at once.
    """

    def make(data: Data) -> Call:
        import torch

        arrays = _tensors(data)
        loss = model.loss(models.torch_library())
        name = model.params[0]
        others = {n: arrays[n] for n in model.data}

        def of_parameter(w: Any) -> Any:
            return loss(**others, **{name: w})

        if how == "vectorized":
            w = arrays[name]
            second = torch.autograd.functional.hessian
            return lambda: {"hessian": second(of_parameter, w, vectorize=True)}
        made = torch.func.hessian(of_parameter)
        made = torch.compile(made, dynamic=False) if how == "compiled" else made
        return lambda: {"hessian": made(arrays[name])}

    return make
