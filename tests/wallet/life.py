"""One random life of an iPhone with five passes, against the real web service, worker, outbox and push service."""

import threading
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import refunds
from app.cards import service as cards
from app.core import clock
from app.core.crypto import random_symbols
from app.fakes.apns import FakeApns
from app.fakes.iphone import SimulatedIPhone
from app.fakes.pkpass import open_pass
from app.ledger.models import Purchase
from app.ledger.service import Basket
from app.members import service as members
from app.members.models import Member
from app.network.models import Till
from app.rewards import service as rewards
from app.wallet import service as wallet
from app.wallet.jobs import GATHER
from app.wallet.models import WalletDevice
from app.wallet.signer import SignerError
from app.worker import Worker
from tests.builders import a_member
from tests.wallet.shop import Shop

CARDS = 4  # and one coupon
STEP = timedelta(milliseconds=50)  # several things happen in one second
GATHERED = GATHER + timedelta(milliseconds=10)  # so late a refresh is due
Op = tuple[Any, ...]

_who = st.integers(0, CARDS - 1)
OPS: st.SearchStrategy[list[Op]] = st.lists(
    st.one_of(
        st.tuples(st.just("add"), _who),
        st.tuples(st.just("remove"), _who),
        st.tuples(st.just("take_coupon")),
        st.tuples(st.just("renew_token")),
        st.tuples(st.just("offline")),
        st.tuples(st.just("online")),
        st.tuples(st.just("ask")),
        st.tuples(st.just("tag"), st.sampled_from(["old", "garbage", "none"])),
        st.tuples(st.just("buy"), _who, st.integers(1, 7)),
        st.tuples(st.just("buy"), _who, st.integers(1, 2)),
        st.tuples(st.just("refund"), _who),
        st.tuples(st.just("redeem"), _who),
        st.tuples(st.just("rename"), _who),
        st.tuples(st.just("work")),
        st.tuples(st.just("wait"), st.integers(1, 90)),
        st.tuples(st.just("at_once"), st.lists(_who, min_size=2, max_size=4)),
        st.tuples(st.just("apple"), st.sampled_from([(410, "Unregistered"), (503, "ServiceUnavailable"), (403, "x")])),
        st.tuples(st.just("certificate"), st.booleans()),
    ),
    min_size=4,
    max_size=24,
)


