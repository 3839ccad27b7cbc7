"""Limits against misuse: what they cut of a sale, and what the brand is to look at. Decided before anything is written.

Source: earning.md, "Limits against misuse".
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy.orm import Session

from app.cards import limit_statements as sql
from app.cards.rules import Outcome
from app.core import clock
from app.core.db import brand_of
from app.core.errors import Conflict
from app.core.i18n import gettext as _
from app.core.sql import moment
from app.ledger.service import Basket

OUTLET_DAY, DAY, APPROVAL, OWN_CARD = "limit_outlet_day", "limit_day", "needs_approval", "own_card"
MEMBER_DAY, CASHIER_HOUR = "limit_manual_day", "limit_manual_hour"
OWN_CARD_OFTEN, FAR_APART = "own_card_often", "far_apart"
CUTS = (OUTLET_DAY, DAY, APPROVAL, OWN_CARD, MEMBER_DAY, CASHIER_HOUR)  # reason codes of awards that are 0 for a limit
EARTH_KM = 6371


class NeedsApproval(Conflict):
    """So much at once needs a manager's approval; `awards` names what would be given.

    Each of `awards` has program and amount. The same call with `approval` books it.
    """

    code = "needs_approval"


@dataclass(frozen=True)
class Limits:
    """A brand's limits; None is off."""

    purchases_outlet_day: int | None = 3  # earning purchases of a member at one outlet
    purchases_day: int | None = 6  # and at all outlets
    manual_member_day: int | None = 2  # stamps
    manual_cashier_hour: int | None = 60  # stamps
    award_units: int | None = 30  # of a stamp card, without a manager's approval
    award_cents: int | None = 5000  # of a bonus
    own_card: bool | None = True  # refuse a staff member's own card at their own log-in
    own_card_month: int | None = 5  # times by colleagues that raise no flag
    far_km: int | None = 100
    far_minutes: int = 10

    def largest(self, kind: str) -> tuple[str, int | None]:
        """Return the name that a sentence has for the largest single award of a kind of program, and how much it is."""
        if kind in ("bonus", "cash_back"):
            return "most_cents", self.award_cents
        return "most", self.award_units if kind in ("stamp_card", "visits") else None


def of_brand(session: Session) -> Limits:
    """Return the limits of the session's brand."""
    ((kept,),) = sql.LIMITS.run(session, {"brand_id": brand_of(session)})
    values: dict[str, Any] = {name: None if value is False else value for name, value in json.loads(kept).items()}
    return Limits(**values)


