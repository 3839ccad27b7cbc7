"""Simulations that are asked for in the console: small ones are answered at once, others by a job; all stay readable.

Source: docs/decisions/0020-what-takes-minutes-has-a-worker-of-its-own.md.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from app.cards import simulation_json
from app.cards.events import SimulationAsked
from app.cards.models import Program
from app.cards.past import Reading
from app.cards.simulate import Question, Simulating
from app.cards.simulated import Simulation
from app.cards.simulation_models import SimulationRun
from app.core import clock
from app.core.db import brand_of, inserting
from app.core.errors import Conflict, LeimaError, NotFound, Unavailable
from app.core.events import emit
from app.core.i18n import gettext as _
from app.network.models import Staff

SMALL = 2000  # purchases that are looked at within the click
EVERYTHING = 2_000_000_000  # more purchases than there are
MOST_WAITING = 5  # simulations of a brand
LIVE = timedelta(days=30)  # an answer is kept
ENDED = ("done", "failed")
UNKNOWN_FAULT = "simulation_failed"


class SimulationUnknown(NotFound):
    """The program has no such simulation, or it was forgotten."""

    code = "simulation_unknown"


class SimulationsWaiting(Conflict):
    """Several simulations of the brand are not done yet."""

    code = "simulations_waiting"


def at_once(reading: Reading, asked: Question) -> Simulation | None:
    """Return the answer where there are few purchases; None where it is better not to wait for it.

    Raises:
        NothingToSimulate, PeriodInvalid, MarginInvalid: the question makes no sense.
    """
    simulating = Simulating(reading, asked, by_time=True)
    if simulating.past.count(SMALL + 1) > SMALL:
        return None
    for _step in simulating.steps():
        pass
    return simulating.result()


def standing(session: Session, program: Program, asked: Question) -> SimulationRun | None:
    """Return the run of this very question, where there is one."""
    return session.scalar(_standing(program, simulation_json.fingerprint(session, asked)))


def _standing(program: Program, fingerprint: str) -> Select[SimulationRun]:
    return select(SimulationRun).where(
        SimulationRun.program_id == program.id, SimulationRun.fingerprint == fingerprint, SimulationRun.standing
    )


def ask(
    session: Session, program: Program, asked: Question, *, staff: Staff, answer: Simulation | None = None
) -> SimulationRun:
    """Write a run, done where its answer is here and queued for a worker where not; the same question twice is one run.

    Raises:
        SimulationsWaiting: others have to end first.
    """
    fingerprint = simulation_json.fingerprint(session, asked)
    known = session.scalar(_standing(program, fingerprint))
    if known is not None:
        return known
    if answer is None and _waiting(session) >= MOST_WAITING:
        raise SimulationsWaiting(_("Several simulations are still running. Wait until one of them is done."))
    now = clock.now()
    done = {"state": "done", "result": simulation_json.to_json(answer), "ended_at": now} if answer else {}
    values = {
        "brand_id": brand_of(session), "program_id": program.id, "fingerprint": fingerprint,
        "asked": simulation_json.question_to_json(asked), "first_day": asked.first, "last_day": asked.last,
        "margin_bp": asked.margin_bp, "asked_at": now, "asked_by": staff.public_id, **done,
    }  # fmt: skip
    new = inserting(session)(SimulationRun).values(values).on_conflict_do_nothing().returning(SimulationRun.id)
    run_id = session.scalar(new)
    if run_id is None:  # somebody else asked the same at this moment
        return session.scalars(_standing(program, fingerprint)).one()
    if answer is None:
        emit(session, SimulationAsked(run_id=run_id))
    return session.get_one(SimulationRun, run_id)


def _waiting(session: Session) -> int:
    waiting = select(func.count(SimulationRun.id)).where(SimulationRun.state.in_(("queued", "running")))
    return session.scalar(waiting) or 0


def make_room(session: Session, run: SimulationRun) -> None:
    """Let a run stand aside, so that its question is counted again; one that is not done yet stands."""
    aside = update(SimulationRun).where(SimulationRun.id == run.id, SimulationRun.state.in_(ENDED))
    session.execute(aside.values(standing=False))


def find(session: Session, program: Program, public_id: str) -> SimulationRun:
    """Return a run of a program.

    Raises:
        SimulationUnknown
    """
    wanted = select(SimulationRun).where(SimulationRun.program_id == program.id, SimulationRun.public_id == public_id)
    row = session.scalar(wanted)
    if row is None:
        raise SimulationUnknown(_("There is no such simulation any more."))
    return row


def recent(session: Session, program: Program, most: int) -> list[SimulationRun]:
    """Return the runs of a program that were asked for last, the newest first."""
    wanted = select(SimulationRun).where(SimulationRun.program_id == program.id)
    return list(session.scalars(wanted.order_by(SimulationRun.asked_at.desc(), SimulationRun.id.desc()).limit(most)))


def answer(session: Session, run: SimulationRun) -> Simulation | None:
    """Return what a run has found, once it is done."""
    return simulation_json.from_json(session, run.result) if run.result is not None else None


def forget(session: Session, *, now: datetime, most: int) -> int:
    """Forget runs that were asked for long ago; return how many."""
    old = select(SimulationRun.id).where(SimulationRun.asked_at < now - LIVE).order_by(SimulationRun.asked_at)
    ids = list(session.scalars(old.limit(most)))
    session.execute(delete(SimulationRun).where(SimulationRun.id.in_(ids)))
    return len(ids)


class Run:
    """A run at work in a worker: what the steps of its job share."""

    def __init__(self, run_id: int, reading: Reading, asked: Question) -> None:
        self.id, self.reading, self.asked = run_id, reading, asked
        self.total = 0
        self.found: dict[str, Any] | None = None
        self.fault = ""

    def steps(self) -> Iterator[int]:
        """Look at the purchases; give how many were looked at, first none of all."""
        try:
            simulating = Simulating(self.reading, self.asked)
            self.total = simulating.past.count(EVERYTHING)
            yield 0
            yield from simulating.steps()
            self.found = simulation_json.to_json(simulating.result())
        except Unavailable:
            raise  # the database comes back, and then the job begins anew
        except LeimaError as error:
            self.fault = error.code


def begin(session: Session, run_id: int, reading: Reading) -> Run | None:
    """Mark a run begun, also one that another worker left; None where it is done, or forgotten."""
    row = session.get(SimulationRun, run_id)
    if row is None or row.state in ENDED:
        return None
    row.state, row.seen = "running", 0
    return Run(row.id, reading, simulation_json.question_from_json(row.asked))


def note(session: Session, run: Run, seen: int) -> None:
    """Write how far a run is."""
    _write(session, run.id, seen=seen, total=run.total)


def end(session: Session, run: Run) -> None:
    """Write what a run has found, or why it could not."""
    if run.found is None:
        _write(session, run.id, state="failed", error=run.fault or UNKNOWN_FAULT, ended_at=clock.now())
    else:
        _write(session, run.id, state="done", result=run.found, seen=run.total, ended_at=clock.now())


def give_up(session: Session, run_id: int) -> None:
    """Write that a run will not be tried again."""
    _write(session, run_id, state="failed", error=UNKNOWN_FAULT, ended_at=clock.now())


def _write(session: Session, run_id: int, **values: Any) -> None:
    """Change a run that has not ended; one that has ended stays as it is."""
    row = update(SimulationRun).where(SimulationRun.id == run_id, SimulationRun.state.not_in(ENDED))
    session.execute(row.values(**values))
