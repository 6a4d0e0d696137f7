"""JAX's contenders: ``jit``, ``lax.scan`` and optax, on the CPU with all its threads."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import models
from harness.workload import Call, Data, Values

from contenders.training import BETAS, EPSILON, Training


def _precision(model: models.Model, data: Data) -> Any:
    """Where double precision is switched on if the parameters have it; else nothing that would cost JAX time."""
    import jax

    return jax.enable_x64(True) if data[model.params[0]].dtype == "float64" else nullcontext()


def _loss_of_two(model: models.Model) -> Callable[[Any, Any], Any]:
    """The loss as a function of a dict of parameters and a dict of data."""
    loss = model.loss(models.jax_library())
    return lambda params, data: loss(**params, **data)


def gradient(model: models.Model) -> Callable[[Data], Call]:
    """``jit`` of ``value_and_grad``."""

    def make(data: Data) -> Call:
        import jax
        import jax.numpy as jnp

        with _precision(model, data):
            arrays = {n: jnp.asarray(a) for n, a in data.items()}
        both = jax.jit(jax.value_and_grad(_loss_of_two(model)))
        params = {n: arrays[n] for n in model.params}
        others = {n: arrays[n] for n in model.data}

        def call() -> Values:
            with _precision(model, data):
                loss, gradients = jax.block_until_ready(both(params, others))
            return {"loss": loss, **gradients}

        return call

    return make


def training(t: Training) -> Callable[[Data], Call]:
    """One jitted ``lax.scan`` over the steps, with optax; batches are gathered inside, in bounds."""

    def make(data: Data) -> Call:
        import jax
        import jax.numpy as jnp
        import optax

        both = jax.value_and_grad(_loss_of_two(t.model))
        adam = optax.adam(t.rate, b1=BETAS[0], b2=BETAS[1], eps=EPSILON)
        optimizer = adam if t.rule == "adam" else optax.sgd(t.rate)
        with _precision(t.model, data):
            arrays = {n: jnp.asarray(a) for n, a in data.items()}
        first = {n: arrays[n] for n in t.model.params}
        others = {n: arrays[n] for n in t.model.data}
        order = None
        if t.batch is not None:
            order = jnp.asarray(t.order(len(data[t.model.data[0]])), jnp.int32)

        @jax.jit
        def run(params: Any, others: Any, order: Any) -> Any:
            def step(carry: Any, rows: Any) -> Any:
                params, state = carry
                batch = others
                if rows is not None:
                    batch = {n: a.at[rows].get(mode="promise_in_bounds") for n, a in others.items()}
                loss, gradients = both(params, batch)
                updates, state = optimizer.update(gradients, state, params)
                return (optax.apply_updates(params, updates), state), loss

            carry = params, optimizer.init(params)
            (params, _), losses = jax.lax.scan(step, carry, order, length=t.steps)
            return params, losses

        def call() -> Values:
            with _precision(t.model, data):
                params, losses = jax.block_until_ready(run(first, others, order))
            return {"losses": losses, **params}

        return call

    return make


def hessian(model: models.Model) -> Callable[[Data], Call]:
    """``jit`` of ``jax.hessian``: forward over reverse; in double precision where the data is."""

    def make(data: Data) -> Call:
        import jax
        import jax.numpy as jnp

        name = model.params[0]
        with _precision(model, data):
            arrays = {n: jnp.asarray(a) for n, a in data.items()}
        loss = _loss_of_two(model)
        second = jax.jit(jax.hessian(lambda w, others: loss({name: w}, others)))
        others = {n: arrays[n] for n in model.data}

        def call() -> Values:
            with _precision(model, data):
                return {"hessian": jax.block_until_ready(second(arrays[name], others))}

        return call

    return make
