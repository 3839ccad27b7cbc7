"""What a member's story says of stamps that staff gave by hand, of a cardboard card, and of what the brand judged."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import reasons
from app.cards.misuse_models import BY_HAND, CARDBOARD, JUDGED, ManualStamp
from app.cards.models import Program
from app.core.i18n import gettext as _
from app.ledger.models import LedgerEntry
from app.network.models import Outlet


def cut(session: Session, member_id: int) -> Sequence[tuple[ManualStamp, Program, str]]:
    """Return the stamps by hand that a limit cut: no entry tells of them."""
    rows = session.execute(
        select(ManualStamp, Program, Outlet.name)
        .join(Program, Program.id == ManualStamp.program_id)
        .join(Outlet, Outlet.id == ManualStamp.outlet_id)
        .where(ManualStamp.member_id == member_id, ManualStamp.cut != "")
    )
    return [(stamp, program, outlet) for stamp, program, outlet in rows]


def why(entry: LedgerEntry) -> str:
    """Return why an entry was made by hand, for people; empty where it was not."""
    if entry.source_kind == BY_HAND:
        return given_for(entry.reason)
    if entry.source_kind == CARDBOARD:
        return _("From the cardboard card")
    if entry.source_kind == JUDGED:
        return _("Given after a check") if entry.amount + entry.pending > 0 else _("Taken back after a check")
    return ""


def given_for(reason: str) -> str:
    """Return for what a cashier gave stamps by hand, for people."""
    return {
        "forgotten_card": _("By hand: the card was not at hand"),
        "till_down": _("By hand: the till was out of order"),
        "goodwill": _("By hand, with kind regards"),
        "correction": _("By hand: something was put right"),
    }.get(reason, _("By hand"))


def why_cut(stamp: ManualStamp, kind: str) -> str:
    """Return why stamps by hand were not given, for people."""
    return reasons.sentence(stamp.cut, stamp.details, kind=kind)
