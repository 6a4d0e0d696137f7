"""Bindings that no output needs are left out."""

from __future__ import annotations

from symgrad.compile.passes.record import Pass, alive

DROP = Pass("drop", "What no output needs is not computed; no value changes.", alive)
