"""What the wallet tells its own jobs."""

from dataclasses import dataclass

from app.core.events import Event


@dataclass(frozen=True, kw_only=True)
class PhonesDue(Event):
    """Phones of a brand have something to hear of and were not woken yet."""

    brand_id: int


@dataclass(frozen=True, kw_only=True)
class ObjectsDue(Event):
    """Objects of a brand show something that Google does not have yet."""

    brand_id: int


@dataclass(frozen=True, kw_only=True)
class LookChanged(Event):
    """What every pass of a brand shows may have changed: colors, templates, outlets, programs, news."""

    brand_id: int


@dataclass(frozen=True, kw_only=True)
class WalkGoesOn(Event):
    """The passes of a brand were looked at up to the member `after`; the others follow."""

    brand_id: int
    after: int


@dataclass(frozen=True, kw_only=True)
class CredentialChanged(Event):
    """A brand's certificate or service account is another one: what waited may go on."""

    brand_id: int
    kind: str  # apple or google


@dataclass(frozen=True, kw_only=True)
class MessageQueued(Event):
    """A message waits on a card."""

    message_id: int


@dataclass(frozen=True, kw_only=True)
class NewsPublished(Event):
    """Service news waits for Google's classes; Apple's cards show it as they are refreshed."""

    news_id: int
