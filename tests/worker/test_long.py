"""A job that computes for minutes: short units, a lease that each step holds anew, and a worker of its own."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.core import clock
from app.core.jobs import job, long_job
from app.worker import Worker
from tests.workbench import LEASE, Workbench, bump, count


class Counting:
    """Registers `test.count`, which takes four steps; `between` happens before each."""

    def __init__(self, bench: Workbench, *, retries: int = 3) -> None:
        self.bench, self.seen, self.between = bench, list[int](), lambda _step: None
        outer = self

        @long_job("test.count", retries=retries)
        class Count:
            def __init__(self, _runtime: Any) -> None: ...

            def prepare(self, session: Session, most: int) -> list[int] | None:
                bump(session, "begun")
                return [] if most else None

            def steps(self, work: list[int]) -> Iterator[int]:
                for step in range(4):
                    outer.between(step)
                    work.append(step)
                    yield step

            def note(self, session: Session, work: list[int], step: int) -> None:
                bump(session, "noted")
                outer.seen.append(step)

            def finish(self, session: Session, work: list[int]) -> None:
                bump(session, f"finished after {len(work)}")

            def give_up(self, session: Session, most: int) -> None:
                bump(session, f"gave up {most}")

    def effects(self) -> dict[str, int]:
        keys = ("begun", "noted", "finished after 4", "gave up 4")
        return {key: n for key in keys if (n := self.bench.effects(key))}


def test_steps_are_noted_and_the_end_is_written_once(bench: Workbench) -> None:
    counting = Counting(bench)
    bench.queue("test.count", most=4)

    assert bench.worker().drain() == 1

    assert (counting.effects(), bench.states()) == ({"begun": 1, "noted": 4, "finished after 4": 1}, ["done"])


def test_nobody_waits_for_the_write_lock_between_steps(bench: Workbench) -> None:
    counting = Counting(bench)

    def write(_step: int) -> None:
        with bench.database.unit() as session:
            bump(session, "till")

    counting.between = write
    bench.queue("test.count", most=4)
    bench.worker().drain()

    assert bench.effects("till") == 4


def test_steps_hold_the_lease_for_longer_than_one(bench: Workbench) -> None:
    counting, now = Counting(bench), clock.now()
    bench.queue("test.count", most=4)

    def look(step: int) -> None:
        with clock.moved(to=now + step * LEASE * 0.6):
            assert bench.worker().claim() is None  # nobody else takes it, 1.8 leases after its begin

    counting.between = look

    class Slow(Worker):
        """Its clock goes on by more than half a lease with each step."""

        def _hold(self, session: Session, claim: Any) -> None:
            with clock.moved(to=now + max([0, *counting.seen]) * LEASE * 0.6):
                super()._hold(session, claim)

    Slow(bench.worker().runtime, lease=LEASE).run_one()

    assert counting.effects() == {"begun": 1, "noted": 4, "finished after 4": 1}


def test_worker_that_lost_its_lease_stops_and_writes_nothing_more(bench: Workbench) -> None:
    counting = Counting(bench)

    def overtake(step: int) -> None:
        if step == 2 and counting.effects()["begun"] == 1:
            with clock.moved(by=2 * LEASE):
                bench.worker().run_one()

    counting.between = overtake
    bench.queue("test.count", most=4)
    bench.worker().run_one()

    # Two steps of the first, all of the second; the third step of the first was refused.
    assert counting.effects() == {"begun": 2, "noted": 6, "finished after 4": 1}
    assert (bench.row().state, bench.row().attempt) == ("done", 2)


def test_worker_that_is_told_to_stop_leaves_it_to_the_next_one(bench: Workbench) -> None:
    counting, worker = Counting(bench), bench.worker()
    counting.between = lambda step: worker.stop() if step == 1 else None
    bench.queue("test.count", most=4)

    worker.run_one()

    assert (counting.seen, bench.row().state, bench.row().failures) == ([0, 1], "queued", 0)
    counting.between = lambda _step: None
    assert bench.worker().drain() == 1
    assert bench.effects("finished after 4") == 1


def test_fault_is_tried_again_and_then_given_up(bench: Workbench) -> None:
    counting = Counting(bench, retries=2)

    def fail(step: int) -> None:
        if step == 3:
            raise ValueError

    counting.between = fail
    bench.queue("test.count", most=4)
    for hours in (0, 1):
        with clock.moved(by=timedelta(hours=hours)):
            assert bench.worker().run_one()

    assert counting.effects() == {"begun": 2, "noted": 6, "gave up 4": 1}
    assert (bench.row().state, bench.row().error) == ("dead", "ValueError")


def test_what_kills_its_workers_is_given_up_too(bench: Workbench) -> None:
    counting = Counting(bench, retries=2)
    bench.queue("test.count", most=4)
    for claims in range(2):
        with clock.moved(by=2 * claims * LEASE):
            assert bench.worker().claim()  # and its worker dies

    with clock.moved(by=4 * LEASE):
        assert bench.worker().run_one()

    assert (counting.effects(), bench.row().error) == ({"gave up 4": 1}, "LeaseExpired")


def test_nothing_to_do_is_done(bench: Workbench) -> None:
    counting = Counting(bench)
    bench.queue("test.count", most=0)

    bench.worker().drain()

    assert (counting.effects(), bench.states()) == ({"begun": 1}, ["done"])


@pytest.mark.parametrize(("long", "left"), [(True, ["queued", "done"]), (False, ["done", "queued"])])
def test_long_jobs_have_a_worker_of_their_own(bench: Workbench, long: bool, left: list[str]) -> None:
    Counting(bench)

    @job("test.short")
    def short(session: Session) -> None:
        assert count(session, "short") == 0
        bump(session, "short")

    bench.queue("test.short")
    bench.queue("test.count", most=4)

    assert Worker(bench.worker().runtime, long=long).drain() == 1
    assert bench.states() == left
