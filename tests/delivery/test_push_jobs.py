"""Pushes over the outbox: stamps in a row, phones that are gone or throttled, a push service that is away."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.cards import merge
from app.cards.models import ProgramVersion
from app.core.jobs import kinds
from app.delivery import log
from app.delivery.models import PushSubscription
from app.fakes.phone import SimulatedPhone
from app.fakes.push import FakePush
from app.ledger.accounts import Terms, open_accounts
from app.ledger.models import Account
from app.members import allowing, lookup, scans
from app.members.models import Member
from tests.builders import a_till
from tests.delivery.post import Post, crash_after_sending
from tests.shop import Shop, a_shop
from tests.workbench import LEASE

LONG_AGO = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.usefixtures("phones")
def test_stamp_reaches_every_phone_once(post: Post) -> None:
    post.work()

    assert sorted(arrival.to for arrival in post.store.newest("push")) == ["one", "two"]
    assert post.messages() == [("push", "sent")] * 2


@pytest.mark.usefixtures("phones")
def test_push_is_repeated_after_a_crash_and_replaces_the_first(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    crash_after_sending(post, monkeypatch)

    post.work(seconds=LEASE.total_seconds() + 1)

    assert (post.arrivals("push"), post.messages()) == (4, [("push", "sent")] * 2)
    assert len({arrival.facts["topic"] for arrival in post.store.newest("push")}) == 1


@pytest.mark.usefixtures("phones")
def test_stamps_in_a_row_make_one_push_that_says_what_the_card_holds(post: Post) -> None:
    again(post, 2000)
    post.work()

    assert {arrival.title for arrival in post.store.newest("push")} == {"Coffee: 6/10"}
    assert post.messages() == [("push", "sent")] * 2


def test_stamp_that_comes_while_a_push_waits_reaches_every_phone_and_ends_the_older_message(
    post: Post, phones: list[SimulatedPhone]
) -> None:
    post.push.tell(phones[0], 429, retry_after="120")
    post.work()
    again(post, 2000)

    post.work(seconds=121)

    told = [(arrival.to, arrival.title) for arrival in reversed(post.store.newest("push"))]
    assert sorted(told) == [("one", "Coffee: 6/10"), ("two", "Coffee: 1/10"), ("two", "Coffee: 6/10")]
    assert sorted(post.messages()) == [("push", "sent")] * 3 + [("push", "skipped:superseded")]
    assert post.waits() == []


def test_older_push_leaves_the_newer_one_and_other_cards_alone(post: Post) -> None:
    with post.unit() as session:
        member = a_shop(session, program=False).member
        for number, card in ((1, "9:1"), (2, "9:1"), (3, "9:1"), (1, "9:2"), (1, "19:1")):
            dedupe = f"stamp:{card}:{number}:5"
            row = log.begin(session, channel="push", kind="stamp", dedupe=dedupe, member_id=member.id)
            assert row is not None
        log.supersede(session, member_id=member.id, about="stamp:9:1", number=2)

    assert [state for _channel, state in post.messages()] == ["skipped:superseded"] + ["sending"] * 4


@pytest.mark.usefixtures("phones")
@pytest.mark.parametrize(
    ("terms", "job", "says"),
    [
        (Terms(expires_at=LONG_AGO), "cards.expire", "Something on this card has expired."),
        (Terms(release_at=LONG_AGO), "cards.release", "What you have earned can be used now."),
    ],
)
def test_phone_is_told_of_what_fell_due_and_not_of_a_purchase(post: Post, terms: Terms, job: str, says: str) -> None:
    post.work()
    with post.unit() as session:
        account = session.scalars(select(Account)).one()
        version_id = session.scalars(select(ProgramVersion.id)).one()
        context = {"occurred_at": LONG_AGO, "version_id": version_id}
        opened = open_accounts(session, member_id=account.member_id, program_ids=[], context=context)
        opened[account.program_id].add("earn", 3, terms)
    with post.database.unit() as session:
        kinds()[job].run(session)

    post.work()

    told = [arrival for arrival in post.store.newest("push") if arrival.text.startswith(says)]
    assert {arrival.to for arrival in told} == {"one", "two"}
    assert {arrival.title for arrival in told} == {"Coffee"}


def again(post: Post, cents: int) -> None:
    """Book another purchase of the member that the phones belong to."""
    with post.unit() as session:
        first = session.scalars(select(Member).order_by(Member.id)).first()
        assert first is not None
        a_shop(session, program=False).buy(cents, member=first)


def test_phone_that_is_gone_is_forgotten_and_the_other_one_is_not(post: Post, phones: list[SimulatedPhone]) -> None:
    post.push.unsubscribe(phones[0])

    post.work()

    with post.database.reading(post.brand_id) as session:
        left = session.scalars(select(PushSubscription)).all()
        assert [post.database.keys.text(row.endpoint) for row in left] == [phones[1].endpoint]
    assert sorted(post.messages()) == [("push", "failed"), ("push", "sent")]


def test_only_the_throttled_phone_is_pushed_to_again(post: Post, phones: list[SimulatedPhone]) -> None:
    post.push.tell(phones[0], 429, retry_after="120")
    post.work()
    (wait,) = post.waits()
    assert (110 < wait <= 120, post.arrivals("push")) == (True, 1)

    post.work(seconds=121)

    assert sorted(arrival.to for arrival in post.store.newest("push")) == ["one", "two"]
    assert post.messages() == [("push", "sent")] * 2


@pytest.mark.usefixtures("phones")
def test_push_service_that_is_away_for_an_hour_gets_the_push_afterwards(post: Post) -> None:
    post.push.stop()
    for minute in range(0, 60, 3):
        post.work(minutes=minute)
    assert post.messages() == [("push", "retry")] * 2
    (wait,) = post.waits()
    assert wait < timedelta(minutes=70).total_seconds()

    post.runtime.shared.pop("outbound").close()
    for name in ("push", "push_sender"):
        post.runtime.shared.pop(name)
    with FakePush(post.store) as back:
        back._subscribers.update(post.push._subscribers)
        mapping = {**post.sms.mapping, **back.mapping}
        post.runtime.settings = post.runtime.settings.model_copy(update={"outbound_map": mapping})
        post.work(minutes=66)

    assert (post.arrivals("push"), post.messages()) == (2, [("push", "sent")] * 2)


def test_push_that_nobody_takes_for_a_day_expires(post: Post, phones: list[SimulatedPhone]) -> None:
    for phone in phones:
        post.push.tell(phone, 500, times=1_000)
    post.work()

    post.work(hours=25)
    post.work(hours=26)

    assert (post.arrivals("push"), post.messages(), post.waits()) == (0, [("push", "expired")] * 2, [])


def test_phone_is_told_of_a_question_while_it_stands(post: Post, phones: list[SimulatedPhone]) -> None:
    post.work()
    post.store.clear()
    with post.unit() as session:
        member = session.scalars(select(Member).order_by(Member.id)).first()
        assert member is not None
        for _till in range(2):
            scan = scans.read(session, lookup.codes_of(session, member.id).code, till=a_till(session))
            asked = allowing.ask(session, scan)
        allowing.answer(session, member, asked.public_id, allow=True)

    post.work()

    told = post.store.newest("push")
    assert sorted(arrival.to for arrival in told) == ["one", "two"]
    assert {arrival.title.split(" ", 2)[2] for arrival in told} == {"asks to use your coupons or bonus"}
    assert {int(arrival.facts["ttl"]) <= 300 for arrival in told} == {True}


def test_merge_tells_the_phone_of_the_member_that_stays_once(post: Post, phones: list[SimulatedPhone]) -> None:
    post.work()
    post.store.clear()
    with post.unit() as session:
        kept = session.scalars(select(Member).order_by(Member.id)).first()
        assert kept is not None
        other: Shop = a_shop(session, program=False)
        other.buy(400)
        merge.absorb(session, other.member, into=kept)

    post.work()
    post.work(minutes=1)

    assert sorted(arrival.to for arrival in post.store.newest("push")) == ["one", "two"]
