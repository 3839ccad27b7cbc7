"""A till, a coffee card and a member: what the tests of the till page stand on."""

import re
from dataclasses import dataclass
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.cards.models import Program, ProgramVersion
from app.core import clock
from app.core.crypto import totp, totp_step
from app.core.db import Database
from app.core.runtime import Runtime
from app.ledger.models import Account, Purchase
from app.members import lookup
from app.rewards import service as rewards
from app.rewards.models import Reward
from tests.apps import a_client
from tests.builders import a_brand, a_member, a_till, an_outlet

KEY = "till_of_the_tests_0123456789"
OTHER_KEY = "till_of_another_outlet_0123456789"
FOREIGN_KEY = "till_of_another_brand_0123456789"
ORIGIN = {"Origin": "http://localhost:8000", "Accept-Language": "en"}


@dataclass(frozen=True)
class Shop:
    """A brand with a coffee card of 10, a till, and a member who stands before it."""

    database: Database
    brand_id: int
    client: FlaskClient
    member_id: int
    code: str
    spoken: str

    def post(self, path: str, **form: object) -> TestResponse:
        return self.client.post(path, data=form, headers=ORIGIN)

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers=ORIGIN)

    def scan(self, *, moving: bool = False) -> str:
        digits = f".{totp(b's' * 20, totp_step(clock.now()))}" if moving else ""
        answer = self.post("/till/scan", text=f"HTTPS://X/M/{self.code}{digits}")
        assert answer.status_code == 303, answer.text
        return answer.location.rsplit("/", 1)[1]

    def sell(self, amount: str, *, scan: str | None = None, key: str = "k-1", **more: str) -> TestResponse:
        return self.post("/till/purchase", scan=scan or self.scan(), amount=amount, key=key, **more)

    def purchases(self) -> int:
        with self.database.reading(self.brand_id) as session:
            return session.scalar(select(func.count(Purchase.id))) or 0

    def balance(self) -> int:
        with self.database.reading(self.brand_id) as session:
            return session.scalar(select(Account.balance).where(Account.member_id == self.member_id)) or 0

    def coupon(self) -> rewards.CouponView:
        """Give the member a coupon."""
        with self.database.unit(self.brand_id) as session:
            reward = session.scalars(select(Reward).where(Reward.slug == "coffee")).one()
            return rewards.issue(
                session, member_id=self.member_id, reward=reward, source_kind="welcome", source_id=1, at=clock.now()
            )

    def read(self, code: str) -> str:
        """Return the reading by which the till names a code that it has read."""
        answer = self.post("/till/scan", **{"text": code, "from": self.scan()})
        assert answer.status_code == 303, answer.text
        return re.split(r"code=|/till/coupon/", answer.location)[1].partition("?")[0]

    def other(self, key: str) -> FlaskClient:
        client = self.client.application.test_client()
        assert client.post("/till/login", data={"key": key}, headers=ORIGIN).status_code == 303
        return client


def _program(database: Database, brand_id: int) -> None:
    with database.unit(brand_id) as session:
        reward = Reward(slug="coffee", name={"en": "Free coffee"}, settlement_cents=250, fee_cents=20, face_cents=400)
        program = Program(slug="coffee", name={"en": "Coffee card"}, unit={"en": ["stamp", "stamps"]})
        session.add_all([reward, program])
        session.flush()
        rule = {"per": "euros", "cents": 400, "award": 1}
        begins = clock.now() - timedelta(days=200)
        session.add(
            ProgramVersion(program_id=program.id, number=1, valid_from=begins, size=10, reward_id=reward.id, rule=rule)
        )


def open_shop(runtime: Runtime, sqlite: Database) -> Shop:
    """A till that is logged in, and a member with an empty card."""
    brand_id, foreign_id = a_brand(sqlite), a_brand(sqlite, "valo")
    for owner in (brand_id, foreign_id):
        _program(sqlite, owner)
    with sqlite.unit(foreign_id) as session:
        a_till(session, key=FOREIGN_KEY)
    with sqlite.unit(brand_id) as session:
        a_till(session, outlet=an_outlet(session, name="Kulma Kallio"), key=KEY)
        a_till(session, outlet=an_outlet(session, name="Ruokatori"), key=OTHER_KEY)
        member = a_member(session)
        codes = lookup.codes_of(session, member.id)
    client = a_client(runtime)
    shop = Shop(sqlite, brand_id, client, member.id, codes.code, codes.spoken)
    assert shop.post("/till/login", key=KEY).location == "/till"
    return shop
