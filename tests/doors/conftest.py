"""Fixtures of the doors: a shop with a till, and a brand's console."""

import pytest

from app.core.db import Database
from app.core.runtime import Runtime
from tests.doors.console import Console, open_console
from tests.doors.shop import Shop, open_shop


@pytest.fixture
def shop(runtime: Runtime, sqlite: Database) -> Shop:
    """A till that is logged in, and a member with an empty card."""
    return open_shop(runtime, sqlite)


@pytest.fixture
def console(runtime: Runtime, sqlite: Database) -> Console:
    """A brand's console; nobody is logged in yet."""
    return open_console(runtime, sqlite)
