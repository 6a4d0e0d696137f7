"""The command line: ``symgrad demo | derive | train | verify | cache | info``.

The outermost layer.  Each command is one file with a function ``command``, loaded when it is called;
``load`` finds what ``FILE.py::name`` means, ``output`` writes what the stream can encode.

Exit status: 0 held or done, 1 a gradient was refuted, 2 the request could not be carried out.
"""

from symgrad.cli.main import main

__all__ = ["main"]
