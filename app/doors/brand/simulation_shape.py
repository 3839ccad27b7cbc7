"""Runs of a simulation as the page of a program shows them: the form, how far a run is, what it found, earlier ones."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import g, request
from sqlalchemy.orm import Session

from app.cards import simulation_json, simulations, versions
from app.cards.form_values import hundredths
from app.cards.models import Program
from app.cards.replay import Draft
from app.cards.simulate import PeriodInvalid, Question
from app.cards.simulation_models import SimulationRun
from app.cards.versions import Content
from app.core import clock, i18n
from app.core.i18n import gettext as _
from app.doors.brand import program_shape as shape
from app.rewards.models import Reward

PERIOD = timedelta(days=29)  # that is simulated at first, and today
MARGIN = "40"  # percent
EARLIER = 6  # runs that are listed
LINE = 100  # the whole of a line of progress


def question(session: Session, found: Program, row: shape.Row) -> Question:
    """Return what the form asks.

    Raises:
        PeriodInvalid: a day is none.
    """
    try:
        first = date.fromisoformat(request.form.get("first", ""))
        last = date.fromisoformat(request.form.get("last", ""))
    except ValueError:
        raise PeriodInvalid(_("Choose a first and a last day.")) from None
    current = versions.current(session, found)
    beside = draft(session, found, current) if current is not None and current is not row else None
    margin = hundredths(request.form.get("margin", "")[:8]) or 0
    return Question(draft(session, found, row), beside, first, last, margin)


def draft(session: Session, found: Program, row: shape.Row) -> Draft:
    """Return what a version or a draft says, to be simulated."""
    content = Content.of(found.kind, row)
    reward = session.get(Reward, content.reward_id) if content.reward_id else None
    return Draft(found.kind, content.plan, content.size, reward.slug if reward else None)


def shown(session: Session, found: Program, row: shape.Row | None) -> dict[str, Any]:
    """Return the simulation's part of the page: the run that the address names, or the form alone.

    Raises:
        SimulationUnknown: the address names none of this program.
    """
    wish = request.args.get("run", "")
    run = simulations.find(session, found, wish) if wish else None
    answer = simulations.answer(session, run) if run else None
    return {
        "asked": _asked(run),
        "run": _run(session, found, row, run) if run else None,
        "simulation": shape.simulation(answer, found) if answer else None,
        "runs": [_line(session, one) for one in simulations.recent(session, found, EARLIER)],
    }


def _asked(run: SimulationRun | None) -> dict[str, str]:
    """Return the form: as it was sent, or as a run was asked for, or the last days."""
    today = clock.local_date(clock.now(), g.brand.zone)
    first, last, margin = today - PERIOD, today, MARGIN
    if run is not None:
        first, last, margin = run.first_day, run.last_day, _percent(run)
    return {
        "first": request.form.get("first", first.isoformat())[:10],
        "last": request.form.get("last", last.isoformat())[:10],
        "margin": request.form.get("margin", margin)[:8],
    }


def _percent(run: SimulationRun) -> str:
    return i18n.format_number(Decimal(run.margin_bp) / 100)


def _run(session: Session, found: Program, row: shape.Row | None, run: SimulationRun) -> dict[str, Any]:
    asked = simulation_json.question_from_json(run.asked)
    seen = min(run.seen, run.total)
    return {
        **_line(session, run),
        "ended": run.state in simulations.ENDED,
        "state": run.state,
        "share": LINE * seen // run.total if run.total else 0,
        # To the very address of a page, with its #, a browser goes without asking the server: so it alternates.
        "look": "b" if request.args.get("look") == "a" else "a",
        "seen": seen,
        "total": run.total,
        "same": row is not None and asked.draft == draft(session, found, row),
    }


def _line(session: Session, run: SimulationRun) -> dict[str, str]:
    year = clock.local_date(run.asked_at, g.brand.zone).year
    dated = {run.first_day.year, run.last_day.year} != {year}
    days = [i18n.format_day(day, with_year=dated) for day in (run.first_day, run.last_day)]
    states = {"queued": _("waiting"), "running": _("running"), "done": _("done"), "failed": _("failed")}
    return {
        "id": run.public_id, "days": "–".join(days), "margin": f"{_percent(run)}\u00a0%",
        "asked": shape.moment(run.asked_at), "by": shape.who(session, run.asked_by), "state_text": states[run.state],
        "tone": {"done": "granted", "failed": "refused"}.get(run.state, "pending"),
    }  # fmt: skip
