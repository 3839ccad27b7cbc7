"""Walls between brands, resellers, outlets, tills and members: every route of the URL map with every foreign id."""

import pytest
from flask import Blueprint
from werkzeug.routing import Rule

from app.core.runtime import Runtime
from app.core.web import LeimaFlask
from app.core.web.app import READS
from app.wsgi import create_app
from tests.walls import ids
from tests.walls.feeds import FEEDS, WRITES, Feed
from tests.walls.harness import DONE, OURS, REFUSED, Seen, Wall, alike, leaks, method_of, slots, unscoped

EVERY = pytest.mark.parametrize("endpoint", sorted(FEEDS))


def rules(wall: Wall) -> dict[str, Rule]:
    """Return the routes by endpoint; two addresses of one view are fed alike."""
    return {rule.endpoint: rule for rule in wall.app.url_map.iter_rules()}


def unfed(app: LeimaFlask) -> set[str]:
    """Return the routes that do not say how they are fed, and feeds of no route."""
    return {rule.endpoint for rule in app.url_map.iter_rules()} ^ set(FEEDS)


def test_every_route_says_how_it_is_fed(wall: Wall) -> None:
    assert unfed(wall.app) == set()


def test_a_new_route_that_does_not_say_how_it_is_fed_is_found(runtime: Runtime) -> None:
    blueprint = Blueprint("new", __name__)
    blueprint.add_url_rule("/new/<thing>", view_func=lambda thing: thing, endpoint="route")
    assert unfed(create_app(runtime, extra=[blueprint])) == {"new.route"}


def test_every_parameter_of_every_route_is_fed(wall: Wall) -> None:
    lacking = [
        (rule.endpoint, rule.arguments)
        for rule in wall.app.url_map.iter_rules()
        if any(set(feed.url) != rule.arguments for feed in FEEDS[rule.endpoint])
    ]
    assert lacking == []


@EVERY
def test_route_does_what_it_should_with_ones_own_ids(wall: Wall, endpoint: str) -> None:
    rule = rules(wall)[endpoint]
    for feed in FEEDS[endpoint]:
        seen = wall.feed(rule, feed)

        assert seen.status in ({feed.refused} if feed.refused else DONE), seen.shown
        assert seen.is_way_in == feed.leaves
        assert bool(seen.changed) == (method_of(rule) not in READS and not feed.still) or endpoint in WRITES
        assert seen.changed_there == []
        assert leaks(wall, seen, door=feed.door, sent=[]) == []


@EVERY
def test_route_refuses_every_foreign_id(wall: Wall, endpoint: str) -> None:
    assert faults(wall, endpoint) == []


TOLD_APART = {"slug", "undo"}  # brands are no secret; a till may know the purchases of its own outlet


def faults(wall: Wall, endpoint: str) -> list[str]:
    """Feed a route with each foreign id in each of its places; return what is wrong with the answers."""
    rule, found = rules(wall)[endpoint], []
    for feed in FEEDS[endpoint]:
        for place, kind, strict in slots(feed):
            for foreign in ids.foreign(wall.world, kind):
                seen = wall.feed(rule, feed, {place: foreign.value})
                unknown = wall.feed(rule, feed, {place: foreign.nobodys})
                what = f"{endpoint} with {foreign.whose} {kind} in {place}"
                found += [f"{what}: {fault}" for fault in _wrong(wall, feed, kind, seen, foreign.value, strict=strict)]
                if kind not in TOLD_APART and not alike(seen, foreign.value, unknown, foreign.nobodys):
                    found.append(f"{what}: {seen.status}, not as for an id of nobody: {unknown.status}")
    return found


def _wrong(wall: Wall, feed: Feed, kind: str, seen: Seen, said: str, *, strict: bool) -> list[str]:
    # The pages by which a brand is entered are everybody's, so they act in the brand of their address.
    found = [f"changed {table} there" for table in seen.changed_there if strict or kind != "slug"]
    if strict and not (seen.status in REFUSED or (kind == "slug" and seen.is_way_in)):
        found.append(f"answered {seen.status}")
    if strict and set(seen.changed) - {"counter"}:
        found.append(f"changed {seen.changed}")
    if seen.status >= 500:
        found.append(f"broke with {seen.status}")
    known = [said, wall.world.there.name] if kind == "slug" else [said]  # a brand's own pages say its name
    return found + [f"showed {secret}" for secret in leaks(wall, seen, door=feed.door, sent=known)]


@EVERY
def test_route_that_asks_who_it_is_takes_no_other_doors_credential(wall: Wall, endpoint: str) -> None:
    rule, here, there = rules(wall)[endpoint], wall.world.here, wall.world.there
    tokens = {
        "till": [here.staff_cookie, here.members[0].cookie, here.tills[0].key, there.staff_cookie],
        "brand": [here.tills[0].cookie, here.members[0].cookie, here.tills[0].key, there.tills[0].cookie],
        "member": [here.tills[0].cookie, here.staff_cookie, there.members[0].cookie, there.waiting_cookie],
        "apple": [here.members[1].pass_token, here.members[0].cookie, there.members[0].pass_token],
        "api": [here.tills[0].cookie, here.staff_cookie, there.tills[0].cookie, here.tills[0].key[:-1]],
    }
    for feed in FEEDS[endpoint]:
        for token in ["", *tokens.get(feed.door, [])] if feed.door in tokens else []:
            path, sent = wall.fill(rule, feed, {})
            cookies, headers = wall.credential(feed.door)
            cookies = {name: token for name in cookies if name.startswith(f"leima-{feed.door}")}
            scheme = {"api": "Bearer", "apple": "ApplePass"}.get(feed.door, "")
            headers = {"Authorization": f"{scheme} {token}", "Idempotency-Key": "w1"} if scheme else {}
            seen = wall.send(method_of(rule), path, cookies=cookies, headers={**OURS, **headers}, **sent)

            assert seen.is_way_in or seen.status == 401, (token, seen.shown)
            assert set(seen.changed) <= {"counter"}
            assert leaks(wall, seen, door="nobody", sent=[*feed.url.values(), token]) == []


@pytest.mark.parametrize("endpoint", ["api.scan", "api.redeem", "brand.member", "till.redeem", "entry.confirm_page"])
def test_a_session_without_its_brand_is_caught(open_wall: Wall, endpoint: str) -> None:
    with unscoped():
        assert faults(open_wall, endpoint)


def test_the_engine_refuses_what_a_session_without_its_brand_asks(wall: Wall) -> None:
    with unscoped():
        seen = wall.feed(rules(wall)["brand.member"], FEEDS["brand.member"][0])
    assert seen.status == 500
