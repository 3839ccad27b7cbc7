"""Fixtures of the reports."""

import pytest

from app.core.db import Database
from tests.reports.history import brand_with_card


@pytest.fixture
def brand_id(database: Database) -> int:
    """A brand whose coffee card has ten places, a stamp for each full 4 euros."""
    return brand_with_card(database, "meri")
