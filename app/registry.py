"""The one list of what the slices bring: tables, jobs, set-up sections, invariants. Importing it loads them all."""

from app.cards import models as _cards
from app.core import jobs, limits, sessions
from app.core.tables import Base
from app.ledger import models as _ledger
from app.members import models as _members
from app.network import models as _network
from app.rewards import models as _rewards

TABLES = (jobs, limits, sessions, _network, _members, _ledger, _rewards, _cards)  # modules that hold tables
metadata = Base.metadata


def load() -> None:
    """Say that every job is known, so that events may be emitted."""
    jobs.mark_loaded()
