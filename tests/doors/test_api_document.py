"""The till API's document: whole by its own standard, of this server only, and with every refusal in it."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from flask.testing import FlaskClient
from schemathesis.specs.openapi.definitions import OPENAPI_31

from app.core.runtime import Runtime
from app.core.web import LeimaFlask
from app.doors.api.codes import OPERATIONS
from app.wsgi import create_app
from tests.doors.tillside import TillSide, Unlisted, demand_listed

ADDRESS = "/api/v1/openapi.json"
LOOKING = ("/api/v1/scans/{scan}",)  # a GET: no body, no key, no effect
GENERAL = {"201", "400", "401", "403", "409", "413", "415", "422", "429", "500", "503"}


@pytest.fixture
def app(runtime: Runtime) -> LeimaFlask:
    return create_app(runtime)


@pytest.fixture
def document(app: LeimaFlask) -> dict[str, Any]:
    found: dict[str, Any] = app.test_client().get(ADDRESS).get_json()
    return found


def _operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {address: next(iter(path.values())) for address, path in document["paths"].items()}


def _properties(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, schema in document["components"]["schemas"].items():
        for key, value in schema["properties"].items():
            yield f"{name}.{key}", value


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    validator = jsonschema_rs.validator_for(OPENAPI_31)

    assert document["openapi"].startswith("3.1")
    assert [f"{fault.instance_path}: {fault.message}" for fault in validator.iter_errors(document)] == []
    assert not validator.is_valid({**document, "paths": {"no slash": {}}})


def test_nobody_bends_the_server_of_the_document_by_a_host_header(runtime: Runtime) -> None:
    runtime.settings = runtime.settings.model_copy(update={"demo": False, "base_url": "https://leima.example"})
    client: FlaskClient = create_app(runtime).test_client()
    bent = client.get(ADDRESS, headers={"Host": "evil.example"})
    later = client.get(ADDRESS, headers={"Host": "leima.example"})

    assert bent.status_code == 200
    for answer in (bent, later):
        assert [server["url"] for server in answer.get_json()["servers"]] == ["https://leima.example"]
        assert b"evil" not in answer.data


def test_every_operation_is_named_and_told(document: dict[str, Any]) -> None:
    operations = _operations(document)

    assert len({operation["operationId"] for operation in operations.values()}) == len(operations)
    assert set(operations) == set(OPERATIONS)
    for address, operation in operations.items():
        keys = [] if address in LOOKING else ["Idempotency-Key"]
        assert len(operation["summary"]) < 40 < len(operation["description"])
        assert [header["name"] for header in operation["parameters"] if header["in"] == "header"] == keys
        assert all(parameter["description"] for parameter in operation["parameters"])
        assert not keys or "Idempotent-Replayed" in operation["responses"]["201"]["headers"]
        assert operation["responses"]["429"]["headers"]["Retry-After"]["required"]


def test_every_property_is_told(document: dict[str, Any]) -> None:
    assert [name for name, schema in _properties(document) if not schema.get("description")] == []


def test_every_id_and_moment_has_an_example(document: dict[str, Any]) -> None:
    names = {"scan", "purchase", "refund", "redemption", "occurred_at", "expires_at", "id"}
    bare = [name for name, schema in _properties(document) if name.split(".")[-1] in names and "examples" not in schema]

    assert bare == ["RedemptionIn.purchase"]


def test_only_the_statuses_that_an_operation_can_answer_are_listed(document: dict[str, Any]) -> None:
    found = {address: set(operation["responses"]) for address, operation in _operations(document).items()}

    nameless = ("/api/v1/members", "/api/v1/batches")  # they name nothing that may be unknown
    assert [found.pop(address) for address in nameless] == [GENERAL] * 2
    assert [found.pop(address) for address in LOOKING] == [{"200", "401", "404", "409", "429", "500", "503"}]
    assert all(statuses == {*GENERAL, "404"} for statuses in found.values())


def test_every_code_is_told_where_it_is_listed(document: dict[str, Any]) -> None:
    for operation in _operations(document).values():
        for status, response in operation["responses"].items():
            if status not in ("200", "201"):
                listed = response["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"]
                assert re.findall(r"- `(\w+)`: .+\.$", response["description"], re.M) == listed["enum"]


def test_an_answer_that_the_document_does_not_list_fails_the_test_that_saw_it(till: TillSide) -> None:
    """The till side of these tests compares each answer that any of them sees."""
    document = till.document()
    demand_listed(document, "/api/v1/scans", 404, "member_code_unknown")
    demand_listed(document, "/api/v1/nothing", 404, "not_found")

    for status, code in ((404, "coupon_unknown"), (409, "member_code_unknown"), (418, "teapot")):
        with pytest.raises(Unlisted):
            demand_listed(document, "/api/v1/scans", status, code)
