"""The server is killed with SIGKILL while five clients stamp and retry with their keys: nothing is lost or doubled."""

from pathlib import Path

import pytest

from app.core.db import Database
from tests.conftest import KEYS
from tests.kill.harness import Report, a_place, run
from tests.members.races import FULL


@pytest.fixture
def killed(request: pytest.FixtureRequest, tmp_path: Path) -> Report:
    """Run the harness on a database of its own; the parameter says which one, what, how often."""
    url, kind, kills = request.param
    address = request.getfixturevalue(url)
    database = Database(address, KEYS)
    try:
        return run(a_place(database), address, tmp_path, kind=kind, kills=kills, until_refused=kind != "whole")
    finally:
        database.close()


@pytest.mark.parametrize(
    "killed",
    [("sqlite_url_on_disk", "whole", 200 if FULL else 20), ("postgres_test_url", "whole", 30 if FULL else 3)],
    indirect=True,
    ids=["sqlite", "postgres"],
)
def test_nothing_is_lost_or_doubled_when_the_server_is_killed(killed: Report) -> None:
    assert (killed.refused, killed.wrong) == ([], [])
    assert killed.acknowledged > 0


@pytest.mark.parametrize(
    "killed",
    [("sqlite_url_on_disk", "off", 60), ("sqlite_url_on_disk", "apart", 60)],
    indirect=True,
    ids=["off", "apart"],
)
def test_twin_that_forgets_answers_is_caught(killed: Report) -> None:
    assert killed.refused or killed.wrong
