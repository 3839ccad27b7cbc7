"""A job that waits for more of the same, and one whose newer twin does its work too."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.core import clock
from app.core.events import Event, emit
from app.core.jobs import sending_job
from tests.workbench import Workbench, rows


@dataclass(frozen=True, kw_only=True)
class Stamped(Event):
    """Something that happens often."""

    card: int


def sending(bench: Workbench, *, repeatable: bool) -> list[int]:
    """Register a sending job that pauses for ever, and queue a second one while the first runs; return its sends."""
    sent: list[int] = []

    @sending_job("test.wake", unique_by="card", repeatable=repeatable)
    class Wake:
        def __init__(self, _runtime: Any) -> None: ...

        def prepare(self, session: Session, card: int) -> list[int]:
            return [card]

        def send(self, envelopes: list[int]) -> list[int]:
            sent.append(len(envelopes))
            if len(sent) == 1:
                bench.queue("test.wake", card=1)  # something new happens while the provider is spoken to
            return envelopes

        def finish(self, session: Session, results: list[int]) -> timedelta:
            return timedelta(seconds=5)

    bench.queue("test.wake", card=1)
    return sent


def test_repeatable_job_that_pauses_beside_a_newer_one_leaves_the_work_to_it(bench: Workbench) -> None:
    sent = sending(bench, repeatable=True)

    bench.worker().run_one()

    assert ([row.state for row in rows(bench.database)], sent) == (["done", "queued"], [1])


def test_job_with_messages_of_its_own_goes_on_beside_a_newer_one(bench: Workbench) -> None:
    sent = sending(bench, repeatable=False)

    bench.worker().run_one()

    assert ([row.state for row in rows(bench.database)], sent) == (["queued", "queued"], [1])


def test_ten_events_within_the_wait_are_one_job_that_runs_after_the_first_ones_wait(bench: Workbench) -> None:
    @sending_job("test.gather", listens=Stamped, unique_by="card", wait=timedelta(seconds=30))
    class Gather:
        def __init__(self, _runtime: Any) -> None: ...

        def prepare(self, session: Session, card: int) -> list[int]:
            return []

        def send(self, envelopes: list[int]) -> list[int]:
            return envelopes

        def finish(self, session: Session, results: list[int]) -> None: ...

    for second in range(10):
        with clock.moved(by=timedelta(seconds=second)), bench.database.unit() as session:
            emit(session, Stamped(card=1))

    with clock.moved(by=timedelta(seconds=29)):
        assert not bench.worker().run_one()
    with clock.moved(by=timedelta(seconds=31)):
        assert bench.worker().drain() == 1
    assert bench.row().state == "done"
