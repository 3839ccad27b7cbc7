"""Who is asking: members, tills and staff by their door's cookie, tills also by their bearer key."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from flask import Flask, g, request
from flask_login import AnonymousUserMixin, LoginManager, UserMixin, current_user
from werkzeug.wrappers import Response

from app.core import sessions
from app.core.web import clear_cookie, database, read_cookie, session, set_cookie
from app.network import service as network
from app.network import tills
from app.network.models import Brand

LASTS = {"member": timedelta(days=365), "till": timedelta(days=30), "brand": timedelta(hours=12)}


@dataclass(frozen=True)
class Who(UserMixin):  # type: ignore[misc]  # the library has no types
    """Somebody a door knows. `subject_id` is a member, till or staff row, as the door says."""

    door: str
    brand_id: int
    subject_id: int
    login_id: int | None


manager = LoginManager()


def install(app: Flask) -> None:
    """Let flask-login ask us who is asking; it keeps nothing itself."""
    # flask-login reads a remember cookie that we never set; without a key a planted one would crash the page.
    app.secret_key = secrets.token_bytes(32)
    manager.init_app(app, add_context_processor=False)
    manager.request_loader(_load)


def _load(_request: object) -> Who | None:
    door = g.get("door")
    if door == "api":
        return _till_by_key()
    token = read_cookie(cookie_name(door)) if door else None
    if token is None:
        return None
    with database().reading() as reading:
        login = sessions.find(reading, token, door=door)
    if login is None or (g.get("brand") is not None and login.brand_id != g.brand.id):
        return None
    return Who(door, login.brand_id, login.subject_id, login.id)


def _till_by_key() -> Who | None:
    scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not 20 <= len(key) <= 200:
        return None
    with database().reading() as reading:
        till = tills.till_by_key(reading, key)
    return Who("api", till.brand_id, till.id, None)


def enter(door: str, *, slug: str | None = None) -> Who | None:
    """Say which door this is, find the brand of the address, and return who asks; the request is scoped to the brand.

    Raises:
        network.service.BrandUnknown: the address names no brand.
    """
    g.door = door
    if slug is not None:
        find_brand(slug)
    who = None if isinstance(current_user._get_current_object(), AnonymousUserMixin) else cast(Who, current_user)
    if who is not None:
        g.brand_id = who.brand_id
    return who


def find_brand(slug: str) -> Brand:
    """Put the brand of an address into `g`, and scope the request to it."""
    with database().reading() as reading:
        brand = network.brand_by_slug(reading, slug)
    g.brand, g.brand_id = brand, brand.id
    return brand


def cookie_name(door: str) -> str:
    """Return a door's cookie; the member's also names the brand, so that two brands live side by side."""
    return f"leima-member-{g.brand.slug}" if door == "member" else f"leima-{door}"


def log_in(response: Response, door: str, subject_id: int, *, device: str = "") -> str:
    """Begin a new session at a door, hand out its cookie and return its token; an old one of this browser ends."""
    log_out(response, door)
    token = sessions.start(session(), door=door, subject_id=subject_id, lasts=LASTS[door], device=device)
    set_cookie(response, cookie_name(door), token, lasts=LASTS[door])
    return token


def log_out(response: Response, door: str) -> None:
    """End the session of this browser at a door."""
    who = None if isinstance(current_user._get_current_object(), AnonymousUserMixin) else cast(Who, current_user)
    if who is not None and who.login_id is not None:
        sessions.end(session(), who.login_id)
    clear_cookie(response, cookie_name(door))
