"""Reads a training script: which function is the gradient, which the loss, what they are given, in which shapes.

The script part does not run.  How the files play together, in the order in which `reader` uses them:

- `source` loads and parses the file;
- `definitions` runs imports, functions, classes and literal constants (`constants`, `statements`) in a fresh
  namespace and sets the script part aside;
- `flow` follows the script part, statement by statement (`expressions`, `signatures`), as a graph of `values`, and
  notes the `updates` of parameters;
- `roles` tells gradient and parameters from that graph, `losses` the loss; `refusals` says why where they cannot;
- `binding` gives their arguments common names: `inputs` finds which array is which, and the intermediate values
  (`lift` makes functions of expressions);
- `shapes` and `rules` tell the sizes of the arrays, and which are one (`dims`, `kinds`); `symbols` names them;
- `needs` checks that the functions find what they read;
- `reading` is the result.

To read more: an operation's shape goes into `rules`, another form of update into `updates`, another way to keep
parameters (attributes, dicts) into `flow.store`, which decides what an update is noted for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from verify.scripts.reader import read
from verify.scripts.reading import Fact, Reading, Step

__all__ = ["Fact", "Reading", "Step", "read_script"]


def read_script(
    path: str | Path,
    *,
    gradient: str | None = None,
    loss: str | None = None,
    shapes: Mapping[str, object] | None = None,
    wrt: Sequence[str] | None = None,
) -> Reading:
    """What a script says about its gradient; its script part does not run.

    Args:
        path: the file.
        gradient: the gradient's function, where the script does not tell (`FILE.py::gradient`).
        loss: the loss's function, where the script does not tell (`--of`).
        shapes: shapes of inputs, as tuples or texts such as "n d", where the script does not tell (`--shapes`).
        wrt: the parameters, in the order of the gradient's results, where the script does not tell (`--wrt`).

    Raises:
        ParseError: when the file or something in it cannot be read; the message names the option that says it.
        SpecError: when an option names what the file does not have.
    """
    return read(Path(path), gradient, loss, shapes, [wrt] if isinstance(wrt, str) else wrt)
