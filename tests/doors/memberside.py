"""A member's browser over the till's world, and what its messages hold."""

import re

from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.cards.models import Program
from app.core.db import keyring
from app.ledger.models import Account
from app.members.models import ContactCode, Member
from tests.doors.tillside import TillSide

FORM = {"age": "1", "first_name": "Kaisla", "source": "web"}
OURS = {"Origin": "http://localhost:8000", "Accept-Language": "en"}


class Browser:
    """One browser at one brand's door."""

    def __init__(self, till: TillSide) -> None:
        self.till = till
        self.client = till.app.test_client()

    def get(self, path: str, language: str = "en") -> TestResponse:
        return self.client.get(f"/meri/{path}", headers={**OURS, "Accept-Language": language})

    def post(self, path: str, **form: str) -> TestResponse:
        return self.client.post(f"/meri/{path}", data=form, headers=OURS)

    def join(self, contact: str, **form: str) -> TestResponse:
        return self.post("join", **{**FORM, "contact": contact, **form})

    def stamps(self) -> int:
        """Return the stamps on the card that this browser shows."""
        found = re.search(r'data-stamps="(-?\d+)"', self.get("").text)
        assert found is not None
        return int(found[1])

    def named(self, path: str = "") -> str:
        """Return the contact that a page's form for the code names."""
        found = re.search(r'name="contact" value="([^"]+)"', self.get(path).text)
        assert found is not None
        return found[1]


def message(till: TillSide, *, newest: int = 0) -> tuple[str, str]:
    """Return digits and link token of the newest message, or of one before it."""
    with till.database.reading(till.side.brand_id) as session:
        row = session.scalars(select(ContactCode).order_by(ContactCode.id.desc()).offset(newest).limit(1)).one()
        return keyring(session).text(row.code), keyring(session).text(row.link)


def count(till: TillSide) -> tuple[int, int]:
    """Return how many members and messages there are."""
    with till.database.reading(till.side.brand_id) as session:
        return session.scalar(select(func.count(Member.id))) or 0, session.scalar(
            select(func.count(ContactCode.id))
        ) or 0


def newest_member(till: TillSide) -> Member:
    """Return who joined last."""
    with till.database.reading(till.side.brand_id) as session:
        return session.scalars(select(Member).order_by(Member.id.desc()).limit(1)).one()


def balance(till: TillSide, member_id: int) -> int:
    """Return a member's stamps, of all its stamp cards."""
    cards = select(Program.id).where(Program.kind == "stamp_card")
    stamps = select(func.sum(Account.balance)).where(Account.member_id == member_id, Account.program_id.in_(cards))
    with till.database.reading(till.side.brand_id) as session:
        return session.scalar(stamps) or 0
