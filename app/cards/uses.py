"""How often rules with limits counted: read before an award is decided, written with it."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.cards.models import RewardIssue, RuleUse
from app.cards.rules import Rule, Used
from app.core import clock
from app.core.db import brand_of
from app.core.sql import Sql

_MINE = Sql(
    "SELECT rule, sum(CASE WHEN local_date = :day THEN 1 ELSE 0 END) AS day, "
    "sum(CASE WHEN local_date >= :monday AND local_date <= :sunday THEN 1 ELSE 0 END) AS week, "
    "sum(CASE WHEN local_date >= :first AND local_date < :next_first THEN 1 ELSE 0 END) AS month, count(*) AS ever "
    "FROM rule_use WHERE brand_id = :brand_id AND program_id = :program_id AND member_id = :member_id GROUP BY rule"
)
_TOTALS = "SELECT rule, times, awarded FROM rule_total WHERE brand_id = :brand_id AND program_id = :program_id"
# Locked after the member's accounts, in the order of their ids: nobody who holds one waits for an account.
_LOCKED_TOTALS = {"sqlite": Sql(_TOTALS), "postgresql": Sql(f"{_TOTALS} ORDER BY id FOR UPDATE")}
_READ_TOTALS = Sql(_TOTALS)
_OPEN_TOTAL = Sql(
    "INSERT INTO rule_total (brand_id, program_id, rule, times, awarded) VALUES (:brand_id, :program_id, :rule, 0, 0) "
    "ON CONFLICT (brand_id, program_id, rule) DO NOTHING"
)
_COUNT = Sql(
    "UPDATE rule_total SET times = times + 1, awarded = awarded + :awarded "
    "WHERE brand_id = :brand_id AND program_id = :program_id AND rule = :rule"
)
_USE = Sql(
    "INSERT INTO rule_use (brand_id, program_id, rule, member_id, purchase_id, awarded, local_date, at) "
    "VALUES (:brand_id, :program_id, :rule, :member_id, :purchase_id, :awarded, :local_date, :at)"
)


def read(
    session: Session, rules: Iterable[Rule], *, program_id: int, member_id: int, day: date, lock: bool
) -> dict[str, Used]:
    """Return what has been used of each rule that has a limit.

    Args:
        day: the local date of the event; its week begins on Monday.
        lock: keep "the first N" and budgets as they are until this unit ends.
    """
    limited = [rule for rule in rules if rule.limit is not None]
    if not limited:
        return {}
    monday, first = day - timedelta(days=day.weekday()), day.replace(day=1)
    keys = {"brand_id": brand_of(session), "program_id": program_id}
    span = {"day": day, "monday": monday, "sunday": monday + timedelta(days=6), "first": first}
    span["next_first"] = (first + timedelta(days=32)).replace(day=1)
    mine = {row.rule: row for row in _MINE.run(session, {**keys, **span, "member_id": member_id})}
    if lock:
        _OPEN_TOTAL.run_each(session, [{**keys, "rule": rule.name} for rule in limited])
    statement = _LOCKED_TOTALS[session.connection().dialect.name] if lock else _READ_TOTALS
    totals = {row.rule: row for row in statement.run(session, keys)}
    return {rule.name: _used(mine.get(rule.name), totals.get(rule.name)) for rule in limited}


def _used(mine: object, total: object) -> Used:
    return Used(
        member_day=int(getattr(mine, "day", 0)),
        member_week=int(getattr(mine, "week", 0)),
        member_month=int(getattr(mine, "month", 0)),
        member_ever=int(getattr(mine, "ever", 0)),
        everybody=int(getattr(total, "times", 0)),
        awarded=int(getattr(total, "awarded", 0)),
    )


def write(
    session: Session,
    uses: Mapping[str, int],
    *,
    program_id: int,
    member_id: int,
    purchase_id: int | None,
    day: date,
) -> None:
    """Count rules that gave something: name → units."""
    if not uses:
        return
    shared: dict[str, object] = {"brand_id": brand_of(session), "program_id": program_id, "member_id": member_id}
    shared |= {"purchase_id": purchase_id, "local_date": day, "at": clock.now()}
    rows = [{**shared, "rule": rule, "awarded": awarded} for rule, awarded in uses.items()]
    _USE.run_each(session, rows)
    _COUNT.run_each(session, rows)


def move(session: Session, *, member_id: int, into_id: int) -> None:
    """Count what a merged member has used and was given for the member it became."""
    for table in (RuleUse, RewardIssue):
        session.execute(update(table).where(table.member_id == member_id).values(member_id=into_id))