@dataclass(frozen=True)
class Suspicion:
    """What a flag says: a kind, and what its sentence names."""

    kind: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What the limits say of one sale: a reason why nothing may be earned, and what the brand is to look at."""

    limits: Limits
    approved: bool = False
    reason: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    suspicions: tuple[Suspicion, ...] = ()

    def cut(self, kind: str, outcome: Outcome, *, worth_cents: int | None = None) -> Outcome:
        """Return an outcome of a kind of program, or nothing and why; `would` is what the limit took away.

        Args:
            worth_cents: what it comes to, where that is not its amount.
        """
        if not (outcome.amount or outcome.issues or outcome.tier or outcome.messages):
            return outcome
        reason, values = self.reason, dict(self.values)
        if not reason:
            name, most = self.limits.largest(kind)
            large = outcome.amount if worth_cents is None else worth_cents
            if most is None or large <= most or self.approved:
                return outcome
            reason, values = APPROVAL, {name: most}
        values["would"] = outcome.amount
        return replace(
            outcome, amount=0, parts=(), reason=reason, values=values, issues=(), tier=None, messages=(), uses={}
        )


Awarded = tuple[str, str, Mapping[str, Any]]  # a program's slug, the reason code of its award, what that names


def look(session: Session, basket: Basket, *, member_id: int, outlet_id: int, at: datetime) -> Verdict:
    """Return what a brand's limits say of a sale; asks nothing for those that are off.

    A booking has locked the member's accounts, so that nobody else earns meanwhile.

    Args:
        at: when, in the brand's zone.
    """
    limits = of_brand(session)
    reason, values, suspicions = own_card(
        session, limits, member_id=member_id, outlet_id=outlet_id, at=at, staff=(basket.cashier, basket.approver)
    )
    near = _around(session, limits, member_id=member_id, outlet_id=outlet_id, at=at)
    if not reason:
        reason, values = _too_often(limits, near, outlet_id=outlet_id, at=at)
    suspicions += _far_apart(limits, near, outlet_id=outlet_id, at=at)
    return Verdict(limits, basket.approver is not None, reason, values, suspicions)


def own_card(
    session: Session, limits: Limits, *, member_id: int, outlet_id: int, at: datetime, staff: Sequence[str | None]
) -> tuple[str, dict[str, Any], tuple[Suspicion, ...]]:
    """Return whether a staff member's own card is at their own log-in, as reason, values and flags.

    Whose card it is tells a confirmed contact that is the email or phone of somebody who works here.

    Args:
        staff: public ids of who stands at the till, and of who approved.
    """
    if not limits.own_card and limits.own_card_month is None:
        return "", {}, ()
    keys = {"brand_id": brand_of(session), "member_id": member_id, "now": clock.now()}
    owners = sql.OWNER.run(session, keys)
    if not owners:
        return "", {}, ()
    if limits.own_card and any(owner.public_id in staff for owner in owners):
        return OWN_CARD, {}, ()
    often = _often(session, limits, owners[0], member_id=member_id, outlet_id=outlet_id, at=at)
    return "", {}, () if often is None else (often,)


def _often(
    session: Session, limits: Limits, owner: Any, *, member_id: int, outlet_id: int, at: datetime
) -> Suspicion | None:
    """Count how often colleagues sold to a staff member's card in this month, this time included."""
    if limits.own_card_month is None:
        return None
    keys = {"brand_id": brand_of(session), "reseller_id": owner.reseller_id}
    connection = session.connection()
    if connection.execute(sql.IS_COLLEAGUE, {**keys, "outlet_id": outlet_id}).first() is None:
        return None
    first = at.date().replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    span = {"since": _midnight(first, at), "until": _midnight(following, at), "first": first, "next": following}
    mine = {"member_id": member_id, "owner": owner.public_id}
    times = int(sql.BY_COLLEAGUES.run(session, {**keys, **span, **mine})[0][0]) + 1
    if times <= limits.own_card_month:
        return None
    return Suspicion(OWN_CARD_OFTEN, {"owner": owner.public_id, "times": times, "most": limits.own_card_month})


def by_hand(
    session: Session, limits: Limits, *, member_id: int, cashier: str, wanted: int, at: datetime
) -> tuple[str, dict[str, Any]]:
    """Return why so many stamps cannot be given by hand now, as reason and values; empty where they can.

    Args:
        cashier: public id; nobody else gives in this name until the unit ends.
        at: when, in the brand's zone.
    """
    connection, keys = session.connection(), {"brand_id": brand_of(session)}
    if (most := limits.manual_member_day) is not None:
        day = {"member_id": member_id, "day": at.date()}
        if sql.MANUAL_OF_MEMBER.run(session, {**keys, **day})[0][0] + wanted > most:
            return MEMBER_DAY, {"times": most}
    if (most := limits.manual_cashier_hour) is not None:
        # On both sides: who waited for the lock may have been there a moment before whoever had it.
        hour = {"cashier": cashier, "since": at - timedelta(hours=1), "until": at + timedelta(hours=1)}
        connection.execute(sql.HOLD_CASHIER[connection.dialect.name], {**keys, "cashier": cashier})
        if connection.execute(sql.MANUAL_OF_CASHIER, {**keys, **hour}).scalar_one() + wanted > most:
            return CASHIER_HOUR, {"times": most}
    return "", {}


def _midnight(day: date, at: datetime) -> datetime:
    return datetime.combine(day, time(), at.tzinfo)


class _Near(NamedTuple):
    """A member's purchase, and where the new one is."""

    outlet_id: int
    occurred_at: datetime
    kind: str
    latitude: float | None
    longitude: float | None
    here_kind: str
    here_latitude: float | None
    here_longitude: float | None
    earned: int


