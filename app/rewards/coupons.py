"""Coupons: issued once for each source, found by code, taken back, expired."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.crypto import check_symbol, normalize_code, random_symbols
from app.core.db import keyring
from app.core.errors import Conflict, NotFound
from app.core.events import emit
from app.core.i18n import gettext as _
from app.network.models import Outlet, Till
from app.rewards import seats
from app.rewards.events import CouponChanged, CouponIssued
from app.rewards.holding import hold_coupons
from app.rewards.models import Coupon, Redemption, Reward

CODE_SYMBOLS = 12  # 60 bits
UNUSED = ("issued", "expired")  # states of a coupon that gave nothing: its fill can be undone
GRACE_DAYS = 14  # what comes back with a refund is valid at least this long


class CouponUnknown(NotFound):
    """No such code in this brand."""

    code = "coupon_unknown"


class CouponNotUsable(Conflict):
    """The coupon exists but cannot be used now; `state` says why, with time and outlet where it was used."""

    code = "coupon_not_usable"


@dataclass(frozen=True)
class CouponView:
    """A coupon as its member and a till see it."""

    coupon: Coupon
    reward: Reward
    code: str

    @property
    def usable(self) -> bool:
        """Tell whether it is still the member's to use; a till may hold it for a moment."""
        return self.coupon.state == "issued" and self.coupon.expires_at > clock.now()

    @property
    def held(self) -> bool:
        """Tell whether a till holds it at this moment."""
        until = self.coupon.reserved_until
        return self.usable and until is not None and until > clock.now()

    def held_from(self, till_id: int) -> bool:
        """Tell whether another till than this one holds it."""
        return self.held and self.coupon.reserved_till_id != till_id

    @property
    def state(self) -> str:
        """Return the state as people see it: past its day it is expired, also before the nightly job says so."""
        if self.coupon.state == "issued" and not self.usable:
            return "expired"
        return "reserved" if self.held else self.coupon.state


def print_code(code: str) -> str:
    """Return a code in groups that people can read: `ABCD-EFGH-JKLM-N`."""
    return "-".join(code[place : place + 4] for place in range(0, len(code), 4))


def new_code() -> str:
    """Return a code that nobody has: 60 random bits and a check symbol."""
    symbols = random_symbols(CODE_SYMBOLS)
    return symbols + check_symbol(symbols)


def validity(reward: Reward, at: datetime) -> datetime:
    """Return until when what is earned now is valid: the days count from the window's begin, its end cuts them."""
    ends = max(at, reward.valid_from or at) + timedelta(days=reward.valid_days)
    return min(ends, reward.valid_until or ends)


def issue(
    session: Session, *, member_id: int, reward: Reward, source_kind: str, source_id: int, at: datetime
) -> CouponView:
    """Give a member a coupon; its source can give only one. `giving.give` knows whether it is a coupon at all.

    Args:
        source_kind: `fill`, `welcome`, `issue` or `hand`; with `source_id` unique in the brand.
        at: when it was earned; it is valid for the reward's days from then, within the reward's window.

    Raises:
        ValueError: the reward is a gift card; a mistake of the caller.
    """
    if reward.kind == "gift_card":
        raise ValueError("a gift card is no coupon")
    code = new_code()
    keys = keyring(session)
    coupon = Coupon(
        member_id=member_id,
        reward_id=reward.id,
        code=keys.encrypt(code),
        code_hash=keys.lookup("coupon", code),
        last_four=code[-4:],
        issued_at=at,
        expires_at=validity(reward, at),
        source_kind=source_kind,
        source_id=source_id,
    )
    session.add(coupon)
    session.flush()
    emit(session, CouponIssued(coupon_id=coupon.id, member_id=member_id))
    return CouponView(coupon, reward, code)


