"""Versions: drafts, publishing now or at a set time, withdrawing, and what is never changed in place."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.cards import gone, rules, versions
from app.cards.models import Program, ProgramVersion
from app.cards.versions import (
    BeginInvalid,
    Content,
    ContentInvalid,
    VersionBegun,
    VersionConflict,
    VersionUnknown,
)
from app.core import clock
from app.core.db import Database
from app.network.models import Staff
from app.rewards.models import Reward
from tests.builders import a_brand
from tests.shop import START, Shop, a_reward, a_shop, faults


@dataclass
class Desk:
    """A shop with a stamp card whose version 1 has earned, and two people of the brand."""

    shop: Shop
    program: Program
    kaisa: Staff
    otto: Staff

    def content(self, cents: int = 200, size: int = 10) -> Content:
        reward = self.shop.session.scalars(select(Reward)).first()
        assert reward is not None
        return Content(rules.parse("stamp_card", {"per": "euros", "cents": cents}), size, reward.id)

    def publish(self, content: Content, based_on: int = 1, **fields: object) -> ProgramVersion:
        values = {"staff": self.kaisa, **fields}
        return versions.publish(self.shop.session, self.program, based_on=based_on, content=content, **values)  # type: ignore[arg-type]

    def numbers(self) -> list[int]:
        return [row.number for row in versions.versions(self.shop.session, self.program)]


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    """On each database; the books are checked in the end."""
    with database.unit(a_brand(database)) as session:
        shop = a_shop(session)
        shop.buy(800)
        people = [
            Staff(email=f"{name}@meri.example", name=name.title(), role="marketing") for name in ("kaisa", "otto")
        ]
        session.add_all(people)
        session.flush()
        yield Desk(shop, session.scalars(select(Program)).one(), *people)
        assert faults(session) == []


def test_published_version_earns_from_then_on_and_says_by_whom(desk: Desk) -> None:
    session, content = desk.shop.session, desk.content()
    versions.save_draft(session, desk.program, content, staff=desk.otto)
    assert desk.shop.buy(800).awards[0].amount == 2  # nobody earns by a draft

    row = desk.publish(content)

    assert (row.number, row.created_by) == (2, desk.kaisa.public_id)
    assert row.created_at is not None
    assert row.valid_from <= row.created_at
    assert versions.draft(session, desk.program) is None
    assert desk.shop.buy(800).awards[0].amount == 4
    old = versions.version(session, desk.program, 1)
    assert (old.rule, old.valid_from, old.created_by) == ({"per": "euros", "cents": 400, "award": 1}, START, None)


def test_planned_version_begins_at_its_moment(desk: Desk) -> None:
    content, begins = desk.content(), clock.now() + timedelta(days=3)
    versions.save_draft(desk.shop.session, desk.program, content, staff=desk.kaisa)

    desk.publish(content, at=begins)

    assert desk.shop.buy(800).awards[0].amount == 2
    with clock.moved(by=timedelta(days=3, seconds=1)):
        assert desk.shop.buy(800).awards[0].amount == 4


def test_planned_version_can_be_changed_moved_and_withdrawn(desk: Desk) -> None:
    session, begins = desk.shop.session, clock.now() + timedelta(days=3)
    versions.save_draft(session, desk.program, desk.content(), staff=desk.kaisa)
    desk.publish(desk.content(), at=begins)

    row = versions.change_planned(
        session, desk.program, 2, content=desk.content(100), at=begins + timedelta(days=1), staff=desk.otto
    )
    assert (row.rule, row.created_by) == (desk.content(100).columns["rule"], desk.otto.public_id)
    assert row.valid_from == begins + timedelta(days=1)

    versions.withdraw(session, desk.program, 2, staff=desk.otto)

    saved = versions.draft(session, desk.program)
    assert desk.numbers() == [1]
    assert saved is not None
    assert versions.says("stamp_card", saved, desk.content(100))  # to go on from
    with pytest.raises(VersionUnknown):
        versions.withdraw(session, desk.program, 2, staff=desk.otto)


def test_version_that_has_begun_or_earned_stays(desk: Desk) -> None:
    session = desk.shop.session
    for change in ("withdraw", "change_planned"):
        with pytest.raises(VersionBegun):
            getattr(versions, change)(session, desk.program, 1, staff=desk.kaisa)
    versions.save_draft(session, desk.program, desk.content(), staff=desk.kaisa)
    desk.publish(desk.content(), at=clock.now() + timedelta(minutes=2))
    with clock.moved(by=timedelta(minutes=3)):
        desk.shop.buy(800)
    with pytest.raises(VersionBegun):  # a till whose clock runs ahead has earned by it
        versions.withdraw(session, desk.program, 2, staff=desk.kaisa)


def test_second_click_publishes_nothing_and_another_person_is_told(desk: Desk) -> None:
    session, content = desk.shop.session, desk.content()
    versions.save_draft(session, desk.program, content, staff=desk.kaisa)
    first = desk.publish(content)

    assert desk.publish(content) is first
    with pytest.raises(VersionConflict) as told:
        desk.publish(content, staff=desk.otto)
    assert (told.value.code, told.value.extra, desk.numbers()) == ("version_conflict", {"number": 2}, [2, 1])


def test_what_was_not_seen_is_not_published(desk: Desk) -> None:
    session = desk.shop.session
    with pytest.raises(VersionUnknown):
        desk.publish(desk.content())
    versions.save_draft(session, desk.program, desk.content(), staff=desk.kaisa)
    versions.save_draft(session, desk.program, desk.content(100), staff=desk.otto)  # the last one to save wins

    with pytest.raises(VersionConflict):
        desk.publish(desk.content())
    assert desk.publish(desk.content(100)).number == 2


@pytest.mark.parametrize("days", [-1, 733])
def test_begin_lies_ahead_within_two_years(desk: Desk, days: int) -> None:
    versions.save_draft(desk.shop.session, desk.program, desk.content(), staff=desk.kaisa)

    with pytest.raises(BeginInvalid):
        desk.publish(desk.content(), at=clock.now() + timedelta(days=days))


def test_content_fits_its_program_and_names_rewards_that_are_there(desk: Desk) -> None:
    session = desk.shop.session
    fine = desk.content()
    gone = rules.parse("stamp_card", {"rules": [{"name": "x", "then": [{"do": "issue", "reward": "gone"}]}]})
    for content, field in (
        (Content(fine.plan, None, None), "size"),
        (Content(fine.plan, 101, fine.reward_id), "size"),
        (Content(fine.plan, 10, None), "reward"),
        (Content(gone, 10, fine.reward_id), "rule"),
    ):
        with pytest.raises(ContentInvalid) as told:
            versions.check(session, "stamp_card", content)
        assert told.value.extra["field"] == field
    points = rules.parse("points", {"rules": [{"name": "x", "then": [{"do": "award", "n": 1}]}]})
    with pytest.raises(ContentInvalid):
        versions.check(session, "points", Content(points, 10, fine.reward_id))
    a_reward(session, "gone")
    versions.check(session, "stamp_card", Content(gone, 10, fine.reward_id))


def test_draft_is_saved_over_and_thrown_away(desk: Desk) -> None:
    session = desk.shop.session
    first = versions.save_draft(session, desk.program, desk.content(), staff=desk.kaisa)
    second = versions.save_draft(session, desk.program, desk.content(100), staff=desk.otto)

    assert (second is first, second.saved_by) == (True, desk.otto.public_id)
    versions.discard_draft(session, desk.program, staff=desk.otto)
    versions.discard_draft(session, desk.program, staff=desk.otto)
    assert versions.draft(session, desk.program) is None


def test_what_is_withdrawn_or_thrown_away_says_by_whom_and_what_it_said(desk: Desk) -> None:
    session = desk.shop.session
    versions.save_draft(session, desk.program, desk.content(), staff=desk.kaisa)
    begins = clock.now() + timedelta(days=3)
    desk.publish(desk.content(), at=begins)
    versions.withdraw(session, desk.program, 2, staff=desk.otto)
    for _click in range(2):
        versions.discard_draft(session, desk.program, staff=desk.kaisa)

    draft, version = gone.recent(session, desk.program, 9)

    said = desk.content()
    for row in (draft, version):
        assert (row.size, row.reward_id, rules.parse("stamp_card", row.rule)) == (10, said.reward_id, said.plan)
    assert (version.number, version.valid_from, version.by) == (2, begins, desk.otto.public_id)
    assert (version.made_by, draft.made_by) == (desk.kaisa.public_id, desk.otto.public_id)  # withdrawn: otto's draft
    assert (draft.number, draft.valid_from, draft.by) == (None, None, desk.kaisa.public_id)


def test_refused_withdrawal_leaves_no_row(desk: Desk) -> None:
    with pytest.raises(VersionBegun):
        versions.withdraw(desk.shop.session, desk.program, 1, staff=desk.otto)

    assert gone.recent(desk.shop.session, desk.program, 9) == []


def test_published_draft_is_not_gone(desk: Desk) -> None:
    versions.save_draft(desk.shop.session, desk.program, desk.content(), staff=desk.kaisa)
    desk.publish(desk.content())

    assert gone.recent(desk.shop.session, desk.program, 9) == []
