"""The counts by database at the end of a test run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import house
from tests.plugin_counts import count, database_of

PLUGINS = ("-p", "xdist.plugin", "-p", "tests.plugin_counts")  # the others take seconds to load


@pytest.mark.parametrize(
    ("nodeid", "database"),
    [
        ("tests/test_a.py::test_a[sqlite]", "SQLite"),
        ("tests/test_a.py::test_a[postgres-8 threads]", "PostgreSQL"),
        ("tests/test_a.py::test_a[one-postgresql]", "PostgreSQL"),
        ("tests/test_sqlite.py::test_sqlite", None),
        ("tests/test_a.py::test_a[mysqlite]", None),
    ],
    ids="abcde",  # these tests run on no database, whatever they speak of
)
def test_the_parameter_tells_the_database(nodeid: str, database: str | None) -> None:
    assert database_of(nodeid) == database


def test_a_test_that_is_reported_twice_counts_once() -> None:
    assert count(["a[sqlite]", "a[sqlite]", "b[postgres]", "c"]) == {"SQLite": 1, "PostgreSQL": 1, "neither": 1}


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "two workers"])
def test_a_run_prints_the_counts_without_skipped_tests(tmp_path: Path, workers: list[str]) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('database', ['sqlite', 'postgres'])\n"
        "@pytest.mark.parametrize('n', [1, 2])\n"
        "def test_it(database, n):\n"
        "    if (database, n) == ('postgres', 2): pytest.skip('not here')\n"
        "    assert (database, n) != ('sqlite', 2)\n"
        "def test_other(): pass\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    told = subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGINS, *workers, "--rootdir", tmp_path, tmp_path],
        cwd=house.ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    assert "tests run: 2 on SQLite, 1 on PostgreSQL, 1 on neither, 4 in all" in told.stdout, told.stdout + told.stderr
