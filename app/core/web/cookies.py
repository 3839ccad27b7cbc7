"""Cookies of the doors: `__Host-` names and Secure everywhere but on http loopback."""

from datetime import timedelta

from flask import request
from werkzeug.wrappers import Response

from app.core.web.app import runtime


def name(door: str) -> str:
    """Return the cookie's full name."""
    return f"__Host-{door}" if runtime().settings.secure else door


def read_cookie(door: str) -> str | None:
    """Return a door's cookie, if the browser sent one."""
    return request.cookies.get(name(door)) or None


def set_cookie(response: Response, door: str, value: str, *, lasts: timedelta) -> None:
    """Hand the browser a door's cookie: HttpOnly, SameSite=Lax, host only."""
    secure = runtime().settings.secure
    response.set_cookie(
        name(door), value, max_age=int(lasts.total_seconds()), secure=secure, httponly=True, samesite="Lax", path="/"
    )


def clear_cookie(response: Response, door: str) -> None:
    """Take a door's cookie back."""
    response.delete_cookie(name(door), secure=runtime().settings.secure, httponly=True, samesite="Lax", path="/")