def of_member(session: Session, member_id: int) -> list[CouponView]:
    """Return all of a member's coupons, usable ones first, then the newest."""
    rows = session.execute(
        select(Coupon, Reward)
        .join(Reward, Reward.id == Coupon.reward_id)
        .where(Coupon.member_id == member_id)
        .order_by(Coupon.id.desc())
    )
    keys = keyring(session)
    views = [CouponView(coupon, reward, keys.text(coupon.code)) for coupon, reward in rows]
    ready = sorted((view for view in views if view.usable), key=lambda view: view.coupon.expires_at)
    return ready + [view for view in views if not view.usable]


@dataclass(frozen=True)
class Use:
    """When and where a coupon was redeemed; `reversed` when it came back with a refund."""

    at: datetime
    outlet: str
    reversed: bool


def uses(session: Session, coupon_ids: Sequence[int]) -> dict[int, Use]:
    """Return the newest use of each coupon that has one."""
    if not coupon_ids:
        return {}
    rows = session.execute(
        select(Redemption.id, Redemption.coupon_id, Redemption.occurred_at, Outlet.name, Redemption.reversed_at)
        .join(Outlet, Outlet.id == Redemption.outlet_id)
        .where(Redemption.coupon_id.in_(coupon_ids))
    )
    newest_last = sorted(rows, key=lambda row: row.id)  # here: SQLite would walk the brand's redemptions by id
    return {known: Use(at, outlet, reversed_at is not None) for _id, known, at, outlet, reversed_at in newest_last}


def holders(session: Session, views: Sequence[CouponView]) -> dict[int, str]:
    """Return the name of the outlet that holds a coupon at this moment, by the coupon's id."""
    held = [view.coupon.id for view in views if view.held]
    if not held:
        return {}
    rows = session.execute(
        select(Coupon.id, Outlet.name)
        .join(Till, Till.id == Coupon.reserved_till_id)
        .join(Outlet, Outlet.id == Till.outlet_id)
        .where(Coupon.id.in_(held))
    )
    return {row.id: row.name for row in rows}


def find(session: Session, code: str) -> CouponView:
    """Return a coupon by its code, as scanned or typed.

    Raises:
        CouponUnknown: no such code for this brand.
    """
    typed = normalize_code(code)
    known = keyring(session).lookup("coupon", typed)
    row = session.execute(
        select(Coupon, Reward)
        .join(Reward, Reward.id == Coupon.reward_id)
        .where(Coupon.code_hash == known)
        .execution_options(populate_existing=True)  # this unit may have read it before another one changed it
    ).one_or_none()
    if row is None:
        raise CouponUnknown(_("There is no such coupon."))
    return CouponView(row[0], row[1], typed)


def revoke(session: Session, coupon_id: int) -> bool:
    """Take back a coupon that nobody has used, also when its time has run out; False where it was used or revoked."""
    member_id = session.scalar(
        update(Coupon)
        .where(Coupon.id == coupon_id, Coupon.state.in_(UNUSED))
        .values(state="revoked", ended_at=clock.now())
        .returning(Coupon.member_id)
    )
    if member_id is None:
        return False
    seats.free(session, [coupon_id])
    emit(session, CouponChanged(coupon_id=coupon_id, member_id=member_id))
    return True


def expire_due(session: Session, *, now: datetime, most: int = 500) -> int:
    """Mark coupons past their day as expired and free their seats, a slice at a time; return how many."""
    over = (Coupon.state == "issued", Coupon.expires_at <= now)
    due = session.scalars(select(Coupon.id).where(*over).limit(most)).all()
    hold_coupons(session, due)
    ended = session.execute(
        update(Coupon)
        .where(Coupon.id.in_(due), *over)
        .values(state="expired", ended_at=now)
        .returning(Coupon.id, Coupon.member_id)
    ).all()
    seats.free(session, [coupon_id for coupon_id, _member_id in ended])
    for coupon_id, member_id in ended:
        emit(session, CouponChanged(coupon_id=coupon_id, member_id=member_id))
    return len(ended)
