"""A member's gift cards as words: what is on them, until when, and where they were used."""

from typing import Any

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.faces import day, last_day
from app.core import i18n
from app.core.i18n import gettext as _
from app.doors.member import shape
from app.network.models import Outlet
from app.rewards import service as rewards
from app.rewards.models import GiftCardEntry, Reward
from app.rewards.service import GiftCardView, print_code


def usable(session: Session, member_id: int) -> list[dict[str, Any]]:
    """Return those with something on them."""
    return [_shown(session, view) for view in rewards.gift_cards_of(session, member_id) if view.usable]


def every(session: Session, member_id: int) -> list[dict[str, Any]]:
    """Return all of a member's gift cards with their uses, usable ones first and with their code."""
    views = rewards.gift_cards_of(session, member_id)
    uses = _uses(session, [view.card.id for view in views])
    return [
        {
            **_shown(session, view),
            "code": print_code(view.code).replace("-", " ") if view.usable else "",
            "qr": shape.qr(view.code) if view.usable else None,
            "uses": uses.get(view.card.id, []),
        }
        for view in views
    ]


def _shown(session: Session, view: GiftCardView) -> dict[str, Any]:
    row = view.card
    reward = session.get(Reward, row.reward_id) if row.reward_id else None
    whole = row.balance_cents == row.initial_cents
    return {
        "id": row.public_id,
        "title": i18n.pick(reward.name) if reward else _("Gift card"),
        "state": "ready" if view.usable else row.state if row.state != "active" else "expired",
        "balance": i18n.format_cents(row.balance_cents),
        "initial": "" if whole else i18n.format_cents(row.initial_cents),
        "until": last_day(row.expires_at, g.brand.zone) if row.expires_at else "",
    }


def _uses(session: Session, card_ids: list[int]) -> dict[int, list[dict[str, str]]]:
    """Return where each card was used and what came back, the newest first."""
    if not card_ids:
        return {}
    rows = session.execute(
        select(GiftCardEntry, Outlet.name)
        .outerjoin(Outlet, Outlet.id == GiftCardEntry.outlet_id)
        .where(GiftCardEntry.gift_card_id.in_(card_ids), GiftCardEntry.kind.in_(("use", "reverse_use")))
    )
    found: dict[int, list[dict[str, str]]] = {}
    for entry, outlet in sorted(rows, key=lambda row: -row[0].id):
        amount = i18n.format_cents(entry.amount_cents)
        line = {
            "when": day(entry.occurred_at, g.brand.zone),
            "where": outlet or _("It came back with a refund"),
            "amount": amount if entry.amount_cents < 0 else f"+{amount}",
        }
        found.setdefault(entry.gift_card_id, []).append(line)
    return found
