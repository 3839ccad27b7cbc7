"""The till API, `/api/v1`: what a cash register calls with its key."""

from app.doors.api import asking, batches, coupons, gift_cards, sales, serials, stamps  # noqa: F401 - importing a module adds its views
from app.doors.api.views import blueprint

__all__ = ["blueprint"]
