"""``python -m symgrad.cli``."""

from symgrad.cli.main import main

main()
