"""What happens to members. Fields are ids."""

from dataclasses import dataclass

from app.core.events import Event


@dataclass(frozen=True, kw_only=True)
class MemberJoined(Event):
    """A provisional member has joined and has its codes."""

    member_id: int


@dataclass(frozen=True, kw_only=True)
class ContactCodeAsked(Event):
    """A code and a link wait to be sent; `sign_in.message` says what to send to whom."""

    code_id: int


@dataclass(frozen=True, kw_only=True)
class ContactConfirmed(Event):
    """A member has proved that a contact is theirs."""

    member_id: int
    contact_id: int


@dataclass(frozen=True, kw_only=True)
class MemberMerged(Event):
    """The register part of a merge is done: `member_id` became `into_id`."""

    member_id: int
    into_id: int


@dataclass(frozen=True, kw_only=True)
class MemberChanged(Event):
    """Something that the member's cards show may be another.

    Name, language, the secret of the moving code; a consent or a message; a coupon that Google has now.
    """

    member_id: int


@dataclass(frozen=True, kw_only=True)
class ConfirmationAsked(Event):
    """A till asks whether a scan may redeem; the member answers on the phone."""

    confirmation_id: int
