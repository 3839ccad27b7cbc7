"""Google's Wallet API as the fake keeps it: classes and objects, refused by Google's own schema and rules."""

import json
import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).with_name("google_schema.json")
KINDS = ("loyalty", "offer", "giftCard")
WINDOW, BUDGET = timedelta(hours=24), 3  # notifications of one object
MESSAGES = 10  # of one class or object
_NOT_KEPT = ("hasUsers", "kind", "notifyPreference")  # Google's own to set; a wish of this one request
_WORDS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ALREADY_EXISTS",
}  # fmt: skip


class Refused(Exception):
    """Google says no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    @property
    def body(self) -> dict[str, Any]:
        """Return Google's form of an error."""
        error = {"code": self.status, "message": self.message, "status": _WORDS.get(self.status, "UNKNOWN")}
        return {"error": error}


@cache
def _validator(name: str) -> Draft202012Validator:
    found = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": found["$defs"]})


def check(name: str, payload: Mapping[str, Any], *, partial: bool = False) -> None:
    """Refuse what the closed schema of a resource refuses.

    Args:
        name: such as LoyaltyObject.
        partial: a PATCH need not name what is required.
    """
    for error in _validator(name).iter_errors(payload):
        if partial and error.validator == "required" and not error.path:
            continue
        place = "/".join(str(part) for part in error.path)
        raise Refused(400, f"{place}: {error.message[:200]}")


@dataclass
class Wallet:
    """Everything of one issuer, by id."""

    issuer_id: str
    now: Callable[[], datetime]
    classes: dict[str, dict[str, Any]] = field(default_factory=dict)
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    kinds: dict[tuple[str, str], str] = field(default_factory=dict)  # (class or object, id) → one of KINDS
    notified: dict[str, list[datetime]] = field(default_factory=dict)
    over_budget: list[str] = field(default_factory=list)  # objects that asked for a fourth notification in 24 hours

    def __post_init__(self) -> None:
        self.lock = threading.RLock()

    def insert(self, kind: str, part: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Make a class or an object."""
        check(_resource(kind, part), payload)
        found, made = self._of(part), {key: value for key, value in payload.items() if key not in _NOT_KEPT}
        name = made["id"]
        self._own(name)
        if name in found:
            raise Refused(409, f"{name} exists")
        self._check_rules(kind, part, made)
        found[name] = made | ({"hasUsers": False} if part == "object" else {})
        self.kinds[part, name] = kind
        return self.get(kind, part, name)

    def get(self, kind: str, part: str, name: str) -> dict[str, Any]:
        """Return what is there."""
        return self._kept(kind, part, name) | {"kind": f"walletobjects#{kind}{part.title()}"}

    def patch(self, kind: str, part: str, name: str, payload: dict[str, Any], *, whole: bool = False) -> dict[str, Any]:
        """Change what is named; with `whole`, what is not named is cleared."""
        before = self._kept(kind, part, name)
        check(_resource(kind, part), payload, partial=not whole)
        notify = payload.get("notifyPreference") == "NOTIFY_ON_UPDATE"
        changes = {key: value for key, value in payload.items() if key not in _NOT_KEPT}
        if changes.get("id", name) != name:
            raise Refused(400, "an id never changes")
        base: dict[str, Any] = {key: before[key] for key in ("id", "hasUsers") if key in before} if whole else before
        made: dict[str, Any] = {**base, **changes}
        self._check_rules(kind, part, made, before)
        self._of(part)[name] = made
        if notify and made != before:
            self._notify(part, name)
        return self.get(kind, part, name)

    def add_message(self, kind: str, part: str, name: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Put a message on a class or an object; the oldest go when there are more than ten."""
        self._kept(kind, part, name)
        check("AddMessageRequest", payload)
        message = payload.get("message", {})
        found = self._of(part)[name]
        found["messages"] = [*found.get("messages", []), message][-MESSAGES:]
        if message.get("messageType") == "TEXT_AND_NOTIFY":
            self._notify(part, name)
        return {"resource": self.get(kind, part, name)}

    def save(self, name: str) -> None:
        """Let somebody have an object, and what is linked to it."""
        for one in (name, *self.objects[name].get("linkedObjectIds", [])):
            self.objects[one]["hasUsers"] = True

    def unpack(self, payload: dict[str, Any]) -> list[str]:
        """Make what a save link holds and is not there yet, and return the objects that it names.

        Raises:
            Refused: an id alone of something that is not there, or what an insert refuses.
        """
        for kind in KINDS:
            for klass in payload.get(f"{kind}Classes", []):
                if klass["id"] not in self.classes:  # what is there is kept as it is
                    self.insert(kind, "class", klass)
        held = [(kind, one) for kind in KINDS for one in payload.get(f"{kind}Objects", [])]
        for kind, one in sorted(held, key=lambda pair: "linkedObjectIds" in pair[1]):  # the linked ones first
            if set(one) == {"id"}:
                self._kept(kind, "object", one["id"])
            elif one["id"] not in self.objects:
                self.insert(kind, "object", one)
        return [one["id"] for _kind, one in held]

    def _kept(self, kind: str, part: str, name: str) -> dict[str, Any]:
        self._own(name)
        if self.kinds.get((part, name)) != kind or name not in self._of(part):
            raise Refused(404, f"no {kind} {part} {name}")
        return deepcopy(self._of(part)[name])

    def _of(self, part: str) -> dict[str, dict[str, Any]]:
        return self.classes if part == "class" else self.objects

    def _own(self, name: str) -> None:
        if not name.startswith(f"{self.issuer_id}."):
            raise Refused(403, "another issuer's id")

    def _check_rules(self, kind: str, part: str, made: dict[str, Any], before: dict[str, Any] | None = None) -> None:
        if len(made.get("messages", [])) > MESSAGES:
            raise Refused(400, f"more than {MESSAGES} messages")
        if part == "class":
            was = (before or {}).get("reviewStatus", "")
            if before and was.lower() != "draft" and str(made.get("reviewStatus", "")).lower() == "draft":
                raise Refused(400, "a class that was under review is no draft again")
            return
        if self.kinds.get(("class", made["classId"])) != kind or made["classId"] not in self.classes:
            raise Refused(400, f"no {kind} class {made['classId']}")
        for linked in made.get("linkedObjectIds", []):
            if linked not in self.objects:
                raise Refused(400, f"linked object {linked} does not exist")

    def _notify(self, part: str, name: str) -> None:
        """Notify the holder of an object, or all holders of a class."""
        for holder, held in self.objects.items():
            if (holder if part == "object" else held["classId"]) == name and held.get("hasUsers"):
                now = self.now()
                told = [moment for moment in self.notified.get(holder, []) if moment > now - WINDOW]
                if len(told) >= BUDGET:
                    self.over_budget.append(holder)
                self.notified[holder] = [*told, now]


def _resource(kind: str, part: str) -> str:
    return f"{kind[0].upper()}{kind[1:]}{part.title()}"
