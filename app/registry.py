"""The one list of what the slices bring: doors, tables, jobs, set-up sections, invariants."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

from apiflask import APIFlask
from flask import Blueprint
from sqlalchemy.orm import Session

from app.cards import books as cards_books
from app.cards import jobs as cards_jobs
from app.cards import misuse_models as _misuse
from app.cards import models as _cards
from app.cards import serial_books
from app.cards import serial_models as _serial
from app.cards import setup as cards_setup
from app.cards import simulation_models as _simulations
from app.core import checks, limits, sessions
from app.core import jobs as core_jobs
from app.core.tables import Base
from app.delivery import jobs as delivery_jobs
from app.delivery import models as _delivery
from app.doors import api, apple, brand, hooks, member, ops, till
from app.doors.api import document
from app.ledger import books as ledger_books
from app.ledger import models as _ledger
from app.members import books as members_books
from app.members import jobs as members_jobs
from app.members import models as _members
from app.members import setup as members_setup
from app.network import jobs as network_jobs
from app.network import models as _network
from app.network import setup as network_setup
from app.rewards import books as rewards_books
from app.rewards import jobs as rewards_jobs
from app.rewards import models as _rewards
from app.rewards import offer_books, offer_setup
from app.rewards import offer_models as _offers
from app.rewards import setup as rewards_setup
from app.wallet import jobs as wallet_jobs
from app.wallet import models as _wallet
from app.wallet import setup as wallet_setup

TEMPLATES = Path(__file__).parent / "doors" / "templates"
TABLES = (
    core_jobs,
    limits,
    sessions,
    _network,
    _members,
    _ledger,
    _rewards,
    _offers,
    _cards,
    _serial,
    _misuse,
    _simulations,
    _delivery,
    _wallet,
)  # modules that hold tables
# Importing these modules registers their jobs.
JOBS: tuple[ModuleType, ...] = (network_jobs, members_jobs, rewards_jobs, cards_jobs, delivery_jobs, wallet_jobs)
SETUP = (
    network_setup,
    members_setup,
    rewards_setup,
    offer_setup,
    cards_setup,
    wallet_setup,
)  # sections of the brand file, in order
metadata = Base.metadata


def load() -> None:
    """Say that every job is known, so that events may be emitted."""
    core_jobs.mark_loaded()


def doors() -> Sequence[Blueprint]:
    """Return the blueprints in the order in which their addresses are looked at: the brand's own come last."""
    return (
        ops.blueprint,
        api.blueprint,
        apple.blueprint,
        hooks.blueprint,
        till.blueprint,
        brand.blueprint,
        member.public,
        member.entry,
        member.home,
    )


def jobs() -> dict[str, core_jobs.JobKind]:
    """Return every kind of job by name."""
    return core_jobs.kinds()


def describe(app: APIFlask) -> None:
    """Complete the till API's document."""
    document.describe(app)


def invariants() -> list[tuple[str, Callable[[Session], list[str]]]]:
    """Return what `leima check-books` checks in each brand: a name, and a function that lists what breaks it."""
    books = (members_books, ledger_books, rewards_books, offer_books, cards_books, serial_books)
    return [one for module in books for one in module.INVARIANTS] + _references()


@cache
def _references() -> list[tuple[str, Callable[[Session], list[str]]]]:
    return checks.references(Base.metadata)
