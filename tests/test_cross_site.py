"""No other site can act in somebody's name, and looking changes nothing."""

import json

import pytest
from werkzeug.routing import Rule

from app.core.web import guard
from app.core.web.app import READS
from tests.walls.feeds import FEEDS, WRITES
from tests.walls.harness import Seen, Wall, method_of

FOREIGN = {
    "another origin": {"Origin": "https://evil.example"},
    "another port": {"Origin": "http://localhost:8001"},
    "an opaque origin": {"Origin": "null"},
    "another origin, which says it is ours": {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    "cross-site": {"Sec-Fetch-Site": "cross-site"},
    "same-site": {"Sec-Fetch-Site": "same-site"},
    "cross-site with our origin": {"Origin": "http://localhost:8000", "Sec-Fetch-Site": "cross-site"},
    "neither header": {},
}
MACHINES = ("api.", "apple.", "hooks.")


def routes(wall: Wall, *, unsafe: bool) -> list[Rule]:
    """Return the routes that may change something, or those that may not."""
    return [rule for rule in wall.app.url_map.iter_rules() if (method_of(rule) not in READS) == unsafe]


@pytest.mark.parametrize("whence", FOREIGN)
def test_every_unsafe_route_refuses_another_site(wall: Wall, whence: str) -> None:
    assert routes(wall, unsafe=True)
    assert open_to(wall, whence) == []


def test_a_service_that_forgets_to_look_is_caught(wall: Wall) -> None:
    checks = wall.app.before_request_funcs[None]
    place = checks.index(guard._refuse_cross_site)
    forgotten = checks.pop(place)
    try:
        assert len(open_to(wall, "cross-site")) == sum(len(FEEDS[rule.endpoint]) for rule in routes(wall, unsafe=True))
    finally:
        checks.insert(place, forgotten)


def open_to(wall: Wall, whence: str) -> list[str]:
    """Call every unsafe route as another site would; return those that do not refuse it, or that change something."""
    found = []
    for rule in routes(wall, unsafe=True):
        if rule.endpoint.startswith(MACHINES) and not FOREIGN[whence]:
            continue  # no browser and no cookie: a key, a pass's token or a signature is proof
        for feed in FEEDS[rule.endpoint]:
            path, sent = wall.fill(rule, feed, {})
            seen = wall.call(method_of(rule), path, door=feed.door, headers=FOREIGN[whence], **sent)
            if seen.status != 403 or _code(seen) != "cross_site" or seen.changed:
                found.append(f"{rule.endpoint}: {seen.status}, changed {seen.changed}")
    return found


def _code(seen: Seen) -> str:
    if seen.response.mimetype == "application/problem+json":
        return str(json.loads(seen.response.text)["code"])
    return "cross_site" if "· cross_site ·" in seen.response.text else seen.response.text


def test_a_cash_register_needs_neither_header(wall: Wall) -> None:
    assert wall.call("POST", "/api/v1/scans", door="api", headers={}, json={"text": "QQQQQQQQ"}).status == 404


def test_looking_changes_nothing(wall: Wall) -> None:
    assert len(routes(wall, unsafe=False)) > 20
    for rule in routes(wall, unsafe=False):
        for feed in FEEDS[rule.endpoint]:
            path, sent = wall.fill(rule, feed, {})
            for method in ("GET", "HEAD", "OPTIONS"):
                seen = wall.call(method, path, door=feed.door, **sent)

                assert seen.status < 400, rule.endpoint
                assert set(seen.changed) <= WRITES.get(rule.endpoint, set()), rule.endpoint


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_methods_that_no_route_has_are_refused(wall: Wall, method: str) -> None:
    known = {rule.rule for rule in wall.app.url_map.iter_rules() if method in (rule.methods or set())}
    for rule in wall.app.url_map.iter_rules():
        if rule.rule in known:
            continue
        path, _sent = wall.fill(rule, FEEDS[rule.endpoint][0], {})
        seen = wall.call(method, path, door="member")

        assert seen.status == 405, rule.endpoint
        assert seen.changed == [], rule.endpoint
