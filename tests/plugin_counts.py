"""Says at the end of a test run how many tests ran on each database.

A test runs on a database when its parameter id contains `sqlite` or `postgres`. Skipped tests do not count.
Under xdist the reports of all workers arrive at the controller, which is where this prints.
"""

import re
from collections.abc import Iterable

import pytest

_PARAMETER = re.compile(r"\[(?P<id>.*)\]$", re.DOTALL)
DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


def database_of(nodeid: str) -> str | None:
    """Return the name of the database that a test's parameter id speaks of."""
    match = _PARAMETER.search(nodeid)
    parts = re.split(r"[-_]", match["id"]) if match else []
    return next((name for key, name in DATABASES.items() if any(part.startswith(key) for part in parts)), None)


def count(nodeids: Iterable[str]) -> dict[str, int]:
    """Count tests by database; those that use none are under `neither`."""
    counts = dict.fromkeys((*DATABASES.values(), "neither"), 0)
    for nodeid in set(nodeids):
        counts[database_of(nodeid) or "neither"] += 1
    return counts


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line: how many tests ran on SQLite, on PostgreSQL and on neither."""
    ran = [
        report.nodeid
        for outcome in ("passed", "failed", "xfailed", "xpassed")
        for report in terminalreporter.stats.get(outcome, [])
        if getattr(report, "when", None) == "call"
    ]
    counts = count(ran)
    terminalreporter.section("databases")
    terminalreporter.write_line(
        f"tests run: {counts['SQLite']} on SQLite, {counts['PostgreSQL']} on PostgreSQL, "
        f"{counts['neither']} on neither, {len(set(ran))} in all"
    )
