"""symgrad's own contenders."""

from __future__ import annotations

from collections.abc import Callable

import models
from harness.workload import Call, Data, Values

import symgrad as sg
from contenders.training import Training


def gradient(model: models.Model, dtype: str) -> Callable[[Data], Call]:
    """A compiled derivation."""

    def make(data: Data) -> Call:
        loss = model.loss(models.numpy_library())
        kernel = sg.derive(loss, model.shapes, wrt=list(model.params)).compile(dtype)

        def call() -> Values:
            value, gradients = kernel(data)
            return {"loss": value, **gradients}

        return call

    return make


def training(t: Training) -> Callable[[Data], Call]:
    """``sg.minimize`` from the outside."""

    def make(data: Data) -> Call:
        loss = t.model.loss(models.numpy_library())
        params = {n: data[n] for n in t.model.params}
        others = {n: data[n] for n in t.model.data}
        optimizer = sg.optim.Adam(lr=t.rate) if t.rule == "adam" else sg.optim.SGD(lr=t.rate)

        def call() -> Values:
            run = sg.minimize(loss, params, others, optimizer, t.steps, batch_size=t.batch)
            return {"losses": run.losses, **run.params}

        return call

    return make


def hessian(model: models.Model, dtype: str) -> Callable[[Data], Call]:
    """A compiled Hessian by the only parameter."""

    def make(data: Data) -> Call:
        loss = model.loss(models.numpy_library())
        kernel = sg.derive(loss, model.shapes, wrt=model.params[0]).hessian().compile(dtype)
        return lambda: {"hessian": kernel(data)}

    return make
