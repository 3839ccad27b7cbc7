"""Settings from the environment (`LEIMA_…`); the only module that reads it. All faults are named at once."""

import base64
import ipaddress
import os
import re
from difflib import get_close_matches
from email.policy import SMTP
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.core.crypto import Keyring, parse_keys
from app.core.targets import AddressRefused, is_loopback, read_loopback, read_origin, read_parts, read_target

DEMO_SECRET = "demo-only-secret-that-nobody-may-use-in-production"  # noqa: S105 - refused outside the demo
DEMO_KEY = "demo:" + base64.b64encode(b"leima demo key, never for real!!").decode()
MIN_SECRET = 32  # characters
PREFIX = "LEIMA_"
OF_TESTS = "LEIMA_TEST_"  # read by the tests alone
DRIVERS = ("sqlite", "postgresql", "postgresql+psycopg")
_CONTACT = re.compile(r"mailto:[^\s@<>]+@[^\s@<>]+|https://[^\s/]+\S*")


class SettingsError(Exception):
    """The settings cannot be used; `faults` names every one of them."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class _Environment(EnvSettingsSource):
    """The environment without what only a command may say."""

    def __call__(self) -> dict[str, Any]:
        """Return the variables that count."""
        return {name: value for name, value in super().__call__().items() if name != "demo"}


class Settings(BaseSettings):
    """Everything an operator can set. Secrets have no default outside the demo."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, validate_default=True
    )

    demo: bool = Field(False, description="set by `leima run --demo` alone; not read from the environment")
    data_dir: Path = Field(Path("data"), description="where SQLite and the demo's files live")
    database_url: str = Field("", description="SQLite or PostgreSQL; default: a SQLite file in the data directory")
    base_url: str = Field("http://127.0.0.1:8000", description="address in links, QR codes and Origin checks")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on")
    threads: int = Field(8, ge=1, le=64, description="web threads of `leima run` and `leima serve`")
    secret_key: str = Field("", description="at least 32 characters; look-up hashes hang on it, so it never changes")
    encryption_keys: str = Field("", description="`id:base64` of 32 bytes, comma separated; the first one encrypts")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="least level that is logged")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="addresses whose X-Forwarded-For counts"
    )
    smtp_url: str = Field("", description="smtp://user:password@host:port; smtps:// for TLS, ?starttls=1 to upgrade")
    mail_from: str = Field("Leima <no-reply@leima.example>", description="sender of service mail")
    sms_url: str = Field("", description="HTTPS address of the SMS gateway")
    sms_key: str = Field("", description="bearer key of the SMS gateway")
    sms_sender: str = Field("Leima", max_length=11, description="sender name of SMS")
    vapid_key_file: Path | None = Field(None, description="PEM of the VAPID key; default: made in the data directory")
    vapid_subject: str = Field("mailto:support@leima.example", description="contact that push services may use")
    push_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="push services to allow beside the known ones"
    )
    outbound_map: Annotated[dict[str, str], NoDecode] = Field(
        {}, description="origin=address pairs sent to fakes after all checks; refused outside the demo and tests"
    )
    outbound_root: Path | None = Field(
        None, description="PEM of the fakes' certificate authority; refused outside the demo and tests"
    )
    apple_certificate: Path | None = Field(None, description="PEM of the pass certificate")
    apple_key: Path | None = Field(None, description="PEM of its private key")
    apple_key_password: str = Field("", description="passphrase of that key")
    apple_wwdr: Path | None = Field(None, description="PEM of Apple's WWDR intermediate")
    google_issuer: str = Field("", description="issuer id of the Google Wallet account")
    google_service_account: Path | None = Field(None, description="JSON key file of the Google service account")
    badges: Path | None = Field(None, description="folder with the platforms' own wallet badges")

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_others: Any, **_named: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read what is given, then the environment; nothing else, and never `demo`, which lets default secrets pass."""
        return init_settings, _Environment(settings_cls)

    @field_validator("trusted_proxies", "push_hosts", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(filter(None, (part.strip() for part in value.split(",")))) if isinstance(value, str) else value

    @field_validator("outbound_map", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parts = [part.strip() for part in value.split(",") if part.strip()]
        if not all("=" in part for part in parts):
            raise ValueError("must be origin=address pairs, comma separated")
        return dict(part.split("=", 1) for part in parts)

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        try:
            url = make_url(value) if value else None
        except (ArgumentError, ValueError):
            raise ValueError("is no database address") from None
        if url and (url.drivername not in DRIVERS or url.database in (None, "", ":memory:")):
            raise ValueError("must be sqlite:///file or postgresql://user@host/database")
        return value

    @field_validator("base_url")
    @classmethod
    def _base(cls, value: str) -> str:
        parts = read_parts(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
            raise ValueError("must be scheme://host[:port] without a path")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("must be https; plain http is for loopback only")
        if len(parts.netloc) > 27:
            raise ValueError("the host may have at most 27 characters, else the QR code grows past 33 modules")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            ipaddress.ip_network(address, strict=False)
        return value

    @field_validator("secret_key")
    @classmethod
    def _secret(cls, value: str, info: ValidationInfo) -> str:
        if not info.data.get("demo") and len(value) < MIN_SECRET:
            raise ValueError(f"at least {MIN_SECRET} characters are needed")
        if not info.data.get("demo") and value == DEMO_SECRET:
            raise ValueError("the demo's secret is refused outside `leima run --demo`")
        return value

    @field_validator("encryption_keys")
    @classmethod
    def _keys(cls, value: str, info: ValidationInfo) -> str:
        if not parse_keys(value) and not info.data.get("demo"):
            raise ValueError("one id:base64 of 32 bytes is needed")
        if not info.data.get("demo") and DEMO_KEY in value:
            raise ValueError("the demo's key is refused outside `leima run --demo`")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: str) -> str:
        parts = read_parts(value)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if value and (parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/")):
            raise ValueError("must be smtp://host:port or smtps://host:port")
        if query and (set(query) != {"starttls"} or query["starttls"] not in ("0", "1")):
            raise ValueError("knows ?starttls=1 and nothing else after the port")
        plain = parts.scheme == "smtp" and query.get("starttls") != "1"
        if plain and parts.username and not is_loopback(parts.hostname or ""):
            raise ValueError("a password is not sent over a plain connection: use smtps:// or ?starttls=1")
        return value

    @field_validator("sms_url")
    @classmethod
    def _sms(cls, value: str) -> str:
        try:
            if value:
                read_target(value)
        except AddressRefused as error:
            raise ValueError(f"is {error}") from None
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        try:
            header = SMTP.header_factory("From", value)
            (one,) = header.addresses  # of several, none is the sender
            if header.defects or not one.username or not one.domain:
                raise ValueError
        except (ValueError, LookupError, AttributeError):  # the parser of the standard library trips over some
            raise ValueError("must be one address, such as Meri <hello@meri.example>") from None
        return value

    @field_validator("vapid_subject")
    @classmethod
    def _contact(cls, value: str) -> str:
        if not _CONTACT.fullmatch(value):
            raise ValueError("must be mailto:somebody@host or https://host")
        return value

    @field_validator("vapid_key_file", "apple_certificate", "apple_key", "apple_wwdr", "google_service_account")
    @classmethod
    def _file(cls, value: Path | None) -> Path | None:
        if value is not None and not (value.is_file() and os.access(value, os.R_OK)):
            raise ValueError(f"there is no file {value} that can be read")
        return value

    @field_validator("badges")
    @classmethod
    def _folder(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_dir():
            raise ValueError(f"there is no folder {value}")
        return value

    @field_validator("outbound_map")
    @classmethod
    def _map(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if value and not info.data.get("demo"):
            raise ValueError("refused outside the demo and the tests")
        for origin, address in value.items():
            read_origin(origin)
            read_loopback(address)
        return value

    @field_validator("outbound_root")
    @classmethod
    def _root(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and not info.data.get("demo"):
            raise ValueError("refused outside the demo and the tests")
        return cls._file(value)

    @property
    def url(self) -> str:
        """Return the SQLAlchemy address of the database."""
        if self.database_url:
            return self.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
        return f"sqlite:///{(self.data_dir / 'leima.db').absolute()}"

    @property
    def secure(self) -> bool:
        """Tell whether cookies carry `__Host-` and `Secure`: always, but on http loopback."""
        return self.base_url.startswith("https:")

    def keyring(self) -> Keyring:
        """Return the keys of this installation."""
        keys = parse_keys(self.encryption_keys or (DEMO_KEY if self.demo else ""))
        return Keyring(keys, (self.secret_key or DEMO_SECRET).encode())


def load(**given: Any) -> Settings:
    """Read the settings; what is given wins over the environment.

    Raises:
        SettingsError: with every fault, each by the name of its variable.
    """
    unknown = _unknown()
    try:
        loaded = Settings(**given)
    except ValidationError as error:
        faults = []
        for fault in error.errors():
            text = str(fault.get("ctx", {}).get("error", fault["msg"]))
            place = ".".join(str(part) for part in fault["loc"])
            faults += [f"{place}: {line}" if place else line for line in text.splitlines()]
        raise SettingsError([*(f"{PREFIX}{_upper(fault)}" for fault in faults), *unknown]) from None
    if unknown:
        raise SettingsError(unknown)
    return loaded


def _unknown() -> list[str]:
    """Return a fault for each variable that looks like a setting and is none: a slip would else do nothing."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    faults = []
    for name in sorted(os.environ):
        if (upper := name.upper()).startswith(PREFIX) and upper not in known and not upper.startswith(OF_TESTS):
            close = get_close_matches(upper, known, n=1)
            faults.append(f"{name}: no such setting" + (f"; did you mean {close[0]}?" if close else ""))
    return faults


def _upper(fault: str) -> str:
    name, separator, text = fault.partition(":")
    return name.upper().replace(", ", ", LEIMA_") + separator + text