@dataclass
class Life:
    """The phone, its people, and everything that may happen to them."""

    shop: Shop
    client: FlaskClient
    fake: FakeApns
    now: datetime
    members: list[int] = field(default_factory=list)
    serials: dict[str, Callable[[Session], bytes]] = field(default_factory=dict)  # how each pass is downloaded
    old_tags: list[dict[str, str]] = field(default_factory=list)
    seen: int = 0  # wake-ups that the phone was given
    gone: bool = False  # Apple said so of a token: the phone gets a new one in the end

    def __post_init__(self) -> None:
        self.phone = SimulatedIPhone(self.fake.token, transport=self._carry, authority=self.shop.chain.root)
        self.seen = len(self.fake.received)
        self.worker = Worker(self.shop.runtime)
        self.members = [self.shop.change(lambda session: a_member(session).id) for _number in range(CARDS)]
        with self._at():
            for who in range(CARDS):
                self.add(who)

    def live(self, ops: Iterable[Op]) -> list[str]:
        """Do everything, then let the world be well again; return what the phone does not show as it should."""
        for name, *arguments in ops:
            self.now += STEP
            with self._at():
                getattr(self, name)(*arguments)
        self._recover()
        return self._wrong()

    def add(self, who: int) -> None:
        self._take(lambda session: self._card(session, who))

    def take_coupon(self) -> None:
        """Take the first coupon that can be used."""
        with self.shop.runtime.database.reading(self.shop.brand_id) as session:
            found = [(m, c) for m in self.members for c in rewards.of_member(session, m) if c.usable]
        if found:
            member_id, public_id = found[0][0], found[0][1].coupon.public_id
            self._take(lambda session: self._coupon(session, member_id, public_id))

    def remove(self, who: int) -> None:
        for serial in list(self.phone.passes)[who : who + 1]:
            self.phone.remove(serial)

    def renew_token(self) -> None:
        self.fake.forget(self.phone.push_token)
        self.phone.renew_token()

    def offline(self) -> None:
        self.phone.online = False

    def online(self) -> None:
        self.phone.go_online()

    def ask(self) -> None:
        """Pull down to refresh."""
        self.phone.wake()

    def tag(self, kind: str) -> None:
        """Ask with another tag than the last one."""
        self.old_tags.append(dict(self.phone.tags))
        if kind == "garbage":
            self.phone.tags = dict.fromkeys(self.phone.tags, "½ garbage?&/%")
        elif kind == "none":
            self.phone.tags = {}
        else:
            self.phone.tags = dict(self.old_tags[len(self.old_tags) // 2])
        self.phone.wake()

    def buy(self, who: int, stamps: int) -> None:
        with self.shop.runtime.database.unit(self.shop.brand_id) as session:
            till = session.scalars(select(Till).order_by(Till.id).limit(1)).one()
            basket = Basket(400 * stamps, random_symbols(10), clock.now())
            cards.record_purchase(session, basket, member=session.get_one(Member, self.members[who]), till=till)

    def refund(self, who: int) -> None:
        with self.shop.runtime.database.unit(self.shop.brand_id) as session:
            mine = select(Purchase).where(Purchase.member_id == self.members[who]).order_by(Purchase.id.desc()).limit(1)
            for purchase in session.scalars(mine):
                refunds.refund(session, purchase, till=session.get_one(Till, purchase.till_id))

    def redeem(self, who: int) -> None:
        with self.shop.runtime.database.unit(self.shop.brand_id) as session:
            till = session.scalars(select(Till).order_by(Till.id).limit(1)).one()
            for held in [one for one in rewards.of_member(session, self.members[who]) if one.usable][:1]:
                rewards.redeem(session, held.code, till=till)

    def rename(self, who: int) -> None:
        with self.shop.runtime.database.unit(self.shop.brand_id) as session:
            name = random_symbols(6).translate(str.maketrans("23456789", "ABCDEFGH")).title()
            members.rename(session, session.get_one(Member, self.members[who]), name)

    def work(self) -> None:
        """Run what is due, and let the phone hear what Apple took."""
        self.now += GATHERED
        with self._at():
            self.worker.drain()
            self._hear()

    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    def at_once(self, buyers: list[int]) -> None:
        """Sell to several, work and ask, all at the same time."""
        acts: list[Callable[[], object]] = [lambda who=who: self.buy(who, 1) for who in buyers]  # type: ignore[misc]
        acts += [self.worker.drain, self.phone.wake]
        failed: list[Exception] = []

        def run(act: Callable[[], object]) -> None:
            try:
                with self._at():
                    act()
            except Exception as error:
                failed.append(error)

        threads = [threading.Thread(target=run, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        self._hear()

    def apple(self, answer: tuple[int, str]) -> None:
        """Let Apple answer the next wake-up of this phone as told; what it calls gone, it gives a new token for."""
        status, reason = answer
        self.gone = self.gone or status == 410
        self.fake.tell(self.phone.push_token, status, "BadCertificate" if status == 403 else reason)

    def certificate(self, good: bool) -> None:
        """Break the certificate, or mend it."""
        path = self.shop.runtime.settings.apple_certificate
        assert path is not None
        path.write_bytes(self.shop.chain.certificate if good else b"truncated")

    def _recover(self) -> None:
        with self._at():
            self.certificate(True)
            self.fake.tell_nothing()
            if self.gone:
                self.renew_token()
            self.phone.go_online()
        for _round in range(12):
            self.now += timedelta(minutes=2)
            with self._at():
                self.worker.drain()
                self._hear()
                if not self._due() and not self.phone.pending:
                    return
        raise AssertionError("the phone was never woken for all that changed")

    def _wrong(self) -> list[str]:
        """Compare every pass on the phone with a fresh download of it."""
        wrong = []
        with self._at(), self.shop.runtime.database.reading(self.shop.brand_id) as session:
            for serial, held in self.phone.passes.items():
                fresh = open_pass(self.serials[serial](session))
                if not held.registered:
                    wrong.append("a pass is not registered")
                if (held.file.fields, held.file.voided) != (fresh.fields, fresh.voided):
                    wrong.append(f"shows {held.file.fields.get('balance')}, not {fresh.fields.get('balance')}")
        return wrong

    def _due(self) -> bool:
        with self.shop.runtime.database.reading(self.shop.brand_id) as session:
            return (
                session.scalars(select(WalletDevice).where(WalletDevice.due > WalletDevice.woken)).first() is not None
            )

    def _hear(self) -> None:
        """Give the phone the wake-ups that Apple took for the token it has now."""
        new, self.seen = self.fake.received[self.seen :], len(self.fake.received)
        if any(one.token == self.phone.push_token for one in new):
            self.phone.wake()

    def _take(self, download: Callable[[Session], bytes]) -> None:
        if not self.phone.online:
            return
        with self.shop.runtime.database.reading(self.shop.brand_id) as session:
            try:
                data = download(session)
            except (wallet.CouponOver, SignerError):
                return
        self.serials[self.phone.add(data).file.serial] = download

    def _card(self, session: Session, who: int) -> bytes:
        return wallet.apple_pass(session, self.shop.runtime, session.get_one(Member, self.members[who])).body

    def _coupon(self, session: Session, member_id: int, public_id: str) -> bytes:
        member = session.get_one(Member, member_id)
        return wallet.coupon_pass(session, self.shop.runtime, member, public_id).body

    def _carry(self, method: str, url: str, headers: Any, body: bytes) -> tuple[int, Any, bytes]:
        """Carry a request into the application, in this thread."""
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        answer = self.client.open(path, method=method, headers=dict(headers), data=body)
        return answer.status_code, dict(answer.headers), answer.data

    @contextmanager
    def _at(self) -> Any:
        with clock.moved(to=self.now):
            yield
