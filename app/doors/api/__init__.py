"""The till API, `/api/v1`: what a cash register calls with its key."""

from app.doors.api import batches, coupons, sales  # noqa: F401 - importing a module adds its views
from app.doors.api.views import blueprint

__all__ = ["blueprint"]
