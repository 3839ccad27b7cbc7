"""The running till API against its own document: schemathesis makes calls, right and wrong, and checks every answer.

The calls go over HTTP to waitress, as a cash register's do.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case, CheckContext, Response
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance
from waitress import wasyncore

from app.core import clock
from app.core.db import Database
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.core.web import LeimaFlask
from app.core.web.server import listen
from app.wsgi import create_app
from tests.doors.tillside import TillSide
from tests.places import quick_folder
from tests.walls.misuse import PIN
from tests.walls.world import NOW, World

FULL = os.environ.get("LEIMA_TEST_FULL") == "1"
FORM = {"bad_request", "invalid", "idempotency_key_missing"}  # codes that say that a call has not the form it should
EXAMPLES = 200 if FULL else 10  # of each operation, after the document's own limits were tried one by one


def _app() -> LeimaFlask:
    """Return the application over no database yet: its document needs none."""
    chosen = Settings(demo=True)
    return create_app(Runtime(chosen, Database("sqlite:///nowhere", chosen.keyring())))


app = _app()
document = app.test_client().get("/api/v1/openapi.json").get_json()
api = schemathesis.openapi.from_dict(document)  # read before a server runs: it names the tests


@pytest.fixture(scope="module")
def till(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TillSide]:
    with quick_folder(tmp_path_factory.mktemp("contract")) as folder:
        till = TillSide(world, folder / "leima.db", app=app)
        till.lift_limits()
        till.scan = cache(till.scan)  # type: ignore[method-assign]  # each call is at the same moment, so a scan is good for all
        with clock.moved(to=NOW):
            yield till
        till.close()


def _at_the_worlds_moment(answer: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Move the clock of the server's threads too: a moved clock is that of its own thread."""

    def moved(*call: Any) -> Iterable[bytes]:
        with clock.moved(to=NOW):
            return answer(*call)

    return moved


@pytest.fixture(scope="module")
def address(till: TillSide) -> Iterator[str]:
    """Where the application runs behind waitress."""
    inner, over = app.wsgi_app, threading.Event()
    app.wsgi_app = _at_the_worlds_moment(inner)  # type: ignore[method-assign]
    served = listen(app, Settings(demo=True, host="127.0.0.1", port=0))

    def run() -> None:
        while not over.is_set():
            wasyncore.loop(timeout=0.05, map=served._map, count=1, use_poll=True)

    thread = threading.Thread(target=run)
    thread.start()
    yield f"http://127.0.0.1:{served.effective_port}"
    over.set()
    thread.join(timeout=30)
    served.task_dispatcher.shutdown()
    wasyncore.close_all(served._map, ignore_all=True)
    app.wsgi_app = inner  # type: ignore[method-assign]


@pytest.fixture(scope="module")
def line() -> Iterator[requests.Session]:
    """A connection that stays open from call to call, as a cash register's does."""
    with requests.Session() as line:
        yield line


