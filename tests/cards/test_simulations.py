"""Runs of simulations on both databases: one for each question, by a worker that may be killed; forgotten at last."""

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, func, select
from sqlalchemy.orm import Session

from app.cards import simulate as simulating
from app.cards import simulations
from app.cards.models import Program
from app.cards.simulate import Question, simulate
from app.cards.simulation_json import fingerprint, question_from_json, question_to_json
from app.cards.simulation_models import SimulationRun
from app.cards.simulations import LIVE, SimulationsWaiting
from app.core import clock
from app.core.db import Database
from app.core.jobs import LEASE, Job, kinds
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.network.models import Staff
from app.worker import Worker
from tests.builders import a_brand, a_member
from tests.cards.past_days import a_draft, asking, bought, moment, stamps
from tests.shop import a_shop

FIRST_THREE = {"rules": [{"name": "x", "then": [{"do": "award", "n": 1}], "limit": {"first_n": 3}}]}
QUESTIONS = {
    "by member": asking(stamps(200), stamps(400)),
    "by time": asking(a_draft("points", FIRST_THREE)),
    "new": asking(stamps(300)),
}


@pytest.fixture
def brand_id(database: Database, monkeypatch: pytest.MonkeyPatch) -> int:
    """A brand whose six members bought twice each in October; a step is three purchases."""
    monkeypatch.setattr(simulating, "STEP", 3)
    brand = a_brand(database)
    with database.unit(brand) as session:
        shop = a_shop(session)
        session.add(Staff(email="kaisa@meri.example", name="Kaisa", role="brand_admin"))
        for number in range(6):
            member = a_member(session, first_name=f"Member {number}")
            for day in (3 + number, 20 - number):
                bought(shop, moment(10, day), 700 * (number + 1), member=member)
        session.flush()
        session.execute(delete(Job))
    return brand


def asked_for(database: Database, brand_id: int, question: Question) -> int:
    with database.unit(brand_id) as session:
        return ask(session, question).id


def ask(session: Session, question: Question, **more: Any) -> SimulationRun:
    program, staff = session.scalars(select(Program)).one(), session.scalars(select(Staff)).one()
    return simulations.ask(session, program, question, staff=staff, **more)


def run_of(database: Database, brand_id: int) -> SimulationRun:
    with database.reading(brand_id) as session:
        return session.scalars(select(SimulationRun)).one()


def a_worker(settings: Settings, database: Database) -> Worker:
    return Worker(Runtime(settings, database), long=True)


@pytest.mark.parametrize("which", QUESTIONS)
def test_worker_finds_what_is_found_at_once(database: Database, settings: Settings, brand_id: int, which: str) -> None:
    question = QUESTIONS[which]
    asked_for(database, brand_id, question)

    assert a_worker(settings, database).drain() == 1

    row = run_of(database, brand_id)
    assert (row.state, row.seen, row.total, row.error) == ("done", 12, 12, None)
    with database.reading(brand_id) as session:
        found = simulations.answer(session, row)
        assert found == simulate(session, question) == simulations.at_once(lambda: nullcontext(session), question)
        assert found is not None
        assert (found.purchases, found.members) == (12, 6)
        if found.changes:
            assert found.changes.largest[0].member.first_name == "Member 5"


@pytest.mark.parametrize("which", QUESTIONS)
def test_question_is_read_back_as_it_was_asked(which: str) -> None:
    assert question_from_json(question_to_json(QUESTIONS[which])) == QUESTIONS[which]


@pytest.mark.parametrize("which", QUESTIONS)
def test_nothing_is_open_between_two_steps(database: Database, settings: Settings, brand_id: int, which: str) -> None:
    run_id = asked_for(database, brand_id, QUESTIONS[which])
    job = kinds()["cards.simulate"].run(Runtime(settings, database))
    with database.unit(brand_id) as session:
        run = job.prepare(session, run_id=run_id)
    taken: set[int] = set()
    event.listen(database.engine, "checkout", lambda raw, *_rest: taken.add(id(raw)))
    event.listen(database.engine, "checkin", lambda raw, *_rest: taken.discard(id(raw)))

    seen = []
    for step in job.steps(run):
        assert not taken  # so no till waits, and no log grows
        with database.unit(brand_id) as session:
            a_member(session)
        seen.append(step)

    assert seen == [0, 3, 6, 9, 12]


