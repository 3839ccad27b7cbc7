"""The member's doors: joining and signing in for everybody, the card and all that hangs on it for who is signed in."""

from app.doors.member import (  # noqa: F401 - importing a module adds its views
    asked,
    card,
    coupons,
    profile,
    proof,
    push,
    tiers,
    wallet,
)
from app.doors.member.entry import blueprint as entry
from app.doors.member.home import blueprint as home
from app.doors.member.public import blueprint as public

__all__ = ["entry", "home", "public"]
