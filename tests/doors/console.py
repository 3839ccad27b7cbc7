"""A brand with an administrator and a browser: what the tests of the console stand on."""

from dataclasses import dataclass
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.cards.models import Program, ProgramVersion
from app.core import clock
from app.core.db import Database
from app.core.runtime import Runtime
from app.network import staff
from app.network.models import Reseller, Staff
from app.rewards.models import Reward
from tests.apps import a_client
from tests.builders import a_brand

PASSWORD = "a long enough password"
_hashed: list[str | None] = []
ORIGIN = {"Origin": "http://localhost:8000", "Accept-Language": "en"}


@dataclass(frozen=True)
class Console:
    """A brand with an administrator and one member, and a browser."""

    database: Database
    brand_id: int
    foreign_id: int
    client: FlaskClient

    def log_in(self, email: str = "kaisa@meri.example", password: str = PASSWORD, **form: str) -> TestResponse:
        return self.client.post("/brand/login", data={"email": email, "password": password, **form}, headers=ORIGIN)

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers=ORIGIN)

    def person(self, email: str, role: str = "brand_admin", brand_id: int | None = None) -> None:
        with self.database.unit(brand_id or self.brand_id) as session:
            reseller = session.scalars(select(Reseller.id)).first() if role in ("reseller_manager", "cashier") else None
            person = Staff(email=email, name="Kaisa Salo", role=role, reseller_id=reseller)
            session.add(person)
            session.flush()
            if not _hashed:  # once: argon2 is slow on purpose
                staff.set_password(session, person, PASSWORD)
                _hashed.append(person.password_hash)
            person.password_hash = _hashed[0]


def open_console(runtime: Runtime, sqlite: Database) -> Console:
    """Nobody is logged in yet."""
    brand_id, foreign_id = a_brand(sqlite, name="Meri Roastery"), a_brand(sqlite, "valo")
    for owner in (brand_id, foreign_id):
        with sqlite.unit(owner) as session:
            reward = Reward(slug="coffee", name={"en": "Free coffee"}, settlement_cents=250)
            program = Program(slug="coffee", name={"en": "Coffee card"}, unit={"en": ["stamp", "stamps"]})
            session.add_all([reward, program])
            session.flush()
            rule = {"per": "euros", "cents": 400, "award": 1}
            begins = clock.now() - timedelta(days=99)
            session.add(
                ProgramVersion(
                    program_id=program.id, number=1, valid_from=begins, size=10, reward_id=reward.id, rule=rule
                )
            )
    found = Console(sqlite, brand_id, foreign_id, a_client(runtime))
    found.person("kaisa@meri.example")
    return found
