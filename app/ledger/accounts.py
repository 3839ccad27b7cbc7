"""An account under its lock: entries, the lots they made, and which lots each use took.

The balance is the sum of the entries. What is above zero lies in lots; what is below zero is a debt: entries that took
more than there was. The next lots pay for them, oldest first. Source: earning.md, "Ledger".
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of
from app.core.errors import Conflict
from app.core.i18n import gettext as _
from app.core.sql import Sql, moment
from app.ledger import statements as sql
from app.network.models import Brand

_EMPTY = dict.fromkeys(
    (
        "version_id", "source_kind", "source_id", "reverses_id", "purchase_id", "refund_id", "outlet_id", "till_id",
        "cashier", "approver",
    )
)  # fmt: skip


class BalanceTooSmall(Conflict):
    """More was to be spent than the account holds; `balance` says how much there is."""

    code = "balance_too_small"


@dataclass(frozen=True)
class Terms:
    """Until when a lot is good, and from when on; None is for ever, and at once."""

    expires_at: datetime | None = None
    release_at: datetime | None = None


@dataclass
class OpenLot:
    """A lot with something in it."""

    id: int
    entry_id: int
    remaining: int
    expires_at: datetime | None
    pending: bool
    release_at: datetime | None
    origin: int  # the entry that first brought it


@dataclass
class OpenAccount:
    """A locked account; its methods move it and write why.

    `why` is what an entry says beside its amount: version_id, rule, reason, cashier, source_kind, source_id and so on.
    """

    session: Session
    id: int
    program_id: int
    balance: int
    pending: int
    context: dict[str, Any] = field(default_factory=dict)
    owed: int = 0  # what the balance was below zero before the last entry

    def add(self, kind: str, amount: int, terms: Terms | None = None, **why: Any) -> int:
        """Write an entry that adds units in one lot; return its id.

        Args:
            amount: units, above zero. With a `release_at` they are pending until then.
        """
        terms = terms or Terms()
        waits = terms.release_at is not None
        entry_id = self._entry(kind, 0 if waits else amount, amount if waits else 0, why)
        self._lot(entry_id, amount, terms)
        self._pay_debts()
        return entry_id

    def take(self, kind: str, amount: int, *, of: datetime | None = None, **why: Any) -> int:
        """Write an entry that takes units, out of the lots while they last; the rest is a debt. Return its id.

        Args:
            amount: units, above zero. With `reverses_id` what that entry brought gives first, also while it is pending.
            of: lots that expire at this moment give next.
        """
        own = why.get("reverses_id")
        lots = self.lots()
        first = [lot for lot in lots if lot.origin == own]
        rest = [lot for lot in lots if lot.origin != own and not lot.pending]
        if of is not None:
            rest.sort(key=lambda lot: lot.expires_at != of)
        uses = _share([*first, *rest], amount)
        unreleased = sum(part for lot, part in uses if lot.pending)
        entry_id = self._entry(kind, unreleased - amount, -unreleased, why)
        self._use(entry_id, uses)
        return entry_id

    def spend(self, kind: str, amount: int, **why: Any) -> int:
        """Write an entry that takes units which are all there; return its id.

        Raises:
            BalanceTooSmall: they are not.
        """
        if amount > self.balance:
            raise BalanceTooSmall(_("There is not that much on the card."), balance=self.balance)
        return self.take(kind, amount, **why)

    def put_back(self, kind: str, amount: int, *, reverses_id: int, **why: Any) -> int:
        """Write an entry that returns what another took to its own lots, with their old expiry; return its id.

        What no lot has given yet is no longer owed. What came from a lot that has expired meanwhile, or from the
        account of a member who was merged, becomes a new lot; the expired is good for the brand's days of grace.

        Args:
            amount: units, above zero, at most what that entry took and no other has returned.

        Raises:
            ValueError: it is more than that; a mistake of the caller.
        """
        uncovered = min(amount, self._owed_by(reverses_id))
        parts = list(self._taken_by(reverses_id, amount - uncovered))
        if uncovered + sum(part for _row, part in parts) != amount:
            raise ValueError(f"more is to come back than entry {reverses_id} took")
        waits = sum(part for row, part in parts if row.pending)
        entry_id = self._entry(kind, amount - waits, waits, {**why, "reverses_id": reverses_id})
        if uncovered:
            self._cancel(entry_id, reverses_id, uncovered)
        now = clock.now()
        for row, part in parts:
            self._allocate([self._use_of(row.id, entry_id, -part)])
            ended = row.expires_at is not None and row.expires_at <= now
            if ended or row.account_id != self.id:
                expires_at = now + self._grace() if ended else row.expires_at
                self._allocate([self._use_of(row.id, entry_id, part)])
                self._lot(entry_id, part, Terms(expires_at, row.release_at if row.pending else None), row.origin)
        self._pay_debts()
        return entry_id

    def end_lot(self, lot: OpenLot, kind: str = "expire", **why: Any) -> int:
        """Write an entry that takes all that is left of one lot; return its id."""
        waits = lot.remaining if lot.pending else 0
        entry_id = self._entry(kind, waits - lot.remaining, -waits, why)
        self._use(entry_id, [(lot, lot.remaining)])
        return entry_id

    def release(self, lot: OpenLot, **why: Any) -> int:
        """Write an entry that makes what is pending in a lot spendable; return its id."""
        entry_id = self._entry("release", lot.remaining, -lot.remaining, why)
        self._run(sql.RELEASE_LOT, id=lot.id, no=False)
        self._pay_debts()
        return entry_id

    def hand_over(self, into: "OpenAccount", *, why: dict[str, Any], into_why: dict[str, Any]) -> int:
        """Move everything to another account, lots with their dates and a debt as a debt; return the entry there."""
        first = None
        if self.balance < 0:
            debt = -self.balance
            self.add("transfer", debt, **why)
            first = into.take("transfer", debt, **into_why)
        lots = self.lots()  # with a debt, only what is pending
        if not lots:
            return first or 0
        amount, pending = self.balance, self.pending
        entry_id = self._entry("transfer", -amount, -pending, why)
        self._use(entry_id, [(lot, lot.remaining) for lot in lots])
        arrived = into._entry("transfer", amount, pending, into_why)
        for lot in lots:
            terms = Terms(lot.expires_at, lot.release_at if lot.pending else None)
            into._lot(arrived, lot.remaining, terms, lot.origin)
        into._pay_debts()
        return first or arrived

    def lots(self) -> list[OpenLot]:
        """Return the lots with something in them, in the order in which they are used."""
        rows = self._run(sql.OPEN_LOTS, account_id=self.id)
        return [
            OpenLot(lot_id, entry_id, left, moment(expires), bool(pending), moment(release), origin or entry_id)
            for lot_id, entry_id, left, expires, pending, release, origin in rows
        ]

    @property
    def _brand(self) -> int:
        brand_id: int = self.context["brand_id"]
        return brand_id

    def _grace(self) -> timedelta:
        return timedelta(days=self.session.get_one(Brand, self._brand).grace_days)

    def _run(self, statement: Sql, **values: Any) -> Sequence[Any]:
        return statement.run(self.session, {"brand_id": self._brand, **values})

    def _entry(self, kind: str, amount: int, pending: int, why: dict[str, Any]) -> int:
        self.owed = max(-self.balance, 0)
        self.balance += amount
        self.pending += pending
        values = {
            **_EMPTY, "reason": "", "rule": "", **self.context, **why, "account_id": self.id, "kind": kind,
            "amount": amount, "balance": self.balance, "pending": pending,
        }  # fmt: skip
        ((entry_id,),) = sql.INSERT_ENTRY.run(self.session, values)
        self._run(sql.SET_BALANCE, id=self.id, balance=self.balance, pending=self.pending)
        return int(entry_id)

    def _lot(self, entry_id: int, amount: int, terms: Terms, origin: int | None = None) -> None:
        self._run(
            sql.INSERT_LOT, account_id=self.id, entry_id=entry_id, amount=amount, expires_at=terms.expires_at,
            pending=terms.release_at is not None, release_at=terms.release_at, origin=origin,
        )  # fmt: skip

    def _use(self, entry_id: int, uses: Iterable[tuple[OpenLot, int]]) -> None:
        self._allocate([self._use_of(lot.id, entry_id, part) for lot, part in uses])

    def _use_of(self, lot_id: int, entry_id: int, amount: int) -> dict[str, int]:
        return {"brand_id": self._brand, "lot_id": lot_id, "entry_id": entry_id, "amount": amount}

    def _allocate(self, rows: Sequence[dict[str, int]]) -> None:
        sql.USE_LOT.run_each(self.session, rows)
        sql.ALLOCATE.run_each(self.session, rows)

    def _debts(self) -> list[Any]:
        return list(self._run(sql.OPEN_DEBTS, account_id=self.id)) if self.balance < 0 or self.owed else []

    def _owed_by(self, entry_id: int) -> int:
        """Return how much of what an entry took no lot has given yet."""
        return sum(row.owed for row in self._debts() if row.id == entry_id)

    def _taken_by(self, entry_id: int, amount: int) -> Iterator[tuple[Any, int]]:
        """Return what of an amount each lot gets back that an entry took from."""
        keys = {"brand_id": self._brand, "entry_id": entry_id}
        for row in self.session.connection().execute(sql.TAKEN_BY, keys):
            part = min(amount, row.taken)
            amount -= part
            if part:
                yield row, part

    def _cancel(self, entry_id: int, debt_id: int, amount: int) -> None:
        """Let a reversal pay what the reversed entry owes, with a lot that is there for this only.

        It is noted as returned as well, so that a later reversal does not return it once more.
        """
        self._lot(entry_id, amount, Terms())
        (lot,) = [lot for lot in self.lots() if lot.entry_id == entry_id]
        self._use(debt_id, [(lot, amount)])
        self._use(entry_id, [(lot, -amount)])
        self._use(entry_id, [(lot, amount)])

    def _pay_debts(self) -> None:
        """Let the lots that can be spent pay for what was taken beyond those of before; a refund's own lot first."""
        if not self.owed:
            return
        lots = [lot for lot in self.lots() if not lot.pending]
        for debt_id, reverses_id, owed in self._debts():
            uses = _share(sorted(lots, key=lambda lot: lot.origin != reverses_id), owed)
            self._use(debt_id, uses)
            for lot, part in uses:
                lot.remaining -= part


