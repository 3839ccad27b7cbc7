"""What happened to a member, newest first: purchases and what they gave, spends, expiry, coupons, gift cards."""

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import beside, given, granting, handed, reasons, rules
from app.cards.faces import day
from app.cards.happenings import Gain, Happening
from app.cards.models import Award, Program
from app.cards.programs import of_version
from app.cards.units import unit
from app.core import clock
from app.core.db import brand_of
from app.core.i18n import gettext as _
from app.core.i18n import pick
from app.ledger.models import Account, LedgerEntry, Purchase, Refund
from app.members import lookup
from app.network.models import Brand, Outlet, Till

# Entry → what the story calls it. Fills stand as their coupons, what purchases earn and refunds take beside these.
_MOVEMENTS = {
    "earn": "earned", "spend": "spent", "reverse_spend": "spend_returned", "expire": "expired", "release": "released",
    "adjust": "adjusted", "transfer": "moved", "forfeit": "expired", "reverse_earn": "adjusted",
}  # fmt: skip
_WITHOUT_UNITS = frozenset({"standing", "serial_card"})  # kinds in which a purchase earns nothing that is counted


def story(session: Session, member_id: int, *, most: int = 50) -> list[Happening]:
    """Return what happened to a member, newest first."""
    parts: tuple[Callable[[Session, int, int], list[Happening]], ...] = (_purchases, _refunds)
    # One member of the family at a time: for several, SQLite would read the whole brand in the order of time.
    members = lookup.family(session, member_id)
    lines = [line for one in members for part in parts for line in part(session, one, most)]
    lines += [line for one in members for line in _movements(session, one, moved=one == member_id)]
    lines += [line for one in members for line in given.of_member(session, one)]
    lines += [line for one in members for line in _cut_by_hand(session, one)]
    # What a purchase caused shares its moment and stands above it.
    return sorted(lines, key=lambda line: (line.at, line.kind != "purchase"), reverse=True)[:most]


def _purchases(session: Session, member_id: int, most: int) -> list[Happening]:
    rows = session.execute(
        select(Purchase, Outlet.name)
        .join(Outlet, Outlet.id == Purchase.outlet_id)
        .where(Purchase.member_id == member_id)
        .order_by(Purchase.occurred_at.desc())
        .limit(most)
    ).all()
    awards = _awards(session, [purchase.id for purchase, _outlet in rows])
    zone = session.get_one(Brand, brand_of(session)).zone
    releases: dict[int, rules.Release | None] = {}
    lines = []
    for purchase, outlet in rows:
        every = awards.get(purchase.id, [])
        mine = [(award, program) for award, program in every if program.kind not in _WITHOUT_UNITS]
        why = [_why(session, award, program, purchase, zone, releases) for award, program in mine]
        if len(mine) > 1:
            names = [pick(program.name) for _award, program in mine]
            why = [f"{name}: {said}" if said else "" for name, said in zip(names, why, strict=True)]
        lines.append(
            Happening(
                kind="purchase",
                at=purchase.occurred_at,
                title=outlet,
                outlet=outlet,
                amount_cents=purchase.total_cents,
                gains=tuple(Gain(program.kind, award.amount, unit(program.unit)) for award, program in mine),
                reasons=tuple(filter(None, why)) if every else (_("No program was running"),),
                public_id=purchase.public_id,
            )
        )
    return lines


def _awards(session: Session, purchase_ids: Sequence[int]) -> dict[int, list[tuple[Award, Program]]]:
    """Return what each purchase was awarded, in the order of the programs."""
    if not purchase_ids:
        return {}
    rows = session.execute(
        select(Award, Program).join(Program, Program.id == Award.program_id).where(Award.purchase_id.in_(purchase_ids))
    )
    found: dict[int, list[tuple[Award, Program]]] = {}
    for award, program in sorted(rows, key=lambda row: (row[1].position, row[1].id)):
        found.setdefault(award.purchase_id, []).append((award, program))
    return found


def _why(
    session: Session, award: Award, program: Program, purchase: Purchase, zone: str,
    releases: dict[int, rules.Release | None],
) -> str:  # fmt: skip
    """Return why an award was less than expected, or when it can be used where it waits."""
    if award.reason or not award.amount or program.kind != "bonus":
        return reasons.sentence(award.reason, award.details, kind=program.kind)
    if award.version_id not in releases:
        releases[award.version_id] = of_version(session, award.version_id).plan.release
    release = releases[award.version_id]
    if release is None:
        return ""
    at = rules.release_at(purchase.occurred_at.astimezone(ZoneInfo(zone)), release)
    return _("Can be used from %(day)s", day=day(at, zone)) if at > clock.now() else ""


