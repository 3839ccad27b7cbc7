"""Every URL is proved by its door's `before_request`; the open ones stand here, each with its reason."""

from collections.abc import Callable, Iterator

import pytest
from flask import Blueprint
from werkzeug.routing import MapAdapter, Rule
from werkzeug.test import TestResponse

from app.core.runtime import Runtime
from app.core.web import LeimaFlask
from app.wsgi import create_app
from tests.walls.harness import OURS, WAY_IN, Wall

PUBLIC = {
    "assets": "files of the app itself, the same for everybody",
    "openapi.spec": "the till API's document; it holds no data",
    "ops.alive": "a load balancer asks; it says nothing of anybody",
    "ops.ready": "a load balancer asks; it says nothing of anybody",
    "public.front": "leads to the one brand, or to the demo's doors",
    "public.favicon": "a mark for pages of no brand",
    "public.at_till": "says the same for every code",
    "public.css": "the brand's look",
    "public.icon": "the brand's look",
    "public.manifest": "makes the page an app, before anybody joins",
    "public.service_worker": "the same for everybody",
    "public.offline": "the same for everybody",
    "public.terms": "read before joining",
    "public.privacy": "read before joining",
    "entry.join": "the way in",
    "entry.do_join": "the way in",
    "entry.sign_in_page": "the way in",
    "entry.ask_sign_in": "the way in",
    "entry.sign_in_code": "the way in",
    "entry.do_sign_in": "the way in: proved by the code and the browser that asked",
    "entry.confirm_page": "proved by the link's token; looking uses nothing up",
    "entry.do_confirm": "proved by the code or the link's token",
    "entry.confirm_again": "acts for the member's own cookie only; anybody else is led to the card",
    "apple.changed": "Apple sends no token; the phone's own id, 128 random bits, opens its list",
    "apple.take_log": "Apple sends no token; only counts are kept, and those are limited",
    "hooks.google": "proved by Google's signature over the body",
    "public.wallet_badge": "the platforms' own badges, the same for everybody",
    "till.login": "the way in",
    "till.log_in": "the way in",
    "brand.login": "the way in",
    "brand.log_in": "the way in",
}


def open_urls(app: LeimaFlask, ask: Callable[[str, str], TestResponse]) -> Iterator[str]:
    """Ask for every URL as nobody; give the endpoints that do not ask who it is."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            response = ask(method, _path(adapter, rule, method))
            turned_away = response.status_code == 401 or (
                response.status_code == 303 and WAY_IN.fullmatch(response.location or "")
            )
            if not turned_away:
                yield rule.endpoint


def _path(adapter: MapAdapter, rule: Rule, method: str) -> str:
    values = {name: "meri" if name == "slug" else "x" for name in rule.arguments}
    return adapter.build(rule.endpoint, values, method=method)


def unguarded(app: LeimaFlask) -> list[str]:
    """Return endpoints that are not on the public list and whose blueprint proves nobody."""
    return [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in PUBLIC and not app.before_request_funcs.get(rule.endpoint.rpartition(".")[0])
    ]


def test_only_the_public_list_is_open(wall: Wall) -> None:
    assert unguarded(wall.app) == []
    found = open_urls(wall.app, lambda method, path: wall.call(method, path, door="nobody").response)
    assert set(found) - set(PUBLIC) == set()


def test_the_public_list_names_urls_that_are_there(wall: Wall) -> None:
    endpoints = {rule.endpoint for rule in wall.app.url_map.iter_rules()}
    assert set(PUBLIC) - endpoints == set()
    assert all(PUBLIC.values())


@pytest.mark.parametrize("forgets", ["the whole check", "to turn strangers away"])
def test_a_new_url_that_is_open_is_found(runtime: Runtime, forgets: str) -> None:
    blueprint = Blueprint("new", __name__)
    blueprint.add_url_rule("/new/<thing>", view_func=lambda thing: thing, endpoint="open")
    if forgets != "the whole check":
        blueprint.before_request(lambda: None)

    app = create_app(runtime, extra=[blueprint])

    assert unguarded(app) == ([] if blueprint.before_request_funcs else ["new.open"])
    client = app.test_client()
    found = open_urls(app, lambda method, path: client.open(path, method=method, headers=OURS, buffered=True))
    assert "new.open" in set(found)
