"""The wallet doctor: every check of a brand's passes by name. It reads, and changes nothing.

Source: wallet.md, "`leima wallet doctor`".
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from app.core import clock, i18n
from app.core.db import brand_of
from app.core.i18n import gettext as _
from app.core.outbound import Outbound, OutboundError
from app.core.runtime import Runtime
from app.network.models import Brand
from app.wallet import brand_templates, channels, classes, credentials, words
from app.wallet.brand_templates import TemplateRefused
from app.wallet.certificates import Finding, examine, fault, fine, of_error, pass_type_of, warn
from app.wallet.google import NoToken, ServiceAccount, ServiceAccountUnusable, TokenSource
from app.wallet.outgoing import outbound
from app.wallet.serve import web_service_url
from app.wallet.signer import SignerError
from app.wallet.template_source import IMAGES, picture_names
from app.wallet.templates import Template
from app.wallet.tools import NoServiceAccount, Tools

__all__ = ["Finding", "Reach", "Token", "asking", "check", "title", "token_of", "worst_first"]

Reach = Callable[[str], int]  # asks an address by GET and returns the status; raises OutboundError
Token = Callable[[ServiceAccount], object]  # asks Google for an access token; raises NoToken
LONG = timedelta(minutes=15)  # after which a provider that does not answer is more than a hiccup
SECONDS = 10  # that an address has to answer
_ORDER = {"fault": 0, "warn": 1, "fine": 2}


def check(
    session: Session, runtime: Runtime, *, reach: Reach | None = None, token: Token | None = None
) -> list[Finding]:
    """Return everything that was looked at for the session's brand, good and bad, in the language of this moment.

    Args:
        reach: asks an address from outside; left out, addresses are judged by their text alone.
        token: asks Google for a token; left out, the account is only read.
    """
    tools, brand = Tools.of(runtime), session.get_one(Brand, brand_of(session))
    return [
        *_apple(session, tools),
        *_templates(session, tools),
        *_address("web_service", web_service_url(runtime, brand), reach, session, tools),
        *_google(session, tools, token),
        *_callbacks(runtime, brand, reach),
        *_channels(session, brand),
    ]


def worst_first(findings: list[Finding]) -> list[Finding]:
    """Return the findings with faults on top."""
    return sorted(findings, key=lambda one: _ORDER[one.level])


@contextmanager
def asking(runtime: Runtime) -> Iterator[Reach]:
    """Give a function that asks this installation's own address through the one way out."""
    settings = runtime.settings
    roots = [settings.outbound_root.read_bytes()] if settings.outbound_root else []
    host = urlsplit(settings.base_url).hostname or ""
    way = Outbound(allowed=[host], mapping=dict(settings.outbound_map), roots=roots)
    try:
        yield lambda url: way.request("GET", url, seconds=SECONDS).status
    finally:
        way.close()


def token_of(runtime: Runtime) -> Token:
    """Return a function that asks Google for an access token, as the jobs do."""
    return lambda account: TokenSource(outbound(runtime), account).token(seconds=SECONDS)


def title(name: str) -> str:
    """Return a check's name for people, in the language of this moment."""
    kind = name.removeprefix("template_")
    return {
        "apple_certificate": _("Apple: certificate"),
        "apple_key": _("Apple: private key"),
        "apple_chain": _("Apple: chain"),
        "apple_generation": _("Apple: WWDR generation"),
        "apple_expiry": _("Apple: certificate's end"),
        "apple_wwdr_expiry": _("Apple: WWDR's end"),
        "apple_pass_type": _("Apple: pass type"),
        "apple_team": _("Apple: team"),
        "apple_trust": _("Apple: trust"),
        "apple_phones": _("Apple: passes on phones"),
        "apple_channel": _("Apple: push service"),
        "template_stamp_card": _("Template: stamp card"),
        "template_bonus_card": _("Template: bonus card"),
        "template_coupon": _("Template: coupon"),
        "template_gift_card": _("Template: gift card"),
        "web_service": _("Web service: address"),
        "web_service_reached": _("Web service: reached"),
        "google_account": _("Google: account"),
        "google_issuer": _("Google: issuer"),
        "google_token": _("Google: token"),
        "google_callbacks": _("Google: callbacks"),
        "google_channel": _("Google: Wallet API"),
    }.get(name, kind.replace("_", " "))


