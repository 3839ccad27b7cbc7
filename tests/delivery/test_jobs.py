"""Messages over the outbox, against the strict fakes: throttled, crashed, gone, and never an email twice."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.cards import merge
from app.core import clock
from app.core.db import Database
from app.core.jobs import Job
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.delivery import jobs, outgoing, subscriptions
from app.delivery.channel import PushKeys
from app.delivery.models import Message, PushSubscription
from app.fakes.mail import FakeMail
from app.fakes.phone import SimulatedPhone
from app.fakes.push import FakePush
from app.fakes.sms import FakeSms
from app.fakes.store import OutboxStore
from app.members.models import Member
from app.worker import Worker
from tests.builders import a_brand, a_newcomer
from tests.shop import Shop, a_shop
from tests.workbench import LEASE

MAIL, NUMBER = "aino@example.com", "+358401234567"


class Crash(BaseException):
    """The process ends here."""


@dataclass
class Post:
    """A brand whose mail, SMS and pushes go to the fakes."""

    database: Database
    brand_id: int
    runtime: Runtime
    store: OutboxStore
    mail: FakeMail
    sms: FakeSms
    push: FakePush

    def unit(self) -> Any:
        return self.database.unit(self.brand_id)

    def join(self, contact: str) -> None:
        with self.unit() as session:
            a_newcomer(session, contact)

    def work(self, **later: float) -> int:
        """Run what is due, at a later time if asked, as a worker that has just started."""
        with clock.moved(by=timedelta(**later)):
            return Worker(self.runtime, lease=LEASE).drain()

    def messages(self) -> list[tuple[str, str]]:
        with self.database.reading(self.brand_id) as session:
            rows = session.scalars(select(Message).order_by(Message.id))
            return [(row.channel, row.state) for row in rows]

    def waits(self) -> list[float]:
        """Return how many seconds each queued job has still to wait."""
        with self.database.reading() as session:
            rows = session.scalars(select(Job).where(Job.state == "queued"))
            return [(row.run_at - clock.now()).total_seconds() for row in rows]

    def arrivals(self, kind: Any = None) -> int:
        return len(self.store.newest(kind))


@pytest.fixture
def post(sqlite: Database, tmp_path: Path) -> Iterator[Post]:
    store = OutboxStore()
    with FakeMail(store) as mail, FakeSms(store, key="a key") as sms, FakePush(store) as push:
        settings = Settings(
            demo=True, data_dir=tmp_path, smtp_url=mail.url, sms_url=sms.url, sms_key="a key",
            push_hosts=("push.leima.example",), outbound_map={**sms.mapping, **push.mapping},
        )  # fmt: skip
        runtime = Runtime(settings, sqlite)
        yield Post(sqlite, a_brand(sqlite), runtime, store, mail, sms, push)
        outgoing.close(runtime)


def crash_after_sending(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """End the worker when the provider has the message and nothing of it is written."""

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "finish", crash)
        with pytest.raises(Crash):
            post.work()


@pytest.mark.parametrize(("contact", "kind"), [(MAIL, "email"), (NUMBER, "sms")])
def test_code_is_sent_once(post: Post, contact: str, kind: str) -> None:
    post.join(contact)

    post.work()
    post.work(minutes=5)

    assert (post.arrivals(kind), post.messages(), post.waits()) == (1, [(kind, "sent")], [])


@pytest.mark.parametrize(("contact", "kind"), [(MAIL, "email"), (NUMBER, "sms")])
def test_message_found_sending_after_a_crash_is_uncertain_and_never_sent_twice(
    post: Post, monkeypatch: pytest.MonkeyPatch, contact: str, kind: str
) -> None:
    post.join(contact)
    crash_after_sending(post, monkeypatch)
    assert (post.arrivals(kind), post.messages()) == (1, [(kind, "sending")])

    post.work(seconds=LEASE.total_seconds() + 1)
    post.work(minutes=5)

    assert (post.arrivals(kind), post.messages(), post.waits()) == (1, [(kind, "uncertain")], [])


def test_throttled_email_waits_and_is_sent_later(post: Post) -> None:
    post.mail.refuse(MAIL, "451 4.7.1 slow down")
    post.join(MAIL)
    post.work()
    assert (post.arrivals(), post.messages()) == (0, [("email", "retry")])
    (wait,) = post.waits()
    assert 50 < wait <= 60

    post.work(seconds=30)
    assert post.arrivals() == 0
    post.mail.refuse(MAIL, "")
    post.work(seconds=61)

    assert (post.arrivals("email"), post.messages(), post.waits()) == (1, [("email", "sent")], [])


def test_throttled_sms_waits_as_long_as_the_gateway_asks_and_is_sent_once(post: Post) -> None:
    post.sms.tell(NUMBER, 429, retry_after="90")
    post.join(NUMBER)
    post.work()
    (wait,) = post.waits()
    assert (80 < wait <= 90, post.messages()) == (True, [("sms", "retry")])

    post.sms.tell(NUMBER, 0)
    assert post.work(seconds=80) == 0
    post.work(seconds=91)

    assert (post.arrivals("sms"), post.messages(), post.waits()) == (1, [("sms", "sent")], [])


def test_code_of_a_gateway_that_stays_down_expires_with_its_code(post: Post) -> None:
    post.sms.tell(NUMBER, 500)
    post.join(NUMBER)

    for minute in range(15):
        post.work(minutes=minute)

    assert (post.arrivals(), post.messages(), post.waits()) == (0, [("sms", "expired")], [])


def test_sms_without_an_answer_is_uncertain(post: Post) -> None:
    post.sms.tell(NUMBER, 504)
    post.join(NUMBER)
    post.work()

    post.sms.tell(NUMBER, 0)
    post.work(minutes=1)

    assert (post.arrivals(), post.messages()) == (0, [("sms", "uncertain")])


@pytest.fixture
def phones(post: Post) -> list[SimulatedPhone]:
    """Two subscribed phones of a member who has bought a coffee; the push waits in the outbox."""
    made = [post.push.phone("one"), post.push.phone("two")]
    with post.unit() as session:
        shop = a_shop(session)
        for phone in made:
            keys = PushKeys(**phone.subscription()["keys"])
            subscriptions.subscribe(session, shop.member, endpoint=phone.endpoint, keys=keys)
        shop.buy(400)
    return made


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
