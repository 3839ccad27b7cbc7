"""Who a member was before a merge is asked once for each statement, also where PostgreSQL has counted no table yet."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.cards import limit_statements
from app.core import clock
from app.core.db import Database
from app.core.sql import Sql
from tests.builders import a_brand, a_member
from tests.cards.strict import NOON
from tests.conftest import KEYS
from tests.shop import Shop, a_shop


@pytest.fixture
def day(postgres_test_url: str) -> Iterator[Shop]:
    """A brand's first day: the sales are in tables that nobody has counted."""
    database = Database(postgres_test_url, KEYS)
    with clock.moved(to=NOON), database.unit(a_brand(database, limits={})) as session:
        shop = a_shop(session)
        for _ in range(20):
            shop.buy(1200, member=a_member(session))
        yield shop
    database.close()


def _said(session: Session, sell: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Return what a sale says of those who became a member."""
    said: list[tuple[str, Mapping[str, Any]]] = []

    def hear(_connection: Any, _cursor: Any, words: str, values: Mapping[str, Any], *_: Any) -> None:
        if "merged_into_id =" in words:
            said.append((words, values))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", hear)
    sell()
    event.remove(connection, "before_cursor_execute", hear)
    return said


def _times(session: Session, words: str, values: Mapping[str, Any]) -> list[int]:
    """Run a statement, and return how often each place of its plan looked into the members."""
    answer = session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {words}", dict(values)).scalar_one()
    plan = json.loads(answer) if isinstance(answer, str) else answer
    found, left = [], [plan[0]["Plan"]]
    while left:
        node = left.pop()
        left += node.get("Plans", [])
        if node.get("Relation Name") == "member":
            found.append(node["Actual Loops"])
    return found


def test_a_sale_asks_once_who_became_the_member(day: Shop) -> None:
    said = _said(day.session, lambda: day.buy(1200))

    assert said
    for words, values in said:
        assert _times(day.session, words, values) == [1], words


def test_asked_within_a_join_it_is_asked_for_each_purchase_of_the_day(
    day: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limit_statements, "AROUND", Sql(limit_statements.AROUND.words))

    ((words, values),) = _said(day.session, lambda: day.buy(1200))
    assert max(_times(day.session, words, values)) > 1
