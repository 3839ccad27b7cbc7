"""A simulation that a worker counts: the page follows it with script and without, and every state of it is sound."""

import contextlib
import sqlite3
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.looks import Looks
from tests.browser.service import Service
from tests.browser.windows import DESK, Windows

_SET = (
    "UPDATE simulation_run SET state = :state, seen = :seen, total = :total, result = :result, ended_at = :ended_at, "
    "error = :error WHERE id = (SELECT max(id) FROM simulation_run)"
)


def _set(service: Service, **values: Any) -> None:
    """Put the newest run into a state, as its worker would."""
    with contextlib.closing(sqlite3.connect(service.folder / "data" / "leima.db", timeout=10)) as database, database:
        database.execute(_SET, {"seen": 0, "total": 0, "result": None, "ended_at": None, "error": None, **values})


def _result(service: Service) -> dict[str, Any]:
    with contextlib.closing(sqlite3.connect(service.folder / "data" / "leima.db", timeout=10)) as database:
        row = database.execute("SELECT result, ended_at FROM simulation_run ORDER BY id DESC LIMIT 1").fetchone()
        return {"result": row[0], "ended_at": row[1]}


def _log_in(page: Page, service: Service) -> None:
    email, kept = next(iter(service.staff().items()))
    page.goto(f"{service.base}/brand/login?next=/brand/programs/coffee?version=1")
    page.fill("#email", email)
    page.fill("#password", kept["password"])
    page.keyboard.press("Enter")
    expect(page.locator("#simulate")).to_be_visible()


def test_page_follows_a_simulation_with_script_and_without(service: Service, windows: Windows) -> None:
    looks, page, plain = Looks(), windows.open(DESK), windows.open(DESK, java_script_enabled=False)
    phone = windows.open(DESK)
    steps.join(phone, service, "follows@example.com")
    steps.buy(service, steps.spoken(phone), 4200)
    for one in (page, plain):
        _log_in(one, service)
    page.click("button:has-text('Simulate')")
    expect(page.get_by_role("region", name="What it found")).to_be_visible()  # few purchases: at once
    done = _result(service)

    _set(service, state="running", seen=500, total=2000)
    page.reload()
    plain.goto(page.url)
    for one in (page, plain):
        expect(one.get_by_role("progressbar")).to_have_attribute("value", "25")
    looks.at(page, "brand-simulation-running")
    _set(service, state="running", seen=1000, total=2000)
    for one in (page, plain):
        expect(one.get_by_role("progressbar")).to_have_attribute("value", "50", timeout=10_000)  # by itself
    _set(service, state="done", **done)
    for one in (page, plain):
        expect(one.get_by_role("region", name="What it found")).to_be_visible(timeout=10_000)
        expect(one.get_by_role("progressbar")).to_have_count(0)
    expect(page.locator("[data-follow]")).to_be_focused()  # where the answer begins
    assert looks.faults == []


def test_simulation_that_failed_is_said_and_counted_again(service: Service, windows: Windows) -> None:
    looks, page = Looks(), windows.open(DESK)
    _log_in(page, service)
    page.fill("#margin", "35")
    page.click("button:has-text('Simulate')")
    expect(page.get_by_role("button", name="Count again")).to_be_visible()
    _set(service, state="failed", error="simulation_failed", ended_at=_result(service)["ended_at"])
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("This could not be simulated")
    looks.at(page, "brand-simulation-failed")

    page.click("button:has-text('Count again')")

    expect(page.get_by_role("region", name="What it found")).to_be_visible()
    expect(page.locator(".runs tbody tr")).not_to_have_count(1)
    assert looks.faults == []