@api.parametrize()
@settings(max_examples=EXAMPLES, derandomize=not FULL, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_the_document_says(
    case: Case[Any], till: TillSide, address: str, line: requests.Session
) -> None:
    till.forget_tries()
    if case.meta is not None and case.meta.generation.mode.is_positive:
        case.headers["Idempotency-Key"] = till.headers()["Idempotency-Key"]
        if hash(str(case.body)) % 2:
            _name_real_things(case, till)

    case.call_and_validate(
        base_url=address,
        session=line,
        headers={"Authorization": f"Bearer {till.key}"},
        excluded_checks=[positive_data_acceptance],
        additional_checks=[_schema_is_whole],
    )


def _schema_is_whole(_context: CheckContext, response: Response, case: Case[Any]) -> None:
    """Whatever fits the document's schema is not refused for its form; what it names and says may still be wrong."""
    if case.meta is not None and case.meta.generation.mode.is_positive and response.status_code in (400, 422):
        assert response.json()["code"] not in FORM, response.text


def _real(label: str, till: TillSide) -> dict[str, Any]:
    """Return what the till may name in a call, at the world's moment.

    A moved clock ticks, and the full counts take longer than the five minutes of a scan.
    """
    with clock.moved(to=NOW):
        return REAL[label](till)


def _name_real_things(case: Case[Any], till: TillSide) -> None:
    """Put what the till may name in place of what was made up, so that the call gets past the look-up."""
    real = _real(case.operation.label, till)
    if isinstance(case.body, dict):
        case.body.update(real.get("body", {}))
        for name in real.get("without", ()):
            case.body.pop(name, None)
    case.path_parameters.update(real.get("path_parameters", {}))


UNPAID = ("member", "cashier", "approval", "lines", "coupons", "spend", "gift_cards")


REAL: dict[str, Any] = {
    "POST /api/v1/scans": lambda till: {"body": {"text": till.side.members[0].code}},
    "POST /api/v1/scans/{scan}/confirmations": lambda till: {"path_parameters": {"scan": till.scan_anew()}},
    "GET /api/v1/scans/{scan}": lambda till: {"path_parameters": {"scan": till.scan()}},
    "POST /api/v1/members": lambda till: {
        "body": {"contact": "till.person@mail.example", "age_confirmed": True},
        "without": ("consents", "first_name"),
    },
    "POST /api/v1/purchases": lambda till: {"body": till.sale(), "without": UNPAID},
    "POST /api/v1/quotes": lambda till: {"body": till.sale(), "without": UNPAID},
    "POST /api/v1/batches": lambda till: {"body": {"events": [till.event()]}},
    "POST /api/v1/stamps": lambda till: {
        "body": {"scan": till.scan(), "program": "coffee", "cashier": till.side.cashiers[0], "reason": "goodwill"},
        "without": ("member", "approval"),
    },
    "POST /api/v1/cardboard-cards": lambda till: {
        "body": {
            "scan": till.newcomer(),
            "program": "coffee",
            "cashier": till.side.cashiers[0],
            "stamps": 3,
            "approval": {"staff": till.side.manager, "pin": PIN},
        },
        "without": ("member",),
    },
    "POST /api/v1/refunds": lambda till: {
        "body": {"purchase": till.purchase()},
        "without": ("till", "receipt", "local_date", "lines"),
    },
    "POST /api/v1/coupons/{code}/reservations": lambda till: {"path_parameters": {"code": till.coupon()}},
    "POST /api/v1/redemptions/{redemption}/reversals": lambda till: {
        "path_parameters": {"redemption": till.redemption()}
    },
    "POST /api/v1/coupons/{code}/redemptions": lambda till: {
        "path_parameters": {"code": till.coupon()},
        "without": ("purchase",),
    },
    "POST /api/v1/gift-cards": lambda till: {"body": till.gift_card_sale(), "without": ("scan", "member", "cashier")},
    "POST /api/v1/gift-cards/{gift_card}/refunds": lambda till: {
        "path_parameters": {"gift_card": till.post("/gift-cards", till.gift_card_sale()).json["gift_card"]}
    },
    "POST /api/v1/serial-cards": lambda till: {"body": till.serial_sale(), "without": ("member", "cashier")},
    "POST /api/v1/serial-cards/uses": lambda till: {"body": till.serial_uses(), "without": ("uses",)},
    "POST /api/v1/serial-cards/uses/{serial_use}/reversals": lambda till: {
        "path_parameters": {"serial_use": till.serial_use()}
    },
    "POST /api/v1/serial-cards/{serial_card}/refunds": lambda till: {
        "path_parameters": {"serial_card": till.serial_card()}
    },
}


def test_the_running_server_hands_this_document_out(address: str) -> None:
    assert requests.get(f"{address}/api/v1/openapi.json", timeout=10).json() == document


def test_every_operation_does_its_work_as_the_document_says(
    till: TillSide, address: str, line: requests.Session
) -> None:
    found = [result.ok() for result in api.get_all_operations() if isinstance(result, Ok)]
    operations = {operation.label: operation for operation in found}
    assert set(operations) == set(REAL)
    for label, operation in operations.items():
        till.forget_tries()  # each call is also tried with no key and a wrong one
        real = _real(label, till)
        parts = {"path_parameters": real.get("path_parameters", {})}
        if operation.method == "post":
            parts |= {"body": real.get("body", {}), "media_type": "application/json"}
        case = operation.Case(**parts, headers=till.headers())

        done = 200 if operation.method == "get" else 201
        assert case.call_and_validate(base_url=address, session=line).status_code == done, label
