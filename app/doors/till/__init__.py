"""The till page, `/till`: a cash register in a browser; every form works without JavaScript."""

from app.doors.till import asking, counter, gift_cards, join, sales  # noqa: F401 - importing a module adds its views
from app.doors.till.door import blueprint

__all__ = ["blueprint"]
