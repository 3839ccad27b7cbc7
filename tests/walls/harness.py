"""Feeds routes with own and foreign ids over copies of the two brands, and says what is wrong with the answers."""

import html
import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event
from structlog.testing import capture_logs
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.core import clock, walls
from app.core.runtime import Runtime
from app.core.web.app import READS
from app.core.web.pages import tree_hash
from app.wallet.tools import Tools
from tests.apps import the_app
from tests.builders import BROWSER
from tests.databases import a_database
from tests.delivery.pushes import a_phone
from tests.walls import ids
from tests.walls.feeds import PUSH, Feed
from tests.walls.misuse import PIN
from tests.walls.rows import changed, rows
from tests.walls.world import NOW, World

OURS = {"Origin": "http://localhost:8000", "Sec-Fetch-Site": "same-origin"}
REFUSED = {401, 404}
DONE = {200, 201, 204, 303}
WAY_IN = re.compile(r"/till/login|/brand/login(\?next=.*)?|/[a-z]+/(join|sign-in)")
# What differs between two equal answers: ids made on the way, nonces, the number of the request.
_FLEETING = re.compile(
    r"[0-9A-Z]{26}|(?<=nonce[=-])[\"\w-]+|(?<=request_id\": \")[0-9a-f]+|\b[0-9a-f]{16}\b|data-[a-z]+=\"\d+\""
)


@dataclass(frozen=True)
class Seen:
    """An answer, and what it did to the rows of all and of the other brand."""

    response: TestResponse
    changed: list[str]
    changed_there: list[str]

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def shown(self) -> str:
        """Everything that the answer tells: body, and headers but for the request's number."""
        headers = [f"{name}: {value}" for name, value in self.response.headers if name != "X-Request-Id"]
        return "\n".join([*headers, self.response.get_data().decode("utf-8", "replace")])

    @property
    def is_way_in(self) -> bool:
        """Tell whether it leads to where one signs in."""
        return self.status == 303 and WAY_IN.fullmatch(self.response.location or "") is not None


