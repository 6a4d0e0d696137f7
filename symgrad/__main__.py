"""``python -m symgrad`` is the command line."""

from symgrad.cli.main import main

main()
