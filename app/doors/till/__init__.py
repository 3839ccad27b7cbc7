"""The till page, `/till`: a cash register in a browser; every form works without JavaScript."""

from app.doors.till import asking, cards, counter, gift_cards, join, sales, undoing  # noqa: F401 - importing a module adds its views
from app.doors.till.door import blueprint

__all__ = ["blueprint"]