def _refunds(session: Session, member_id: int, most: int) -> list[Happening]:
    bought = session.scalars(select(Purchase.id).where(Purchase.member_id == member_id)).all()
    if not bought:
        return []
    rows = session.execute(
        select(Refund, Outlet.name)
        .join(Till, Till.id == Refund.till_id)
        .join(Outlet, Outlet.id == Till.outlet_id)
        .where(Refund.purchase_id.in_(bought))
        .order_by(Refund.occurred_at.desc())
        .limit(most)
    ).all()
    taken = _taken(session, [row.id for row, _outlet in rows])
    lines = []
    for row, outlet in rows:
        gains, owing = taken.get(row.id, ((), frozenset()))
        lines.append(
            Happening(
                kind="refund",
                at=row.occurred_at,
                title=outlet,
                outlet=outlet,
                amount_cents=-row.amount_cents,
                gains=gains,
                reasons=_refunded(whole=row.whole, owing=owing),
                public_id=row.public_id,
            )
        )
    return lines


def _refunded(*, whole: bool, owing: frozenset[str]) -> tuple[str, ...]:
    said = _("The purchase was taken back") if whole else _("A part of the purchase was taken back")
    if "stamp_card" in owing:
        return (said, _("Its coupon was used already, so the next stamps pay for it."))
    return (said, _("It had been used already, so what you earn next pays for it.")) if owing else (said,)


def _taken(session: Session, refund_ids: Sequence[int]) -> dict[int, tuple[tuple[Gain, ...], frozenset[str]]]:
    """Return what each refund took in each program, and the kinds of programs in which it left a debt."""
    if not refund_ids:
        return {}
    # Sorted here: SQLite would walk every entry of the brand to read them in the order of their ids.
    rows = session.execute(
        select(LedgerEntry, Program)
        .join(Account, Account.id == LedgerEntry.account_id)
        .join(Program, Program.id == Account.program_id)
        .where(LedgerEntry.refund_id.in_(refund_ids))
    )
    gains: dict[int, list[Gain]] = {}
    left: dict[int, dict[str, int]] = {}
    for entry, program in sorted(rows, key=lambda row: row[0].id):
        refund_id = entry.refund_id or 0
        left.setdefault(refund_id, {})[program.kind] = entry.balance
        if entry.kind == "reverse_earn":
            taken = Gain(program.kind, entry.amount + entry.pending, unit(program.unit))
            gains.setdefault(refund_id, []).append(taken)
    return {
        refund_id: (
            tuple(gains.get(refund_id, ())),
            frozenset(kind for kind, balance in balances.items() if balance < 0),
        )
        for refund_id, balances in left.items()
    }


def _movements(session: Session, member_id: int, *, moved: bool) -> list[Happening]:
    """Return what changed accounts beside purchases; what a merge moved stands with the member who stays."""
    accounts = session.scalars(select(Account.id).where(Account.member_id == member_id)).all()
    if not accounts:
        return []
    rows = session.execute(
        select(LedgerEntry, Program, Outlet.name)
        .join(Account, Account.id == LedgerEntry.account_id)
        .join(Program, Program.id == Account.program_id)
        .outerjoin(Outlet, Outlet.id == LedgerEntry.outlet_id)
        .where(LedgerEntry.account_id.in_(accounts), LedgerEntry.kind.in_(_MOVEMENTS))
    )
    found = [row for row in rows if _stands_alone(row[0]) and (moved or row[0].kind != "transfer")]
    told = beside.why(session, [entry for entry, _program, _outlet in found])
    return [_movement(entry, program, outlet, told.get(entry.id)) for entry, program, outlet in found]


def _stands_alone(entry: LedgerEntry) -> bool:
    """Tell whether no purchase and no refund has the entry in its own line."""
    if entry.kind == "reverse_earn":
        return entry.refund_id is None and entry.source_kind == granting.TRIGGER
    return entry.kind != "earn" or entry.purchase_id is None


def _movement(entry: LedgerEntry, program: Program, outlet: str | None, told: tuple[str, ...] | None) -> Happening:
    amount = entry.amount if entry.kind == "release" else entry.amount + entry.pending
    return Happening(
        kind=_MOVEMENTS[entry.kind],
        at=entry.occurred_at,
        title=pick(program.name),
        outlet=outlet,
        gains=(Gain(program.kind, amount, unit(program.unit)),),
        reasons=(_("From the card that was joined with this one"),)
        if entry.kind == "transfer"
        else told or _by_hand(entry),
    )


def _by_hand(entry: LedgerEntry) -> tuple[str, ...]:
    if entry.kind == "transfer":
        return (_("From the card that was joined with this one"),)
    return tuple(filter(None, [handed.why(entry)]))


def _cut_by_hand(session: Session, member_id: int) -> list[Happening]:
    """Return the stamps by hand, and what else is given beside purchases, that a limit cut."""
    by_rules = [
        Happening(
            kind="earned", at=run.occurred_at, title=pick(program.name),
            gains=(Gain(program.kind, 0, unit(program.unit)),), reasons=why,
        )
        for run, program, why in beside.cut(session, member_id)
    ]  # fmt: skip
    return by_rules + [
        Happening(
            kind="earned", at=stamp.occurred_at, title=pick(program.name), outlet=outlet,
            gains=(Gain(program.kind, 0, unit(program.unit)),), reasons=(handed.why_cut(stamp, program.kind),),
        )
        for stamp, program, outlet in handed.cut(session, member_id)
    ]  # fmt: skip
