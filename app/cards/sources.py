"""Why a coupon or a gift card was given, as a sentence for people."""

from collections.abc import Iterable

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from app.cards import beside
from app.cards.models import RewardIssue
from app.core.db import brand_of
from app.core.i18n import gettext as _
from app.rewards.models import Coupon, GiftCard, HandGrant

# The plus keeps SQLite from walking the brand's entries.
_FILLED = text(
    "SELECT e.id, p.id, p.kind FROM ledger_entry e "
    "JOIN account a ON a.brand_id = e.brand_id AND a.id = e.account_id "
    "JOIN program p ON p.brand_id = a.brand_id AND p.id = a.program_id WHERE +e.brand_id = :brand_id AND e.id IN :ids"
).bindparams(bindparam("ids", expanding=True))

Source = tuple[str, int]  # kind and id, as a coupon keeps them


def reasons(session: Session, given: Iterable[Coupon | GiftCard]) -> dict[Source, str]:
    """Return why each was given, by its source, in the language of this moment."""
    ids: dict[str, list[int]] = {}
    for row in given:
        ids.setdefault(row.source_kind, []).append(row.source_id)
    found: dict[Source, str] = {("welcome", one): _("Welcome gift") for one in ids.get("welcome", ())}
    found |= {("sale", one): _("Bought at the till") for one in ids.get("sale", ())}
    found |= {("fill", one): _full(kind) for one, (_program, kind) in filled(session, ids.get("fill", ())).items()}
    found |= _issued(session, ids.get("issue", ()))
    found |= _by_hand(session, ids.get("hand", ()))
    return found


def filled(session: Session, entry_ids: Iterable[int]) -> dict[int, tuple[int, str]]:
    """Return id and kind of the program whose card was filled, by the ledger entry of the fill."""
    wanted = list(entry_ids)
    if not wanted:
        return {}
    rows = session.connection().execute(_FILLED, {"brand_id": brand_of(session), "ids": wanted})
    return {entry_id: (program_id, kind) for entry_id, program_id, kind in rows}


def _full(kind: str) -> str:
    return _("A full card") if kind == "stamp_card" else _("You collected enough for it")


def _issued(session: Session, ids: Iterable[int]) -> dict[Source, str]:
    wanted = list(ids)
    if not wanted:
        return {}
    rows = session.execute(
        select(RewardIssue.id, RewardIssue.threshold, RewardIssue.purchase_id, RewardIssue.trigger_run_id).where(
            RewardIssue.id.in_(wanted)
        )
    ).all()
    told = beside.issued(session, (row.trigger_run_id for row in rows if row.trigger_run_id is not None))
    return {
        ("issue", row.id): _earned(row.threshold, row.purchase_id, told.get(row.trigger_run_id or 0)) for row in rows
    }


def _earned(threshold: int | None, purchase_id: int | None, told: str | None) -> str:
    if threshold is not None:
        return _("You collected enough for it")
    if told:
        return told
    return _("Earned with a purchase") if purchase_id is not None else _("A gift for you")


def _by_hand(session: Session, ids: Iterable[int]) -> dict[Source, str]:
    wanted = list(ids)
    if not wanted:
        return {}
    words = {
        "apology": _("With our apologies"), "thanks": _("As a thank-you"), "competition": _("Won in a competition"),
        "cardboard_card": _("For your cardboard card"),
    }  # fmt: skip
    rows = session.execute(select(HandGrant.id, HandGrant.reason).where(HandGrant.id.in_(wanted)))
    return {("hand", one): words.get(reason, _("A gift for you")) for one, reason in rows}
