"""Simulating in the console: at once where there are few purchases, by a worker where not; the answer stays."""

import html
import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.cards import simulations
from app.cards.models import Program
from app.cards.service import record_purchase
from app.cards.simulation_models import SimulationRun
from app.core import clock
from app.core.jobs import Job
from app.core.runtime import Runtime
from app.network.models import Till
from app.rewards.models import Reward
from app.worker import Worker
from tests.builders import a_member
from tests.doors.console import ORIGIN, Console
from tests.shop import a_basket

CARD = {"source": "fields", "rule": "per-euros", "per": "euros", "n": "1", "size": "10", "reward": "coffee"} | {
    f"{part}_{code}": "Coffee" for part in ("name", "unit_one", "unit_many") for code in ("fi", "sv", "en")
}
FOUND = "At a margin of 50 %, €5.00 more sales pay for its cost of €2.50: 25 % of the period’s sales."


@pytest.fixture
def inside(console: Console) -> Console:
    """A console whose administrator is logged in, with a purchase of 20.00 and a draft: a stamp for 2.00."""
    assert console.log_in().status_code == 303
    with console.database.unit(console.brand_id) as session:
        till = session.scalars(select(Till)).first()
        assert till is not None
        record_purchase(session, a_basket(2000), member=a_member(session, first_name="Aino"), till=till)
    draft(console, "2")
    return console


@pytest.fixture
def busy(inside: Console, monkeypatch: pytest.MonkeyPatch) -> Console:
    """The same where one purchase is too many to wait for."""
    monkeypatch.setattr(simulations, "SMALL", 0)
    return inside


def draft(console: Console, step: str) -> None:
    form = {**CARD, "step": step}
    assert console.client.post("/brand/programs/coffee/edit", data=form, headers=ORIGIN).status_code == 303


def ask(console: Console, **form: str) -> TestResponse:
    today = clock.now().date()
    values = {"version": "draft", "margin": "50", "first": str(today - timedelta(days=9)),
              "last": str(today + timedelta(days=1)), **form}  # fmt: skip
    return console.client.post("/brand/programs/coffee/simulations", data=values, headers=ORIGIN)


def follow(console: Console, answer: TestResponse) -> str:
    assert answer.status_code == 303, text(answer.text)
    return console.get(answer.location.partition("#")[0]).text