def _apple(session: Session, tools: Tools) -> Iterator[Finding]:
    try:
        pem, password = tools.parts(session)
    except SignerError as error:
        yield of_error("apple_certificate", error)
        return
    yield from examine(pem, password, clock.now())
    mine = pass_type_of(pem)
    others = sorted(credentials.pass_types_on_phones(session) - {mine})
    if mine and others:
        sentence = _("Phones hold passes of the type %(old)s, which this certificate cannot update.")
        yield fault("apple_phones", "wallet_pass_type_in_use", sentence % {"old": ", ".join(others)})
    elif mine:
        yield fine("apple_phones", _("All of this pass type"))


def _templates(session: Session, tools: Tools) -> Iterator[Finding]:
    own = brand_templates.digests(session)
    for template_name in brand_templates.names():
        name = f"template_{template_name.replace('-', '_')}"
        try:
            template = (
                brand_templates.load(session, template_name) if template_name in own else tools.templates[template_name]
            )
        except KeyError:
            yield fault(name, "wallet_template_missing", _("Leima's own folder is missing."))
        except TemplateRefused as error:
            yield fault(name, error.code, f"{error.message} {' · '.join(error.faults)}")
        else:
            yield _images(name, template, own=template_name in own)


def _images(name: str, template: Template, *, own: bool) -> Finding:
    files = {entry.name for entry in template.files} | {
        entry.name for _count, entries in template.strips for entry in entries
    }
    wanted = [image for image in IMAGES if image not in template.drawn]
    missing = [path for image in wanted for path in picture_names(image) if path not in files]
    if missing:
        return fault(name, "wallet_image_missing", _("Missing: %(files)s", files=", ".join(missing)))
    return fine(name, _("The brand's own") if own else _("Leima's own"))


def _address(name: str, url: str, reach: Reach | None, session: Session, tools: Tools) -> Iterator[Finding]:
    if not url.startswith("https://"):
        yield warn(name, "wallet_web_service_not_https", _("%(url)s: simulated phones only", url=url))
        return
    yield fine(name, url)
    if reach is None:
        return
    try:
        pass_type = pass_type_of(tools.parts(session)[0])
    except SignerError:
        pass_type = ""
    asked = f"{url}/v1/devices/doctor/registrations/{pass_type or 'pass.doctor'}"
    yield _reached("web_service_reached", asked, 204, reach)


def _callbacks(runtime: Runtime, brand: Brand, reach: Reach | None) -> Iterator[Finding]:
    url = classes.callback_url(runtime, brand)
    if not url.startswith("https://"):
        yield warn("google_callbacks", "wallet_web_service_not_https", _("%(url)s: simulated phones only", url=url))
    elif reach is not None:
        yield _reached("google_callbacks", url, 405, reach)  # it takes POST alone, with Google's signature
    else:
        yield fine("google_callbacks", url)


def _reached(name: str, url: str, wanted: int, reach: Reach) -> Finding:
    try:
        status = reach(url)
    except OutboundError as error:
        sentence = _("No answer (%(why)s): %(url)s", why=type(error).__name__, url=url)
        return fault(name, "wallet_web_service_unreachable", sentence)
    if status != wanted:
        sentence = _("Answered %(status)s instead of %(wanted)s: %(url)s", status=status, wanted=wanted, url=url)
        return fault(name, "wallet_web_service_answers_wrongly", sentence)
    return fine(name, _("Answers as it should"))


def _google(session: Session, tools: Tools, token: Token | None) -> Iterator[Finding]:
    try:
        account = tools.account(session)
    except NoServiceAccount as error:  # a brand may do without Google
        yield warn("google_account", error.code, error.message)
        return
    except ServiceAccountUnusable as error:
        yield fault("google_account", error.code, error.message)
        return
    yield fine("google_account", account.email)
    issuer = account.issuer_id
    if issuer.isascii() and issuer.isdigit():
        yield fine("google_issuer", issuer)
    else:
        yield fault("google_issuer", credentials.IssuerInvalid.code, _("The issuer id is no row of digits."))
    if token is not None:
        yield _token(account, token)


def _token(account: ServiceAccount, token: Token) -> Finding:
    try:
        token(account)
    except NoToken as error:
        return fault("google_token", error.result.reason, _("Google gives none"))
    return fine("google_token", _("Google gives one"))


def _channels(session: Session, brand: Brand) -> Iterator[Finding]:
    for kind in (credentials.APPLE, credentials.GOOGLE):
        name, row = f"{kind}_channel", channels.find(session, kind)
        if row is None:
            yield fine(name, _("Not used yet"))
        elif not row.fault or row.fault_at is None:
            yield fine(name, _("Works"))
        else:
            since = i18n.format_datetime(row.fault_at, brand.zone)
            say = fault if clock.now() - row.fault_at > LONG else warn
            yield say(name, row.fault, _("Waits since %(since)s: %(fault)s", since=since, fault=words.fault(row.fault)))