def _around(session: Session, limits: Limits, *, member_id: int, outlet_id: int, at: datetime) -> list[_Near]:
    """Return the member's purchases of the day, and those that are near in time."""
    counts = limits.purchases_outlet_day is not None or limits.purchases_day is not None
    if not counts and limits.far_km is None:
        return []
    day = at.date()
    reach = timedelta(minutes=limits.far_minutes) if limits.far_km is not None else timedelta()
    since, until = at - reach, at + reach + timedelta(microseconds=1)
    if counts:
        since, until = min(since, _midnight(day, at)), max(until, _midnight(day + timedelta(days=1), at))
    keys = {"brand_id": brand_of(session), "member_id": member_id, "outlet_id": outlet_id}
    return [
        _Near(outlet_id, moment(occurred_at), *rest)
        for outlet_id, occurred_at, *rest in sql.AROUND.run(session, {**keys, "since": since, "until": until})
    ]


def _too_often(limits: Limits, near: Sequence[_Near], *, outlet_id: int, at: datetime) -> tuple[str, dict[str, Any]]:
    earned = [row for row in near if row.earned and row.occurred_at.astimezone(at.tzinfo).date() == at.date()]
    here = sum(row.outlet_id == outlet_id for row in earned)
    for reason, most, times in (
        (OUTLET_DAY, limits.purchases_outlet_day, here),
        (DAY, limits.purchases_day, len(earned)),
    ):
        if most is not None and times >= most:
            return reason, {"times": most}
    return "", {}


def _far_apart(limits: Limits, near: Sequence[_Near], *, outlet_id: int, at: datetime) -> tuple[Suspicion, ...]:
    """Tell of the farthest other outlet at which the member bought within minutes; web shops are nowhere."""
    if limits.far_km is None:
        return ()
    reach = timedelta(minutes=limits.far_minutes)
    found = []
    for row in near:
        if row.outlet_id == outlet_id or "web" in (row.kind, row.here_kind) or abs(row.occurred_at - at) > reach:
            continue
        places = (row.latitude, row.longitude, row.here_latitude, row.here_longitude)
        if None not in places and (km := distance_km(*cast(tuple[float, float, float, float], places))) > limits.far_km:
            minutes = int(abs(row.occurred_at - at).total_seconds() // 60)
            found.append((km, {"km": int(km), "minutes": minutes, "other_outlet_id": row.outlet_id}))
    return (Suspicion(FAR_APART, max(found, key=lambda pair: pair[0])[1]),) if found else ()


def distance_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Return the great circle between two places in degrees."""
    one, other = math.radians(latitude), math.radians(other_latitude)
    turn = math.radians(other_longitude - longitude)
    # Haversines keep their figures for places that are close together.
    half = math.sin((other - one) / 2) ** 2 + math.cos(one) * math.cos(other) * math.sin(turn / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


def judge(verdict: Verdict, awards: Sequence[Awarded], *, offline: bool) -> tuple[Suspicion, ...]:
    """Return what the brand is to look at, once the awards of a sale are decided.

    Args:
        offline: the sale has happened: what needs an approval is 0, and the brand judges it later.

    Raises:
        NeedsApproval: somebody stands at the till and can ask a manager.
    """
    would: dict[str, dict[str, int]] = {}
    for slug, reason, values in awards:
        if reason in CUTS:
            would.setdefault(reason, {})[slug] = values["would"]
    if APPROVAL in would and not offline:
        raise needs_approval(would[APPROVAL])
    times = {"times": verdict.values["times"]} if "times" in verdict.values else {}
    return (*verdict.suspicions, *(Suspicion(reason, {"would": each, **times}) for reason, each in would.items()))


def needs_approval(would: Mapping[str, int]) -> NeedsApproval:
    """Return the refusal that names what a manager is to approve: program's slug → units."""
    awards = [{"program": slug, "amount": amount} for slug, amount in would.items()]
    return NeedsApproval(_("So much at once needs a manager’s approval."), awards=awards)