def text(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def runs(console: Console) -> list[SimulationRun]:
    with console.database.reading(console.brand_id) as session:
        return list(session.scalars(select(SimulationRun).order_by(SimulationRun.id)))


def jobs(console: Console) -> list[str]:
    with console.database.reading() as session:
        return list(session.scalars(select(Job.state).where(Job.name == "cards.simulate").order_by(Job.id)))


def work(runtime: Runtime, console: Console) -> None:
    Worker(Runtime(runtime.settings, console.database), long=True).drain()


def test_few_purchases_are_answered_within_the_click(inside: Console) -> None:
    page = follow(inside, ask(inside))

    # A stamp for 2.00: 10, one coupon of 2.50; at 50 % 5.00 more sales, 25 % of 20.00. In force: 5 stamps.
    assert FOUND in text(page)
    assert "Coffee 10 5" in text(page)
    assert "Aino 5 · €0.00 10 · €0.00" in text(page)
    assert (jobs(inside), [run.state for run in runs(inside)]) == ([], ["done"])
    assert "http-equiv" not in page  # nothing to wait for


def test_worker_counts_what_is_long_and_the_page_follows(busy: Console, runtime: Runtime) -> None:
    answer = ask(busy)

    waiting = follow(busy, answer)
    assert "It waits for its turn" in text(waiting)
    assert '<noscript><meta http-equiv="refresh"' in waiting
    assert 'follow.js"' in waiting
    assert "<progress" in waiting
    assert FOUND not in text(waiting)
    work(runtime, busy)
    done = follow(busy, answer)

    assert FOUND in text(done)
    assert ("http-equiv" in done, "<progress" in done) == (False, False)
    assert FOUND in text(follow(busy, ask(busy)))  # the same question later: the same answer
    assert (len(runs(busy)), jobs(busy)) == (1, ["done"])


def test_run_at_work_says_how_far_it_is(busy: Console) -> None:
    answer = ask(busy)
    with busy.database.unit(busy.brand_id) as session:
        run = session.scalars(select(SimulationRun)).one()
        run.state, run.seen, run.total = "running", 500, 2000

    page = follow(busy, answer)

    assert "500 of 2,000 purchases" in text(page)
    assert 'value="25"' in page
    assert "It is running" in text(page)


def test_second_click_is_the_same_run_and_another_question_another(busy: Console) -> None:
    first = ask(busy).location
    assert ask(busy).location == first
    others = {ask(busy, margin="30").location, ask(busy, first=str(clock.now().date() - timedelta(days=8))).location}
    draft(busy, "1")
    others.add(ask(busy).location)

    assert (len(others), first in others, len(runs(busy)), jobs(busy)) == (3, False, 4, ["queued"] * 4)
    page = busy.get(first.partition("#")[0]).text
    assert "it says something else by now" in text(page)
    assert "Count again" not in page


def test_reward_that_costs_more_is_another_question(inside: Console) -> None:
    first = ask(inside)
    with inside.database.unit(inside.brand_id) as session:
        session.scalars(select(Reward)).one().settlement_cents = 500

    second = ask(inside)

    assert first.location != second.location
    assert "€10.00 more sales pay for its cost of €5.00" in text(follow(inside, second))
    assert FOUND in text(follow(inside, first))  # as it was found then


def test_counted_again_is_a_new_run_and_the_old_one_stays(inside: Console) -> None:
    first = ask(inside)
    with inside.database.unit(inside.brand_id) as session:
        till = session.scalars(select(Till)).first()
        assert till is not None
        record_purchase(session, a_basket(2000), member=a_member(session), till=till)
    assert ask(inside).location == first.location
    (run,) = runs(inside)

    second = ask(inside, again=run.public_id)
    third = ask(inside, again=run.public_id)  # the second click of two

    assert (second.location, len(runs(inside))) == (third.location, 2)
    assert second.location != first.location
    assert "2 purchases · 2 members" in text(follow(inside, second))
    assert "1 purchase · 1 member" in text(follow(inside, first))


def test_run_that_goes_on_is_not_begun_again(busy: Console) -> None:
    first = ask(busy)
    (run,) = runs(busy)

    assert ask(busy, again=run.public_id).location == first.location
    assert (len(runs(busy)), jobs(busy)) == (1, ["queued"])


def test_what_failed_is_said_and_can_be_tried_again(busy: Console) -> None:
    answer = ask(busy)
    (run,) = runs(busy)
    with busy.database.unit(busy.brand_id) as session:
        simulations.give_up(session, run.id)

    page = follow(busy, answer)

    assert "This could not be simulated" in text(page)
    assert "Count again" in page
    assert ask(busy, again=run.public_id).location != answer.location


@pytest.mark.parametrize(
    "wrong", [{"first": "x"}, {"margin": "0"}, {"first": "2026-02-01", "last": "2026-01-01"}, {"first": "2020-01-01"}]
)
def test_question_that_makes_no_sense_is_refused_beside_the_form(inside: Console, wrong: dict[str, str]) -> None:
    answer = ask(inside, **wrong)

    assert (answer.status_code, runs(inside)) == (422, [])
    assert "say--bad" in answer.text
    for name, value in wrong.items():
        assert f'id="{name}"' in answer.text
        assert f'value="{value}"' in answer.text


def test_no_more_than_a_few_wait(busy: Console) -> None:
    for margin in range(1, simulations.MOST_WAITING + 1):
        assert ask(busy, margin=str(margin)).status_code == 303

    answer = ask(busy, margin="90")

    assert (answer.status_code, len(runs(busy))) == (409, simulations.MOST_WAITING)
    assert "still running" in text(answer.text)


def test_version_and_run_that_are_not_there_are_not_found(inside: Console) -> None:
    location = ask(inside).location
    with inside.database.unit(inside.brand_id) as session:
        session.add(Program(slug="tea", name={"en": "Tea"}, unit={"en": ["cup", "cups"]}))

    assert ask(inside, version="9").status_code == 404
    assert ask(inside, again="7" + 25 * "Z").status_code == 404
    assert inside.get("/brand/programs/coffee?run=7ZZ").status_code == 404
    assert inside.get(location.replace("/coffee?version=draft&", "/tea?").partition("#")[0]).status_code == 404
    empty = inside.client.post("/brand/programs/tea/simulations", data={"margin": "50"}, headers=ORIGIN)
    assert empty.status_code == 404


def test_runs_are_listed_newest_first_with_who_asked(inside: Console) -> None:
    for margin in ("50", "30"):
        ask(inside, margin=margin)

    shown = text(inside.get("/brand/programs/coffee").text)

    assert shown.index("done 30 %") < shown.index("done 50 %")
    assert shown.count("Kaisa Salo") >= 2


@pytest.mark.parametrize("role", ["finance", "sales", "marketing"])
def test_everybody_of_the_brand_may_simulate(inside: Console, role: str) -> None:
    inside.person(f"{role}@meri.example", role)
    inside.log_in(f"{role}@meri.example")

    assert FOUND in text(follow(inside, ask(inside)))
