"""The worker: effect and "done" are one commit, failures wait longer and longer, pauses are no failures."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.core import clock
from app.core.jobs import Job, RetryLater, job, sending_job
from app.worker import PAUSE_GROWS_TO, Claim, Worker, backoff
from tests.plans import statements
from tests.workbench import LEASE, Workbench, bump


class Crash(BaseException):
    """The process ends here."""


class Twin(Worker):
    """The broken twin: the effect is committed, and "done" after it."""

    def _execute(self, claim: Claim) -> None:
        with self.runtime.database.unit() as session:
            claim.kind.run(session, **claim.arguments)
        with self.runtime.database.unit() as session:
            self._done(session, claim)


def crash_before_done(bench: Workbench, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> int:
    """End a worker between a job's effect and its "done", let another go on after the lease; count the effects."""

    @job("test.effect")
    def effect(session: Session) -> None:
        bump(session)

    def crash(*_: Any) -> None:
        raise Crash

    bench.queue("test.effect")
    with monkeypatch.context() as patch:
        patch.setattr(worker, "_done", crash)
        with pytest.raises(Crash):
            worker.run_one()
    assert (bench.states(), bench.worker().run_one()) == (["running"], False)  # nobody touches it under its lease

    with clock.moved(by=LEASE + timedelta(seconds=1)):
        assert bench.worker().drain() == 1
    assert bench.states() == ["done"]
    return bench.effects()