def open_accounts(
    session: Session, *, member_id: int, program_ids: list[int], context: dict[str, Any]
) -> dict[int, OpenAccount]:
    """Make what is missing and lock all of a member's accounts in id order; return them by program.

    Args:
        context: fields that every entry of this change shares: occurred_at, purchase_id, till_id and so on.
    """
    brand_id = brand_of(session)
    keys = {"brand_id": brand_id, "member_id": member_id}
    found = _locked(session, keys)
    lacking = sorted({program_id for program_id in program_ids if program_id not in found})  # each new row is a lock
    if lacking:
        sql.OPEN_ACCOUNT.run_each(session, [{**keys, "program_id": program_id} for program_id in lacking])
        found = _locked(session, keys)
    shared = {"brand_id": brand_id, "recorded_at": clock.now(), **context}
    return {
        program_id: OpenAccount(session, row_id, program_id, balance, pending, dict(shared))
        for program_id, (row_id, balance, pending) in found.items()
    }


def _locked(session: Session, keys: dict[str, int]) -> dict[int, tuple[int, int, int]]:
    rows = sql.LOCK_ACCOUNTS[session.connection().dialect.name].run(session, keys)
    return {program_id: (row_id, balance, pending) for row_id, program_id, balance, pending in rows}


def _share(lots: Iterable[OpenLot], amount: int) -> list[tuple[OpenLot, int]]:
    """Return how much each lot gives, in their order, until the amount is there or the lots are empty."""
    uses = []
    for lot in lots:
        part = min(lot.remaining, amount)
        if part:
            uses.append((lot, part))
        amount -= part
    return uses
