"""Broken twins of the services, each of which the lives of `test_life` catch."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import Phase
from hypothesis.stateful import RULE_MARKER
from sqlalchemy.exc import PendingRollbackError
from sqlalchemy.orm import Session

from app.cards import serial_credit, undoing
from app.core.db import Database
from app.rewards import service as rewards
from tests.cards.test_life import Life, WholeLife, live

TWINS, SEED = 200, 4  # lives that a broken twin has to be caught in; the seed that catches them soonest of a few


def keep_cards_full(patch: pytest.MonkeyPatch) -> None:
    """Leave full cards full when their stamps are taken back."""
    patch.setattr(undoing, "undo_fills", lambda *_of: 0)


def keep_half(patch: pytest.MonkeyPatch) -> None:
    """Commit what a unit had done before it failed."""

    @contextmanager
    def unit(database: Database, brand_id: int | None = None) -> Iterator[Session]:
        with database._session(database.engine, brand_id) as session:
            try:
                yield session
            finally:
                with suppress(PendingRollbackError):  # a flush that fails rolls back by itself
                    session.commit()

    patch.setattr(Database, "unit", unit)


def keep_gift_cards_used(patch: pytest.MonkeyPatch) -> None:
    """Return nothing to gift cards when what they paid for comes back."""
    patch.setattr(rewards, "give_back_to_gift_cards", lambda *_of, **_more: 0)


def credit_twice(patch: pytest.MonkeyPatch) -> None:
    """Give the credit for a serial card's speed two times."""
    give = serial_credit.give

    def twice(*of: Any, **more: Any) -> None:
        give(*of, **more)
        give(*of, **more)

    patch.setattr(serial_credit, "give", twice)


def only(*steps: str) -> type[Life]:
    """Return lives of a few steps: they soon stumble over what is wrong with these."""
    every = {name for name, step in inspect.getmembers(WholeLife) if hasattr(step, RULE_MARKER)}
    return type("FewSteps", (WholeLife,), dict.fromkeys(every - set(steps)))


TWIN = {
    keep_cards_full: only("buy", "refund"), keep_half: Life,
    keep_gift_cards_used: only("give_gift_card", "pay_with_gift_card", "refund"),
    credit_twice: only("sell_serial_card", "use_serial_card"),
}  # fmt: skip


@pytest.mark.parametrize("twin", TWIN, ids=lambda twin: twin.__name__)
def test_broken_twin_is_caught(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch, twin: Callable[[pytest.MonkeyPatch], None]
) -> None:
    twin(monkeypatch)

    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        live(sqlite, TWINS, kind=TWIN[twin], phases=(Phase.generate,), begins=SEED)
