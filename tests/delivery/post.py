"""A brand whose messages go to the strict fakes, and its phones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.db import Database
from app.core.jobs import Job
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.delivery import jobs, outgoing, subscriptions
from app.delivery.channel import PushKeys
from app.delivery.models import Message
from app.fakes.mail import FakeMail
from app.fakes.phone import SimulatedPhone
from app.fakes.push import FakePush
from app.fakes.sms import FakeSms
from app.fakes.store import OutboxStore
from app.worker import Worker
from tests.builders import a_brand, a_newcomer
from tests.shop import a_shop
from tests.workbench import LEASE


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
        """Return how many seconds each queued job of the delivery has still to wait; passes gather on their own."""
        with self.database.reading() as session:
            rows = session.scalars(select(Job).where(Job.state == "queued", Job.name.not_like("wallet.%")))
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
