"""What a member's story says of what rules gave beside purchases: for what it was, and why it was less."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import granting, reasons
from app.cards.models import Program, TriggerRun
from app.cards.programs import of_version
from app.cards.wording import occasion
from app.core.i18n import gettext as _
from app.core.i18n import pick
from app.ledger.models import LedgerEntry


def why(session: Session, entries: Iterable[LedgerEntry]) -> Mapping[int, tuple[str, ...]]:
    """Return entry → for what it was, and why it was not more, of those that a run of a trigger made."""
    made = {entry.id: entry for entry in entries if entry.source_kind == granting.TRIGGER}
    if not made:
        return {}
    ids = {entry.source_id for entry in made.values()}
    runs = {run.id: run for run in session.scalars(select(TriggerRun).where(TriggerRun.id.in_(ids)))}
    return {entry_id: _why(session, entry, runs[entry.source_id or 0]) for entry_id, entry in made.items()}


def _why(session: Session, entry: LedgerEntry, run: TriggerRun) -> tuple[str, ...]:
    said = words(session, run)
    if entry.kind == "reverse_earn":
        return (_("Taken back: %(what)s", what=said),)
    kind = of_version(session, run.version_id).kind
    return tuple(filter(None, (said, reasons.sentence(run.reason, run.details, kind=kind))))


def words(session: Session, run: TriggerRun) -> str:
    """Return for what a run gave something: what the brand calls its rule, else what happened."""
    rules = of_version(session, run.version_id).plan.rules
    label = next((rule.label for rule in rules if rule.name == run.rule), None)
    return pick({str(language): text for language, text in (label or {}).items()}) or occasion(run.kind)


def cut(session: Session, member_id: int) -> list[tuple[TriggerRun, Program, tuple[str, str]]]:
    """Return the runs that a limit left without anything, with why: no entry and no coupon tells of them."""
    rows = session.execute(
        select(TriggerRun, Program)
        .join(Program, Program.id == TriggerRun.program_id)
        .where(
            TriggerRun.member_id == member_id,
            TriggerRun.amount == 0,
            TriggerRun.reason.in_(reasons.LIMITS),
        )
    )
    return [
        (run, program, (words(session, run), reasons.sentence(run.reason, run.details, kind=program.kind)))
        for run, program in rows
    ]


def issued(session: Session, run_ids: Iterable[int]) -> dict[int, str]:
    """Return run → for what a reward was given."""
    wanted = set(run_ids)
    if not wanted:
        return {}
    return {run.id: words(session, run) for run in session.scalars(select(TriggerRun).where(TriggerRun.id.in_(wanted)))}
