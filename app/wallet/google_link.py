"""The address at Google that saves a member's card."""

import hashlib
import json

from app.cards.views import Card
from app.core import i18n
from app.core.runtime import Runtime
from app.network.models import Brand
from app.wallet.google import Saved, loyalty_class, save_link as fat_link
from app.wallet.model import CardView
from app.wallet.templates import Template

LOOK_NAME = 20  # characters of the slugs in a class's name, which a save link holds twice


def save_link(runtime: Runtime, *, brand_id: int, member_id: int, program_slug: str | None = None) -> str:
    """Return the address."""
    raise NotImplementedError


def look_name(template: Template, view: CardView, brand: Brand, card: Card) -> str:
    """Return the class's name. Google keeps the first content it sees under a name, so new content has a new one."""
    shown = json.dumps(loyalty_class(template, view, issuer_id="", look=""), sort_keys=True)
    slugs = f"{brand.slug}.{card.program.slug}"
    return f"{slugs[:LOOK_NAME]}.{hashlib.sha256(f'{slugs} {shown}'.encode()).hexdigest()[:8]}"
