"""Entries of a brand file that name the cost centre which bears them."""

from typing import Any

from app.core.setup import Item, Setup
from app.network.models import CostCentre


def cost_centre(setup: Setup, item: Item[Any]) -> dict[str, Any] | None:
    """Return the column of an entry that names a cost centre, nothing where it names none, None where there is none."""
    if item.value.cost_centre is None:
        return {}
    centre = setup.refer("cost_centres", CostCentre, item.value.cost_centre, (*item.place, "cost_centre"))
    return None if centre is None else {"cost_centre_id": centre.id}
