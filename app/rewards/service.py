"""Coupons: issued once for each source, found by code, redeemed once ever, taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.crypto import check_symbol, normalize_code, random_symbols
from app.core.db import brand_of, inserting, keyring
from app.core.errors import Conflict, NotFound
from app.core.events import emit
from app.core.i18n import gettext as _
from app.core.tables import UtcDateTime
from app.network.models import Brand, Outlet, Till
from app.rewards.events import CouponChanged, CouponIssued
from app.rewards.models import Coupon, Redemption, Reward, WelcomeGift

CODE_SYMBOLS = 12  # 60 bits
UNUSED = ("issued", "expired")  # states of a coupon that gave nothing: its fill can be undone
GRACE_DAYS = 14  # a coupon that comes back with a refund is valid at least this long


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
        """Tell whether it can be redeemed at this moment."""
        return self.coupon.state == "issued" and self.coupon.expires_at > clock.now()

    @property
    def state(self) -> str:
        """Return the state as people see it: past its day it is expired, also before the nightly job says so."""
        return "expired" if self.coupon.state == "issued" and not self.usable else self.coupon.state


def print_code(code: str) -> str:
    """Return a code in groups that people can read: `ABCD-EFGH-JKLM-N`."""
    return "-".join(code[place : place + 4] for place in range(0, len(code), 4))


def issue(
    session: Session, *, member_id: int, reward: Reward, source_kind: str, source_id: int, at: datetime
) -> CouponView:
    """Give a member a coupon; its source can give only one.

    Args:
        source_kind: `fill` or `welcome`; with `source_id` unique in the brand.
        at: when it was earned; it is valid for the reward's days from then.
    """
    symbols = random_symbols(CODE_SYMBOLS)
    code = symbols + check_symbol(symbols)
    keys = keyring(session)
    coupon = Coupon(
        member_id=member_id,
        reward_id=reward.id,
        code=keys.encrypt(code),
        code_hash=keys.lookup("coupon", code),
        last_four=code[-4:],
        issued_at=at,
        expires_at=at + timedelta(days=reward.valid_days),
        source_kind=source_kind,
        source_id=source_id,
    )
    session.add(coupon)
    session.flush()
    emit(session, CouponIssued(coupon_id=coupon.id, member_id=member_id))
    return CouponView(coupon, reward, code)


def give_welcome(session: Session, *, member_id: int, contact: str) -> CouponView | None:
    """Give the brand's welcome gift, once for each contact and member ever; None where there is none or it was given.

    Args:
        contact: the normalized address or number; kept as a hash only, also after the member is gone.
    """
    brand = session.get_one(Brand, brand_of(session))
    reward = session.get(Reward, brand.welcome_reward_id) if brand.welcome_reward_id else None
    had = select(Coupon.id).where(Coupon.member_id == member_id, Coupon.source_kind == "welcome").limit(1)
    if reward is None or session.scalar(had) is not None:
        return None
    insert = inserting(session)
    values = {"brand_id": brand.id, "contact_hash": keyring(session).lookup("welcome", contact), "at": clock.now()}
    row = session.execute(
        insert(WelcomeGift).values(values).on_conflict_do_nothing().returning(WelcomeGift.id)
    ).scalar()
    if row is None:
        return None
    return issue(session, member_id=member_id, reward=reward, source_kind="welcome", source_id=row, at=clock.now())


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


def find(session: Session, code: str) -> CouponView:
    """Return a coupon by its code, as scanned or typed.

    Raises:
        CouponUnknown: no such code for this brand.
    """
    typed = normalize_code(code)
    known = keyring(session).lookup("coupon", typed)
    row = session.execute(
        select(Coupon, Reward).join(Reward, Reward.id == Coupon.reward_id).where(Coupon.code_hash == known)
    ).one_or_none()
    if row is None:
        raise CouponUnknown(_("There is no such coupon."))
    return CouponView(row[0], row[1], typed)


_USE = text(
    "UPDATE coupon SET state = 'redeemed' WHERE brand_id = :brand_id AND id = :id AND state = 'issued' AND "
    "expires_at > :now"
).bindparams(bindparam("now", type_=UtcDateTime))


def redeem(
    session: Session, code: str, *, till: Till, purchase_id: int | None = None, scan_id: int | None = None
) -> Redemption:
    """Use a coupon at a till, once.

    Args:
        code: as scanned or typed; case, spaces and dashes do not matter.
        till: who redeems; its outlet is paid the settlement value frozen here.
        purchase_id: the basket it was used on, when the till knows it.
        scan_id: the scan it was used with; the sale that follows on that scan becomes its basket.

    Raises:
        CouponUnknown: no such code for this brand.
        CouponNotUsable: used, expired or revoked; says which, when and where.

    Source: earning.md, "Rewards and coupons".
    """
    view = find(session, code)
    now = clock.now()
    values = {"brand_id": view.coupon.brand_id, "id": view.coupon.id, "now": now}
    if session.connection().execute(_USE, values).rowcount != 1:
        session.refresh(view.coupon)
        raise refusal(session, view)
    redemption = Redemption(
        coupon_id=view.coupon.id,
        till_id=till.id,
        outlet_id=till.outlet_id,
        purchase_id=purchase_id,
        scan_id=scan_id,
        settlement_cents=view.reward.settlement_cents,
        fee_cents=view.reward.fee_cents,
        cost_centre_id=view.reward.cost_centre_id,
        occurred_at=now,
        recorded_at=now,
    )
    session.add(redemption)
    session.flush()
    session.refresh(view.coupon)
    emit(session, CouponChanged(coupon_id=view.coupon.id, member_id=view.coupon.member_id))
    return redemption


_JOIN_BASKET = text(
    "UPDATE redemption SET purchase_id = :purchase_id "
    "WHERE brand_id = :brand_id AND scan_id = :scan_id AND purchase_id IS NULL"
)


def join_basket(session: Session, *, scan_id: int, purchase_id: int) -> None:
    """Say that what was redeemed with a scan belongs to its sale, so that a refund gives it back."""
    values = {"brand_id": brand_of(session), "scan_id": scan_id, "purchase_id": purchase_id}
    session.connection().execute(_JOIN_BASKET, values)


def refusal(session: Session, view: CouponView) -> CouponNotUsable:
    """Return the true reason why a coupon cannot be used, for a till of the brand."""
    if view.state == "redeemed":
        used = session.execute(
            select(Redemption.occurred_at, Outlet.name)
            .join(Outlet, Outlet.id == Redemption.outlet_id)
            .where(Redemption.coupon_id == view.coupon.id, Redemption.reversed_at.is_(None))
        ).first()
        at, outlet = used if used else (None, None)
        return CouponNotUsable(
            _("This coupon has been used already."), state="redeemed", at=at.isoformat() if at else None, outlet=outlet
        )
    if view.state == "expired":
        return CouponNotUsable(_("This coupon has expired."), state="expired", at=view.coupon.expires_at.isoformat())
    return CouponNotUsable(_("This coupon was taken back."), state=view.coupon.state, at=None)


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
    emit(session, CouponChanged(coupon_id=coupon_id, member_id=member_id))
    return True


def give_back(session: Session, *, purchase_id: int) -> int:
    """Return the coupons redeemed on a refunded basket to their members, valid 14 days more at least; count them."""
    now = clock.now()
    live = session.scalars(
        select(Redemption).where(Redemption.purchase_id == purchase_id, Redemption.reversed_at.is_(None))
    ).all()
    for redemption in live:
        redemption.reversed_at = now
        coupon = session.get_one(Coupon, redemption.coupon_id)
        coupon.state = "issued"
        coupon.expires_at = max(coupon.expires_at, now + timedelta(days=GRACE_DAYS))
        emit(session, CouponChanged(coupon_id=coupon.id, member_id=coupon.member_id))
    session.flush()
    return len(live)


def move(session: Session, *, member_id: int, into_id: int) -> None:
    """Hand a merged member's coupons to the member it became."""
    session.execute(update(Coupon).where(Coupon.member_id == member_id).values(member_id=into_id))


def expire_due(session: Session, *, now: datetime, most: int = 500) -> int:
    """Mark coupons past their day as expired, a slice at a time; return how many."""
    due = select(Coupon.id).where(Coupon.state == "issued", Coupon.expires_at <= now).limit(most)
    ended = session.execute(
        update(Coupon)
        .where(Coupon.id.in_(due), Coupon.state == "issued")
        .values(state="expired", ended_at=now)
        .returning(Coupon.id, Coupon.member_id)
    ).all()
    for coupon_id, member_id in ended:
        emit(session, CouponChanged(coupon_id=coupon_id, member_id=member_id))
    return len(ended)