class Wall:
    """The service over the two brands; each call finds them as they were built."""

    def __init__(self, world: World, file: Path, *, guard_walls: bool = True) -> None:
        """Copy the world to `file` and serve it; `close` gives the file back."""
        self.world = world
        self._file = file
        shutil.copy(world.path, file)
        self._all, self._there = rows(file), rows(file, brand_id=world.there.brand_id)
        self.database = a_database(f"sqlite:///{file}", world.settings.keyring(), guard_walls=guard_walls)
        phone = {
            "simulated_phone": lambda name: a_phone(f"{PUSH}/{name}").subscription(),
            "simulated_iphone": lambda _pkpass: None,
        }
        self.app = the_app()
        self._runtime = Runtime(world.settings, self.database, phone)
        Tools.of(self._runtime)  # what `create_app` makes ready
        self._watch = sqlite3.connect(file)

    def close(self) -> None:
        self._watch.close()
        self.database.close()

    def call(self, method: str, path: str, *, door: str, headers: Mapping[str, str] = OURS, **sent: Any) -> Seen:
        """Call a path with the credential of a door of the brand `here`."""
        cookies, bearer = self.credential(door)
        return self.send(method, path, cookies=cookies, headers={**headers, **bearer}, **sent)

    def send(
        self, method: str, path: str, *, cookies: Mapping[str, str], headers: Mapping[str, str], **sent: Any
    ) -> Seen:
        """Call a path, see what it did to the rows, and put them back."""
        self.app.extensions["leima"] = self._runtime
        client, version = self.app.test_client(), self._version()
        for name, value in cookies.items():
            client.set_cookie(name, value)
        with clock.moved(to=NOW):
            response = client.open(path, method=method, headers=dict(headers), **sent)
            response.get_data()
            response.close()
        after = changed(self._all, rows(self._file)) if self._version() != version else []
        there = changed(self._there, rows(self._file, brand_id=self.world.there.brand_id)) if after else []
        if after:
            self._put_back()
        return Seen(response, after, there)

    def _version(self) -> int:
        """Return a number that is another one after every commit of anybody else, as SQLite promises."""
        found: int = self._watch.execute("PRAGMA data_version").fetchone()[0]
        return found

    def _put_back(self) -> None:
        with closing(sqlite3.connect(self.world.path)) as built, closing(sqlite3.connect(self._file)) as used:
            built.backup(used)

    def credential(self, door: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return the cookies and headers by which the first till, member or person of a door is known."""
        side, browser = self.world.here, {"leima-browser": BROWSER}
        member = f"leima-member-{side.slug}"
        key = {"Authorization": f"Bearer {side.tills[0].key}", "Idempotency-Key": "wall-1"}
        return {
            "nobody": ({}, {}),
            "browser": (browser, {}),
            "api": ({}, key),
            "till": ({"leima-till": side.tills[0].cookie}, {}),
            "brand": ({"leima-brand": side.staff_cookie}, {}),
            "member": ({member: side.members[0].cookie, **browser}, {}),
            "apple": ({}, {"Authorization": f"ApplePass {side.members[0].pass_token}"}),
            "newcomer": ({member: side.waiting_cookie, **browser}, {}),
        }[door]

    def feed(self, rule: Rule, feed: Feed, swap: Mapping[str, str] | None = None) -> Seen:
        """Call a route as it is fed, with the ids of `swap` (where → value) in place of the caller's own."""
        path, sent = self.fill(rule, feed, swap or {})
        return self.call(method_of(rule), path, door=feed.door, **sent)

    def fill(self, rule: Rule, feed: Feed, swap: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
        """Return path and parameters of a call."""
        parts = {
            part: {name: self._value(value, swap.get(f"{part}.{name}")) for name, value in getattr(feed, part).items()}
            for part in ("url", "query", "form", "body")
        }
        with self.app.test_request_context():
            adapter = self.app.url_map.bind("localhost")
            path = adapter.build(rule.endpoint, parts["url"], method=method_of(rule))
        sent: dict[str, Any] = {"query_string": parts["query"]} if parts["query"] else {}
        if feed.body or (feed.door == "api" and method_of(rule) not in READS):
            sent["json"] = parts["body"]
        elif parts["form"]:
            sent["data"] = parts["form"]
        return path, sent

    def _value(self, value: Any, swapped: str | None) -> Any:
        if swapped is not None:
            return swapped
        if not isinstance(value, str):
            return value
        if value[:1] in ("@", "~"):
            return ids.own(self.world, value[1:])
        here = self.world.here
        plain = {
            "=now": NOW.isoformat(), "=today": NOW.date().isoformat(), "=tree": tree_hash(),
            "=approval": {"staff": here.manager, "pin": PIN},
            "=till_key": here.tills[0].key, "=staff_email": here.staff_email,
        }  # fmt: skip
        return plain.get(value, value)


@contextmanager
def unscoped() -> Iterator[None]:
    """Take the brand's criteria off every query of the ORM: the broken twin that the walls' tests must catch."""
    event.remove(walls.BrandSession, "do_orm_execute", walls._scope)
    try:
        with capture_logs():  # its crashes are no news
            yield
    finally:
        event.listen(walls.BrandSession, "do_orm_execute", walls._scope)


def method_of(rule: Rule) -> str:
    """Return the one method of a route."""
    (method,) = (rule.methods or set()) - {"HEAD", "OPTIONS"}
    return method


def slots(feed: Feed) -> list[tuple[str, str, bool]]:
    """Return where a feed names ids: (part.name, kind, whether a foreign one must be refused)."""
    return [
        (f"{part}.{name}", value[1:], value[0] == "@")
        for part in ("url", "query", "form", "body")
        for name, value in getattr(feed, part).items()
        if isinstance(value, str) and value[:1] in ("@", "~")
    ]


def leaks(wall: Wall, seen: Seen, *, door: str, sent: Iterable[str]) -> list[str]:
    """Return what an answer shows that its caller may not know; what the caller sent is no secret."""
    here, there = wall.world.here, wall.world.there
    hidden = there.secrets()
    if door != "brand":  # the console shows its own brand's members
        hidden += [
            value for group in (here.members[1:], here.tills[1:]) for one in group for value in vars(one).values()
        ]
    text = _squeezed(seen.shown)
    echoed = [_squeezed(value) for value in sent]
    found = {_squeezed(value) for value in hidden}
    return [value for value in found if value in text and not any(value in said for said in echoed)]


def _squeezed(text: str) -> str:
    """Leave out the spaces and dashes of printed codes."""
    return re.sub(r"[\s-]", "", html.unescape(text))


def alike(one: Seen, said: str, other: Seen, other_said: str) -> bool:
    """Tell whether two answers are the same but for the ids that were sent and what is new in each answer."""
    return one.status == other.status and _plain(one.shown, said) == _plain(other.shown, other_said)


def _plain(text: str, said: str) -> str:
    for form in (html.escape(said), said, said.lower()):
        text = text.replace(form, "·")
    text = re.sub(r"(?m)^(Content-Length|ETag|Set-Cookie: leima-[a-z-]+=).*", r"\1", text)
    return _FLEETING.sub("·", text)
