"""The `leima` command. Exit codes: 0 done, 1 refused or found faulty, 2 wrong usage, 130 interrupted."""

from app.cli.commands import build_parser, main

__all__ = ["build_parser", "main"]
