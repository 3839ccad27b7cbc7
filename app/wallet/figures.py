"""What the console shows of the wallets: who has which pass, what waits, what failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, distinct, func, or_, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of
from app.members.models import Member
from app.network.models import Brand
from app.wallet.models import WalletDevice, WalletFault, WalletPass, WalletRegistration

DAYS = 7  # of faults that are shown


@dataclass(frozen=True)
class InWallets:
    """How many members have a card in which wallet; a member with several phones or cards counts once."""

    apple: int
    google: int
    either: int
    coupons: int  # passes of coupons beside the cards
    phones: int  # that Apple wakes
    waiting: int  # phones and objects that have not heard the newest
    updated_at: datetime | None  # the last time anything was told or fetched
    saves: int  # that Google has told of, cards and coupons together
    removals: int


@dataclass(frozen=True)
class MemberWallets:
    """What one member has in wallets, and what Google has told of it."""

    phones: int  # with a pass in Apple Wallet
    saves: int
    removals: int


@dataclass(frozen=True)
class Fault:
    """One kind of failure on one day."""

    day: date
    code: str
    n: int


def in_wallets(session: Session) -> InWallets:
    """Count the members of a brand with passes, the passes and what waits."""
    card = WalletPass.program_id.is_not(None)
    on_phone = select(WalletRegistration.pass_id)
    apple = and_(WalletPass.kind == "apple", card, WalletPass.id.in_(on_phone))
    saved = (WalletPass.added_at.is_not(None), WalletPass.removed_at.is_(None))
    google = and_(WalletPass.kind == "google", card, *saved)
    coupons = select(func.count(WalletPass.id)).where(
        WalletPass.coupon_id.is_not(None), WalletPass.id.in_(on_phone) | WalletPass.added_at.is_not(None)
    )
    due = select(func.count(WalletDevice.id)).where(WalletDevice.due > WalletDevice.woken)
    stale = select(func.count(WalletPass.id)).where(
        WalletPass.kind == "google", WalletPass.version > WalletPass.synced, WalletPass.asked_at.is_not(None),
        WalletPass.removed_at.is_(None),
    )  # fmt: skip
    moments = (
        session.scalar(select(func.max(WalletDevice.woken_at))),
        session.scalar(select(func.max(WalletPass.served_at))),
    )
    saves, removals = session.execute(_told()).one()
    return InWallets(
        _members(session, apple), _members(session, google), _members(session, or_(apple, google)),
        session.scalar(coupons) or 0,
        session.scalar(select(func.count(WalletDevice.id))) or 0,
        (session.scalar(due) or 0) + (session.scalar(stale) or 0),
        max((moment for moment in moments if moment is not None), default=None), saves, removals,
    )  # fmt: skip


def of_member(session: Session, member_ids: Sequence[int]) -> MemberWallets:
    """Count what a member has.

    Args:
        member_ids: the member's own and those of the cards that were merged into it.
    """
    phones = (
        select(func.count(distinct(WalletRegistration.device_id)))
        .join(WalletPass, WalletPass.id == WalletRegistration.pass_id)
        .where(WalletPass.member_id.in_(member_ids))
    )
    saves, removals = session.execute(_told().where(WalletPass.member_id.in_(member_ids))).one()
    return MemberWallets(session.scalar(phones) or 0, saves, removals)


def _told() -> Select[int, int]:
    """Select how often Google told of a save and of a removal."""
    return select(func.coalesce(func.sum(WalletPass.saves), 0), func.coalesce(func.sum(WalletPass.removals), 0))


def faults(session: Session, *, days: int = DAYS) -> list[Fault]:
    """Return what failed in the last days, the newest first, the most frequent before the others of its day."""
    brand = session.get_one(Brand, brand_of(session))
    since = clock.local_date(clock.now(), brand.zone) - timedelta(days=days - 1)
    rows = session.scalars(select(WalletFault).where(WalletFault.day >= since)).all()
    ordered = sorted(rows, key=lambda row: (-row.day.toordinal(), -row.n, row.code))
    return [Fault(row.day, row.code, row.n) for row in ordered]


def _members(session: Session, which: ColumnElement[bool]) -> int:
    """Count the members whose passes these are today, past their merges."""
    today = func.coalesce(Member.merged_into_id, Member.id)
    wanted = select(func.count(distinct(today))).join(WalletPass, WalletPass.member_id == Member.id).where(which)
    return session.scalar(wanted) or 0
