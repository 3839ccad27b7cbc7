"""Section of the brand file: the texts that people agree to or are shown. A changed text is a new version."""

from pydantic import BaseModel, ConfigDict

from app.core.setup import Entry, Section, Setup
from app.members import wordings
from app.network.setup import Texts


class ConsentsIn(BaseModel):
    """`[wordings.consents.email]` and so on: one sentence for each marketing channel that the brand asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_strip_whitespace=True)

    email: Texts | None = None
    sms: Texts | None = None
    push: Texts | None = None
    wallet: Texts | None = None


class WordingsIn(Entry):
    """`[wordings]`: terms, privacy notice and consents, each by language."""

    terms: Texts | None = None
    privacy: Texts | None = None
    consents: ConsentsIn = ConsentsIn()


SECTIONS = (Section("wordings", WordingsIn, many=False),)


def apply(setup: Setup) -> None:
    """Publish each text that differs from its newest version; what the file omits is left alone."""
    item = setup.one("wordings", WordingsIn)
    if item is None:
        return
    given = item.value
    texts = {kind: getattr(given, kind) for kind in wordings.LEGAL}
    for channel in wordings.CONSENT_CHANNELS:
        texts[wordings.consent_kind(channel)] = getattr(given.consents, channel)
    for kind, by_language in texts.items():
        for language, text in (by_language or {}).items():
            row = wordings.publish(setup.session, kind=kind, language=language, text=text)
            if row is not None:
                setup.changed("+" if row.version == 1 else "~", f"wording {kind} {language}", f"version {row.version}")
