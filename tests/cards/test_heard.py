"""A version with a rule that nothing would ever make count is refused, by the console and in a brand file."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app import registry
from app.cards import heard, rules, versions
from app.cards.events import MessageAsked
from app.cards.versions import Content, RuleUnheard
from app.core import jobs
from app.core.db import Database
from app.core.setup import apply_file
from app.core.toml import FaultList
from tests.cards.test_triggers import beside
from tests.test_apply_programs import write

MESSAGE = {"do": "message", "key": "hello"}
WHY: list[tuple[str, dict[str, Any], str]] = [
    ("points", beside("survey_answered"), "trigger_unheard"),
    ("points", beside("join", MESSAGE), "message_unheard"),
    ("points", beside("schedule"), "schedule_missing"),
    ("points", beside("threshold_reached"), "threshold_missing"),
    ("bonus", beside("threshold_reached", at=5), "threshold_unheard"),
    ("standing", beside("threshold_reached", {"do": "set_tier", "tier": "silver"}, at=5), "threshold_unheard"),
    ("points", beside("birthday_month"), ""),
    ("points", beside("schedule", schedule={"day": "2026-12-06"}), ""),
    ("points", beside("threshold_reached", at=5), ""),
]


@pytest.mark.parametrize(("kind", "rule", "why"), WHY)
def test_rule_that_nothing_makes_count_is_refused(session: Session, kind: str, rule: dict[str, Any], why: str) -> None:
    rest = {"tiers": [{"slug": "silver", "from_cents": 1}]} if kind == "standing" else {}
    content = Content(rules.parse(kind, {"rules": [rule], **rest}))

    if not why:
        return versions.check(session, kind, content)
    with pytest.raises(RuleUnheard) as told:
        versions.check(session, kind, content)
    assert (told.value.extra["rule"], told.value.extra["why"]) == ("gift", why)
    assert "gift" in told.value.message


def test_rule_counts_once_a_slice_reports_its_trigger_and_a_job_sends_messages(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = Content(rules.parse("points", {"rules": [beside("survey_answered", MESSAGE)]}))
    monkeypatch.setattr(heard, "_reported", set(heard._reported))
    monkeypatch.setitem(jobs._listeners, MessageAsked, ["cards.expire"])

    heard.reports("survey_answered")

    versions.check(session, "points", content)


def test_brand_file_with_a_rule_that_nothing_reports_is_refused(database: Database, tmp_path: Path) -> None:
    registry.load()
    rule = 'rules = [{ name = "gift", on = "referral_qualified", then = [{ do = "award", n = 5 }] }]'

    with pytest.raises(FaultList) as told:
        apply_file(database, write(tmp_path, "points", rule=rule), registry.SETUP)

    assert "rule gift: nothing reports referral_qualified yet (trigger_unheard)" in str(told.value)
