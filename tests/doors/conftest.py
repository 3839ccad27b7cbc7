"""Fixtures of the doors: a shop with a till, and a brand's console."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from app.core import clock
from app.core.db import Database
from app.core.runtime import Runtime
from app.network import staff
from tests.doors.console import Console, open_console
from tests.doors.shop import Shop, open_shop
from tests.doors.tillside import TillSide
from tests.walls.world import NOW, World

QUICK = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
NOBODY = QUICK.hash("nobody")


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seal passwords by the same algorithm at less cost; `tests/network/test_staff.py` has the real cost."""
    monkeypatch.setattr(staff, "_hasher", QUICK)
    monkeypatch.setattr(staff, "_nobody", lambda: NOBODY)


@pytest.fixture
def shop(runtime: Runtime, sqlite: Database) -> Shop:
    """A till that is logged in, and a member with an empty card."""
    return open_shop(runtime, sqlite)


@pytest.fixture
def console(runtime: Runtime, sqlite: Database) -> Console:
    """A brand's console; nobody is logged in yet."""
    return open_console(runtime, sqlite)


@pytest.fixture
def till(world: World, quick_path: Path) -> Iterator[TillSide]:
    """A cash register of a world of two brands, on a database of the test's own."""
    till = TillSide(world, quick_path / "leima.db")
    with clock.moved(to=NOW):
        yield till
    till.close()
