"""One member's account in one program, opened anew for each step as requests do; days count from `DAY_0`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.models import ProgramVersion
from app.core import clock
from app.ledger.accounts import OpenAccount, Terms, open_accounts
from app.ledger.models import LedgerEntry
from tests.builders import a_member
from tests.shop import a_program

DAY_0 = datetime(2027, 1, 1, tzinfo=UTC)
Shown = tuple[int, int | None]  # what is left in a lot, and the day on which it expires


def day(number: int) -> datetime:
    """Return the beginning of a day."""
    return DAY_0 + timedelta(days=number)


@contextmanager
def on(number: int) -> Iterator[None]:
    """Move the clock to a day."""
    with clock.moved(to=day(number)):
        yield


def until(expires: int | None = None, *, pending: int | None = None) -> Terms:
    """Build terms: the day of expiry, and the day until which it is pending."""
    return Terms(None if expires is None else day(expires), None if pending is None else day(pending))


@dataclass(frozen=True)
class Card:
    """Steps on an account; what each is for does not matter to the lots."""

    session: Session
    member_id: int
    program_id: int
    version_id: int

    def open(self) -> OpenAccount:
        """Lock the account as a new request does."""
        context = {"occurred_at": clock.now(), "version_id": self.version_id}
        opened = open_accounts(self.session, member_id=self.member_id, program_ids=[self.program_id], context=context)
        return opened[self.program_id]

    def earn(self, amount: int, expires: int | None = None, *, pending: int | None = None) -> int:
        """Add units that expire on a day; return the entry."""
        return self.open().add("earn", amount, until(expires, pending=pending))

    def spend(self, amount: int) -> int:
        """Spend units which are all there."""
        return self.open().spend("spend", amount)

    def refund(self, amount: int, entry_id: int | None = None) -> int:
        """Take earned units back, also such as are not there any more."""
        return self.open().take("reverse_earn", amount, reverses_id=entry_id)

    def put_back(self, amount: int, entry_id: int) -> int:
        """Reverse a spend, or a part of it."""
        return self.open().put_back("reverse_spend", amount, reverses_id=entry_id)

    def lots(self) -> list[Shown]:
        """Return what can be used, in the order in which it will be."""
        return self._shown(pending=False)

    def waiting(self) -> list[Shown]:
        """Return what is pending."""
        return self._shown(pending=True)

    def holds(self) -> tuple[int, int]:
        """Return balance and pending."""
        account = self.open()
        return account.balance, account.pending

    def entry(self, entry_id: int) -> tuple[str, int, int]:
        """Return an entry's kind, amount and pending."""
        columns: Any = (LedgerEntry.kind, LedgerEntry.amount, LedgerEntry.pending)
        kind, amount, pending = self.session.execute(select(*columns).where(LedgerEntry.id == entry_id)).one()
        return kind, amount, pending

    def _shown(self, *, pending: bool) -> list[Shown]:
        return [(lot.remaining, days_to(lot.expires_at)) for lot in self.open().lots() if lot.pending is pending]


def days_to(moment: datetime | None) -> int | None:
    """Return the day of a moment; a moving clock's few milliseconds do not count."""
    return None if moment is None else (moment - DAY_0) // timedelta(days=1)


def a_card(session: Session, like: Card | None = None) -> Card:
    """Build a member's empty account in a program that nothing fills; `like` shares the other card's program."""
    if like is not None:
        return Card(session, a_member(session).id, like.program_id, like.version_id)
    program = a_program(session, "bonus", size=100)
    version = session.scalars(select(ProgramVersion).where(ProgramVersion.program_id == program.id)).one()
    return Card(session, a_member(session).id, program.id, version.id)


def hand_over(source: Card, into: Card) -> int:
    """Merge two accounts."""
    opened = {member.member_id: member.open() for member in sorted((source, into), key=lambda one: one.member_id)}
    why = {"reason": "merged"}
    return opened[source.member_id].hand_over(opened[into.member_id], why=why, into_why=why)
