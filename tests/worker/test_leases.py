"""A worker that lost its lease writes nothing; unique jobs lose no wake-up."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock, events, jobs
from app.core.jobs import job, sending_job
from app.core.sql import Sql
from app.worker import Claim, Worker
from tests.members.races import FULL
from tests.workbench import LEASE, Workbench, bump, count, rows


class Stopped:
    """A sending job whose first worker stops while it sends, as by SIGSTOP, until it is told to go on."""

    def __init__(self) -> None:
        self.sending, self.go_on = threading.Event(), threading.Event()
        self.sent: list[str] = []

    def register(self) -> None:
        """Register the job as `test.stopped`."""
        outer = self

        @sending_job("test.stopped")
        class Job:
            def __init__(self, runtime: Any) -> None:
                self.name = runtime.shared["name"]

            def prepare(self, session: Session) -> list[str]:
                bump(session, f"prepared by {self.name}")
                return [self.name]

            def send(self, envelopes: list[str]) -> list[str]:
                outer.sent.append(self.name)
                if self.name == "first":
                    outer.sending.set()
                    assert outer.go_on.wait(10)
                return envelopes

            def finish(self, session: Session, results: list[str]) -> None:
                bump(session, f"finished by {self.name}")


def overtake(bench: Workbench, first: Worker) -> dict[str, int]:
    """Stop a worker for two leases while another does its job, then let it go on; return what each has written."""
    job = Stopped()
    job.register()
    bench.queue("test.stopped")
    thread = threading.Thread(target=first.run_one)
    thread.start()
    assert job.sending.wait(10)
    with clock.moved(by=2 * LEASE):
        assert bench.worker(name="second").run_one()
    job.go_on.set()
    thread.join(10)
    assert job.sent == ["first", "second"]
    return {name: bench.effects(f"finished by {name}") for name in ("first", "second")}


@pytest.mark.parametrize("round_number", range(20 if FULL else 3))
def test_late_writes_of_a_worker_that_lost_its_lease_are_refused(bench: Workbench, round_number: int) -> None:
    assert overtake(bench, bench.worker(name="first")) == {"first": 0, "second": 1}
    row = bench.row()
    assert (row.state, row.attempt, row.failures) == ("done", 2, 1)


def test_worker_without_a_fence_is_caught(bench: Workbench) -> None:
    class Twin(Worker):
        """The broken twin: it marks its row whoever holds it."""

        def _done(self, session: Session, claim: Claim) -> None:
            session.connection().execute(text("UPDATE job SET state = 'done' WHERE id = :id"), {"id": claim.id})

    late = overtake(bench, Twin(bench.worker(name="first").runtime, lease=LEASE))

    assert late != {"first": 0, "second": 1}


def test_pause_of_a_worker_that_lost_its_lease_is_refused_too(bench: Workbench) -> None:
    @sending_job("test.paused")
    class Paused:
        def __init__(self, _runtime: object) -> None: ...

        def prepare(self, session: Session) -> list[int]:
            return [1]

        def send(self, envelopes: list[int]) -> list[int]:
            with clock.moved(by=2 * LEASE), bench.database.unit() as session:  # another worker takes and ends it
                session.connection().execute(text("UPDATE job SET attempt = attempt + 1, state = 'done'"))
            return envelopes

        def finish(self, session: Session, results: list[int]) -> timedelta:
            bump(session)
            return timedelta(seconds=1)

    bench.queue("test.paused")
    bench.worker().run_one()

    assert (bench.states(), bench.effects()) == (["done"], 0)


def test_row_that_was_overtaken_before_it_sends_is_not_sent(bench: Workbench) -> None:
    @sending_job("test.overtaken")
    class Overtaken:
        def __init__(self, _runtime: object) -> None: ...

        def prepare(self, session: Session) -> list[int]:
            bump(session)
            session.connection().execute(text("UPDATE job SET attempt = attempt + 1"))
            return [1]

        def send(self, envelopes: list[int]) -> list[int]:
            raise AssertionError("sent without the lease")

    bench.queue("test.overtaken")
    bench.worker().run_one()

    assert (bench.effects(), bench.row().attempt) == (0, 1)  # nothing of it was kept


def test_ten_stamps_make_one_wake_up_and_one_more_while_it_runs(bench: Workbench) -> None:
    queued_inside: list[bool] = []

    @job("test.wake", unique_by="card")
    def wake(session: Session, card: int) -> None:
        bump(session)
        if not queued_inside:
            queued_inside.append(True)
            bench.queue("test.wake", session=session, card=card)  # a stamp that comes while this one runs

    for _stamp in range(10):
        bench.queue("test.wake", card=1)
    assert bench.states() == ["queued"]
    bench.worker().drain()

    assert (bench.effects(), bench.states()) == (2, ["done", "done"])


def lose_a_wake_up(bench: Workbench) -> int:
    """Change what a waiting unique job reads, queue it again, and run it before the change is committed.

    Returns what the last run has seen of the change.
    """
    seen = []

    @job("test.show", unique_by="card")
    def show(session: Session, card: int) -> None:
        seen.append(count(session))

    bench.queue("test.show", card=1)
    worker = bench.worker()
    thread = threading.Thread(target=worker.drain)
    with bench.database.unit() as session:
        bump(session)
        bench.queue("test.show", session=session, card=1)
        events.write_waiting(session)  # as the unit does at its end, when it holds all else
        thread.start()
        thread.join(0.7)  # PostgreSQL: it passes over a locked row at once; SQLite: it waits for this unit
    thread.join(10)
    worker.drain()
    return seen[-1]


def test_wake_up_that_meets_its_worker_is_not_lost(bench: Workbench) -> None:
    assert lose_a_wake_up(bench) == 1
    assert set(bench.states()) == {"done"}


def test_wake_up_that_is_dropped_where_one_waits_is_caught(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    if bench.database.is_sqlite:  # one writer at a time: there is no moment between
        return
    twin = jobs._INSERT.words.split("DO UPDATE")[0] + "DO NOTHING"
    monkeypatch.setattr(jobs, "_INSERT", Sql(twin))

    assert lose_a_wake_up(bench) == 0


@pytest.mark.parametrize(("sends", "first"), [(False, "done"), (True, "queued")])
def test_job_that_fails_beside_a_newer_twin_leaves_the_work_to_it_unless_it_sends(
    bench: Workbench, sends: bool, first: str
) -> None:
    register = sending_job if sends else job

    @register("test.twin", unique_by="card")
    def twin(session: Session, card: int) -> None: ...

    bench.queue("test.twin", card=1)
    worker = bench.worker()
    claim = worker.claim()
    assert claim is not None
    bench.queue("test.twin", card=1)  # while the first one runs
    worker._failed(claim, ValueError())

    found = [(row.state, row.unique_key) for row in rows(bench.database)]
    assert found == [(first, None), ("queued", "test.twin:1")]


@pytest.mark.parametrize(("sends", "first"), [(False, "done"), (True, "queued")])
def test_twin_that_comes_between_the_look_and_the_write_is_met_all_the_same(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, sends: bool, first: str
) -> None:
    register = sending_job if sends else job

    @register("test.twin", unique_by="card")
    def twin(session: Session, card: int) -> None: ...

    bench.queue("test.twin", card=1)
    worker = bench.worker()
    claim = worker.claim()
    assert claim is not None
    bench.queue("test.twin", card=1)
    not_yet = text("SELECT 1 FROM job WHERE unique_key = :unique_key AND state = 'queued' AND 1 = 0")
    monkeypatch.setattr("app.worker.WAITING_TWIN", not_yet)
    worker._failed(claim, ValueError())

    found = [(row.state, row.unique_key, row.error) for row in rows(bench.database)]
    assert found == [(first, None, "ValueError"), ("queued", "test.twin:1", None)]


def test_unique_job_that_fails_alone_keeps_its_key(bench: Workbench) -> None:
    @job("test.alone", unique_by="card")
    def alone(session: Session, card: int) -> None:
        raise ValueError

    bench.queue("test.alone", card=1)
    bench.worker().run_one()
    bench.queue("test.alone", card=1)

    assert (bench.row().state, bench.row().unique_key, bench.row().failures) == ("queued", "test.alone:1", 1)
