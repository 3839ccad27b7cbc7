"""This browser as a device of the member: what it calls itself, and its log-in."""

from flask import g, request
from werkzeug.wrappers import Response

from app.core import sessions, web
from app.delivery import subscriptions
from app.doors import identity

BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "CrOS": "Chromebook",
    "Linux": "Linux",
}


def device_name() -> str:
    """Return browser and system, `Chrome on Android`; empty when it does not say."""
    agent = request.headers.get("User-Agent", "")[:400]
    browser = next((name for mark, name in BROWSERS.items() if mark in agent), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in agent), "")
    return f"{browser}, {system}" if browser and system else browser or system


def platform() -> str:
    """Return whose wallet this browser's phone has: apple, google or other."""
    agent = request.headers.get("User-Agent", "")[:400]
    if any(mark in agent for mark in ("iPhone", "iPad", "iPod")):
        return "apple"
    return "google" if "Android" in agent else "other"


def log_in(response: Response, member_id: int) -> None:
    """Log this browser in to a card. It stays subscribed to pushes when it was logged in to the same card before."""
    session = web.session()
    token = identity.log_in(response, "member", member_id, device=device_name())
    login = sessions.find(session, token, door="member")
    if login is not None and g.login_id is not None:
        subscriptions.follow(session, from_login=g.login_id, to_login=login.id, member_id=member_id)


def log_out(response: Response) -> None:
    """Log this browser out; it is not pushed to any more."""
    if g.login_id is not None:
        subscriptions.drop_login(web.session(), g.login_id)
    identity.log_out(response, "member")
