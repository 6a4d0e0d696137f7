"""Puts this folder on the path, so that tests of one folder may use the tables of another.

A test with very many cases runs on an evenly spaced sample of them; the others are counted as deselected.
``SYMGRAD_DEEP=1`` runs all.
"""

from __future__ import annotations

import os
from collections import defaultdict

MOST = 24
"""Cases of one test function."""


def pytest_collection_modifyitems(config, items):
    if os.environ.get("SYMGRAD_DEEP") == "1":
        return
    groups = defaultdict(list)
    for item in items:
        groups[item.path, getattr(item, "originalname", item.name)].append(item)
    dropped = set()
    for cases in groups.values():
        if len(cases) > MOST:
            kept = {round(i * (len(cases) - 1) / (MOST - 1)) for i in range(MOST)}
            dropped |= {id(item) for i, item in enumerate(cases) if i not in kept}
    if dropped:
        config.hook.pytest_deselected(items=[i for i in items if id(i) in dropped])
        items[:] = [i for i in items if id(i) not in dropped]