def test_job_that_crashed_runs_again_and_has_its_effect_once(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert crash_before_done(bench, bench.worker(), monkeypatch) == 1


def test_done_in_a_commit_of_its_own_is_caught(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert crash_before_done(bench, Twin(bench.worker().runtime, lease=LEASE), monkeypatch) > 1


def test_job_that_fails_waits_longer_each_time_and_is_dead_in_the_end(bench: Workbench) -> None:
    @job("test.fail", retries=4)
    def fail(session: Session) -> None:
        bump(session)
        raise ValueError("aino@example.com")

    bench.queue("test.fail")
    worker, waits = bench.worker(), []
    while bench.states() == ["queued"]:
        with clock.moved(to=bench.row().run_at):
            begun = clock.now()
            assert worker.run_one()
        waits.append((bench.row().run_at - begun).total_seconds())

    row = bench.row()
    assert (row.state, row.failures, row.error, bench.effects()) == ("dead", 4, "ValueError", 0)
    assert all(0.5 * 2**place <= wait <= 1.5 * 2**place + 5 for place, wait in enumerate(waits[:3]))
    assert worker.run_one() is False


def test_pause_grows_with_jitter_to_an_hour_at_most() -> None:
    for failures, seconds in ((1, 1), (2, 2), (5, 16), (20, 3600), (500, 3600)):
        waits = [backoff(failures).total_seconds() for _draw in range(50)]
        assert all(0.5 * seconds <= wait <= 1.5 * seconds for wait in waits)
        assert len(set(waits)) > 10


def test_job_that_asks_for_a_later_time_never_dies_of_it(bench: Workbench) -> None:
    pauses = iter(range(5))

    @job("test.later", retries=2)
    def later(session: Session) -> None:
        bump(session)
        if next(pauses, None) is not None:
            raise RetryLater(timedelta(hours=2))

    bench.queue("test.later")
    for _pause in range(5):
        with clock.moved(to=bench.row().run_at):
            assert bench.worker().drain() == 1
            assert bench.row().run_at - clock.now() > timedelta(minutes=119)
    with clock.moved(to=bench.row().run_at):
        assert bench.worker().drain() == 1

    row = bench.row()
    assert (row.state, row.failures, row.attempt, bench.effects()) == ("done", 0, 6, 1)


def test_pause_that_finish_returns_keeps_the_results_and_puts_the_job_back(bench: Workbench) -> None:
    answers = iter([timedelta(minutes=3)] * 12)

    @sending_job("test.throttled", retries=2)
    class Throttled:
        def __init__(self, _runtime: object) -> None: ...

        def prepare(self, session: Session) -> list[str]:
            return ["envelope"]

        def send(self, envelopes: list[str]) -> list[str]:
            return envelopes

        def finish(self, session: Session, results: list[str]) -> timedelta | None:
            bump(session, results[0])
            return next(answers, None)

    bench.queue("test.throttled")
    worker = bench.worker()
    for turn in range(1, 13):
        with clock.moved(to=bench.row().run_at):
            assert worker.drain() == 1
            pause = bench.row().run_at - clock.now()
        assert timedelta(minutes=2, seconds=50) < pause <= PAUSE_GROWS_TO
        assert (bench.effects("envelope"), bench.states(), bench.row().failures) == (turn, ["queued"], 0)
    with clock.moved(to=bench.row().run_at):
        worker.drain()

    assert (bench.effects("envelope"), bench.states()) == (13, ["done"])


def test_urgent_jobs_go_first_then_the_oldest(bench: Workbench) -> None:
    ran = []

    @job("test.slow", priority=8)
    def slow(session: Session, number: int) -> None:
        ran.append(number)

    @job("test.fast", priority=1)
    def fast(session: Session, number: int) -> None:
        ran.append(number)

    for name, number in (("slow", 1), ("slow", 2), ("fast", 3), ("fast", 4)):
        bench.queue(f"test.{name}", number=number)
    bench.worker().drain()

    assert ran == [3, 4, 1, 2]


def test_periodic_job_runs_once_in_each_turn_however_many_workers_look(bench: Workbench) -> None:
    @job("test.periodic", every=timedelta(minutes=10))
    def periodic(session: Session) -> None:
        bump(session)

    start = clock.now().replace(minute=0, second=5)
    for minute in (0, 4, 9, 10, 11):
        with clock.moved(to=start + timedelta(minutes=minute)):
            for worker in (bench.worker(), bench.worker()):
                worker.queue_periodic()
                worker.drain()

    assert bench.effects() == 2


def test_thread_works_until_stopped_and_outlives_an_error(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = threading.Event()

    @job("test.thread")
    def thread(session: Session) -> None:
        ran.set()

    failed: list[bool] = []
    worker, claim = bench.worker(), Worker.claim

    def fail_once(self: Worker) -> Claim | None:
        if not failed:
            failed.append(True)
            raise RuntimeError("the database was away")
        return claim(self)

    monkeypatch.setattr(Worker, "claim", fail_once)
    monkeypatch.setattr(worker._stop, "wait", lambda _seconds: worker._stop.is_set())
    bench.queue("test.thread")
    worker.start()

    assert ran.wait(10)
    worker.stop()
    assert worker._thread is not None
    assert not worker._thread.is_alive()
    assert (bench.states(), failed) == (["done"], [True])


def test_jobs_that_queue_jobs_for_ever_are_noticed(bench: Workbench) -> None:
    @job("test.again")
    def again(session: Session) -> None:
        bench.queue("test.again", session=session)

    bench.queue("test.again")

    with pytest.raises(RuntimeError, match="queuing"):
        bench.worker().drain(most=20)


def test_job_that_kills_its_worker_each_time_ends_among_the_dead(bench: Workbench) -> None:
    @job("test.killer", retries=3)
    def killer(session: Session) -> None:
        raise Crash

    bench.queue("test.killer")
    for life in range(3):
        with clock.moved(by=(LEASE + timedelta(seconds=1)) * life), pytest.raises(Crash):
            bench.worker().run_one()
    with clock.moved(by=(LEASE + timedelta(seconds=1)) * 3):
        assert bench.worker().run_one()

    assert (bench.states(), bench.row().error) == (["dead"], "LeaseExpired")


def test_claim_reads_its_own_indexes_from_the_top_however_long_the_queue_is(bench: Workbench) -> None:
    if not bench.database.is_sqlite:
        return

    @job("test.known")
    def known(session: Session) -> None: ...

    bench.queue("test.known")
    with statements(bench.database, "job") as found:
        assert bench.worker().claim() is not None

    steps = [step for step in found.steps if "job" in step or "ORDER BY" in step]
    assert steps == [
        "SEARCH job USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH job USING INDEX ix_job_leased (leased_until<?)",
        "SEARCH job USING INTEGER PRIMARY KEY (rowid=?)",
        "SCAN job USING INDEX ix_job_queued",
    ]


def test_lease_that_ran_out_does_not_wait_for_a_backlog_of_urgent_jobs(bench: Workbench) -> None:
    ran = []

    @job("test.slow", priority=9)
    def slow(session: Session) -> None:
        ran.append("slow")

    @job("test.urgent", priority=1)
    def urgent(session: Session) -> None:
        ran.append("urgent")

    bench.queue("test.slow")
    assert bench.worker().claim() is not None
    with clock.moved(by=LEASE + timedelta(seconds=1)):
        bench.queue("test.urgent")
        bench.worker().drain()

    assert ran == ["slow", "urgent"]


def test_job_of_a_newer_program_waits_and_others_go_on(bench: Workbench) -> None:
    @job("test.known")
    def known(session: Session) -> None:
        bump(session)

    bench.queue("test.known")
    with bench.database.unit() as session:
        session.add(Job(name="test.newer", arguments="{}", created_at=clock.now(), run_at=clock.now(), priority=1))

    assert bench.worker().drain() == 1

    assert (bench.effects(), sorted(bench.states())) == (1, ["done", "queued"])
