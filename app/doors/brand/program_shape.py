"""Programs, versions and simulations as the console's pages show them: words and figures that templates only place."""

from datetime import datetime
from typing import Any

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import gone, reasons, versions, views, wording
from app.cards.models import Program, ProgramDraft, ProgramVersion
from app.cards.simulated import MemberChange, RewardSum, Simulation, Sums
from app.cards.units import MONEY
from app.cards.versions import Content
from app.cards.wording import Words
from app.core import clock, i18n
from app.core.i18n import gettext as _
from app.members.rules import display_name
from app.network.models import Staff
from app.rewards.models import Reward

Row = ProgramVersion | ProgramDraft
GONE = 10  # withdrawn versions and drafts that are listed


def kinds() -> dict[str, tuple[str, str]]:
    """Return each kind of program: its name, and what it does in a sentence."""
    return {
        "stamp_card": (_("Stamp card"), _("Stamps by amount, purchase or product; a full card gives a reward.")),
        "bonus": (_("Bonus"), _("A percentage of what is paid comes back as money to spend.")),
        "points": (_("Points"), _("Points by amount; thresholds give rewards.")),
        "visits": (_("Visits"), _("A visit a day and shop; thresholds give rewards.")),
        "cash_back": (_("Cash back"), _("Every full amount gives a gift card.")),
        "serial_card": (_("Serial card"), _("Uses that are bought ahead; quick use may give money back.")),
        "standing": (_("Tiers"), _("Who buys or visits more, gets a standing discount.")),
    }


def moment(at: datetime | None) -> str:
    """Write a moment in the brand's zone; empty where there is none."""
    return i18n.format_datetime(at, g.brand.zone) if at else ""


def reward_names(session: Session) -> dict[str, str]:
    """Return the rewards' names in this language by slug."""
    return {reward.slug: i18n.pick(reward.name) for reward in session.scalars(select(Reward).order_by(Reward.slug))}


def words(session: Session, program: Program) -> Words:
    """Return what a program's sentences are written with."""
    return Words(program.kind, views.unit(program.unit), reward_names(session))


def sentences(session: Session, program: Program, row: Row | None) -> list[wording.Sentence]:
    """Return what a version or draft says; nothing where there is none."""
    if row is None:
        return []
    content = Content.of(program.kind, row)
    reward = session.get(Reward, content.reward_id) if content.reward_id else None
    return wording.sentences(
        content.plan, words(session, program), size=content.size, reward=reward.slug if reward else None
    )


def version_rows(session: Session, program: Program, rows: list[ProgramVersion]) -> list[dict[str, Any]]:
    """Return the versions with their state, the newest first."""
    current, now = versions.current(session, program), clock.now()
    people = _people(session, [row.created_by for row in rows if row.created_by])
    shown = []
    for row in rows:
        state = "planned" if row.valid_from > now else "current" if current and row.id == current.id else "past"
        begins = "" if row.valid_from == versions.FIRST else moment(row.valid_from)
        shown.append(
            {"number": row.number, "state": state, "state_text": _state(state), "begins": begins,
             "by": people.get(row.created_by or "", ""), "made": moment(row.created_at)}
        )  # fmt: skip
    return shown


def gone_rows(session: Session, program: Program) -> list[dict[str, Any]]:
    """Return what was withdrawn and thrown away last: `number` is none for a draft."""
    rows = gone.recent(session, program, GONE)
    people = _people(session, [row.by for row in rows])
    return [
        {"number": row.number, "begins": moment(row.valid_from), "by": people.get(row.by, ""), "at": moment(row.at)}
        for row in rows
    ]


def _state(state: str) -> str:
    return {"planned": _("planned"), "current": _("in force"), "past": _("past")}[state]


def _people(session: Session, ids: list[str]) -> dict[str, str]:
    if not ids:
        return {}
    return dict(session.execute(select(Staff.public_id, Staff.name).where(Staff.public_id.in_(ids))).all())


def who(session: Session, public_id: str) -> str:
    """Return the name of somebody of the staff."""
    return _people(session, [public_id]).get(public_id, "")


def simulation(found: Simulation, program: Program) -> dict[str, Any]:
    """Return a simulation in words and figures."""
    sides = [(_("This version"), found.draft)] + ([(_("In force now"), found.current)] if found.current else [])
    unit = views.unit(program.unit)
    return {
        "purchases": found.purchases, "members": found.members, "sales": i18n.format_cents(found.sales_cents),
        "titles": [title for title, _sums in sides],
        "lines": [(label, [value(sums) for _title, sums in sides]) for label, value in _figures(found, program, unit)],
        "sides": [
            {"title": title, "sentence": found.break_even(sums), "rules": _rules(sums, program),
             "rewards": [_reward(line) for line in sums.rewards],
             "zeros": [(reasons.summary(reason), n) for reason, n in sums.zeros], "left_out": sums.not_replayed}
            for title, sums in sides
        ],
        "changes": _changes(found, program) if found.changes else None,
    }  # fmt: skip


def _amount(program: Program, n: int) -> str:
    return i18n.format_cents(n) if program.kind in MONEY else i18n.format_number(n)


def _figures(found: Simulation, program: Program, unit: tuple[str, str]) -> list[tuple[str, Any]]:
    return [
        (unit[1][:1].upper() + unit[1][1:], lambda sums: _amount(program, sums.units)),
        (_("Purchases that earn"), lambda sums: i18n.format_number(sums.awards)),
        (_("Coupons and gift cards"), lambda sums: i18n.format_number(sums.issued)),
        (_("Worth to members"), lambda sums: i18n.format_cents(sums.face_cents)),
        (_("Paid to outlets"), lambda sums: i18n.format_cents(sums.settlement_cents)),
        (_("Handling fees"), lambda sums: i18n.format_cents(sums.fee_cents)),
        (_("Cost in all"), lambda sums: i18n.format_cents(sums.cost_cents)),
        (_("Cost of sales"), lambda sums: _percent(found.cost_bp(sums))),
        (_("Sales that pay for it"), lambda sums: i18n.format_cents(found.extra_sales_cents(sums))),
        (_("That is more sales by"), lambda sums: _percent(found.extra_sales_bp(sums))),
    ]


def _percent(bp: int) -> str:
    return f"{wording.percent(bp)}\u00a0%"


def _rules(sums: Sums, program: Program) -> list[tuple[str, str, str]]:
    return [(line.name, i18n.format_number(line.times), _amount(program, line.units)) for line in sums.rules]


def _reward(line: RewardSum) -> dict[str, str]:
    return {
        "name": i18n.pick(line.reward.name), "count": i18n.format_number(line.count),
        "face": i18n.format_cents(line.face_cents),
        "cost": i18n.format_cents(line.settlement_cents + line.fee_cents) + (" ≈" if line.estimated else ""),
    }  # fmt: skip


def _changes(found: Simulation, program: Program) -> dict[str, Any] | None:
    changes = found.changes
    if changes is None:
        return None
    return {
        "more": changes.more, "same": changes.same, "less": changes.less,
        "largest": [_member(one, program) for one in changes.largest],
    }  # fmt: skip


def _member(one: MemberChange, program: Program) -> dict[str, str]:
    return {
        "id": one.member.public_id, "name": display_name(one.member.first_name, one.member.last_name),
        "before": f"{_amount(program, one.units_before)} · {i18n.format_cents(one.face_before_cents)}",
        "after": f"{_amount(program, one.units)} · {i18n.format_cents(one.face_cents)}",
    }  # fmt: skip