def test_worker_that_was_killed_leaves_nothing_twice(database: Database, settings: Settings, brand_id: int) -> None:
    run_id = asked_for(database, brand_id, QUESTIONS["by member"])
    killed = a_worker(settings, database)
    claim = killed.claim()
    assert claim is not None
    job = claim.kind.run(killed.runtime)
    with database.unit(brand_id) as session:
        run = job.prepare(session, run_id=run_id)
    steps = job.steps(run)
    for _step in range(3):
        with database.unit(brand_id) as session:
            job.note(session, run, next(steps))
    assert (run_of(database, brand_id).state, run_of(database, brand_id).seen) == ("running", 6)

    assert not a_worker(settings, database).run_one()  # the lease still holds
    with clock.moved(by=2 * LEASE):
        assert a_worker(settings, database).drain() == 1
    row = run_of(database, brand_id)
    assert (row.state, row.seen) == ("done", 12)

    for late in steps:  # it was not dead after all
        with database.unit(brand_id) as session:
            job.note(session, run, late)
    with database.unit(brand_id) as session:
        job.finish(session, run)
        assert job.prepare(session, run_id=run_id) is None
    again = run_of(database, brand_id)
    assert (again.result, again.ended_at, again.state) == (row.result, row.ended_at, "done")


def test_fault_is_kept_as_a_code_and_what_fails_too_often_too(
    database: Database, settings: Settings, brand_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for(database, brand_id, asking(stamps(200), margin_bp=0))  # which the door refuses
    a_worker(settings, database).drain()
    row = run_of(database, brand_id)
    assert (row.state, row.error, row.result) == ("failed", "margin_invalid", None)

    with database.unit(brand_id) as session:
        session.execute(delete(SimulationRun))
    asked_for(database, brand_id, QUESTIONS["new"])

    def broken(*_args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(simulating.Simulating, "steps", broken)
    for hours in range(kinds()["cards.simulate"].retries):
        with clock.moved(by=timedelta(hours=hours)):
            assert a_worker(settings, database).run_one()
    assert (run_of(database, brand_id).state, run_of(database, brand_id).error) == ("failed", "simulation_failed")


def test_same_question_is_one_run_and_one_job(database: Database, brand_id: int) -> None:
    with database.unit(brand_id) as session:
        first = ask(session, QUESTIONS["new"])
        assert ask(session, QUESTIONS["new"]) is first
        assert fingerprint(session, QUESTIONS["new"]) == first.fingerprint
        assert ask(session, QUESTIONS["by time"]).id != first.id
    with database.reading() as session:
        assert session.scalar(select(func.count(Job.id)).where(Job.name == "cards.simulate")) == 2


def test_answer_that_is_here_needs_no_worker_and_waits_for_nobody(database: Database, brand_id: int) -> None:
    with database.unit(brand_id) as session:
        for margin in range(1, simulations.MOST_WAITING + 1):
            ask(session, asking(stamps(200), margin_bp=margin))
        with pytest.raises(SimulationsWaiting):
            ask(session, QUESTIONS["new"])
        done = ask(session, QUESTIONS["new"], answer=simulate(session, QUESTIONS["new"]))
        assert (done.state, done.ended_at) == ("done", done.asked_at)


@pytest.mark.parametrize(("age", "left"), [(LIVE + timedelta(hours=1), 0), (LIVE - timedelta(hours=1), 1)])
def test_old_runs_are_forgotten(database: Database, brand_id: int, age: timedelta, left: int) -> None:
    with clock.moved(by=-age):
        asked_for(database, brand_id, QUESTIONS["new"])

    with database.unit() as session:
        kinds()["cards.forget_simulations"].run(session)

    with database.reading(brand_id) as session:
        assert session.scalar(select(func.count(SimulationRun.id))) == left
