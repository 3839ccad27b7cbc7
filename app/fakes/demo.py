"""What `leima run --demo` starts beside the service: fakes, the demo brand, its keys and passwords."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Blueprint
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import registry
from app.core import clock
from app.core import settings as core_settings
from app.core.crypto import hash_token, new_digits, random_symbols
from app.core.db import Database
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.core.setup import Change, apply_file
from app.core.web.pages import asset
from app.fakes.apns import FakeApns
from app.fakes.front import front_blueprint
from app.fakes.google import FakeGoogle
from app.fakes.iphone import SimulatedIPhone
from app.fakes.iphone_page import iphone_blueprint
from app.fakes.mail import FakeMail
from app.fakes.outbox import outbox_blueprint
from app.fakes.push import ORIGIN as PUSH_ORIGIN
from app.fakes.push import FakePush
from app.fakes.sms import FakeSms
from app.fakes.store import OutboxStore
from app.fakes.wallet_chain import ISSUER_ID, WalletChain, wallet_chain
from app.network import service as network
from app.network.models import RESELLER_ROLES, Outlet, Staff, Till
from app.network.pins import MAY_APPROVE, set_pin
from app.network.staff import set_password
from app.network.tills import new_till_key

BRAND_FILE = Path(__file__).with_name("demo.toml")
DATA_DIR = Path("data/demo")
LOGINS_FILE = "logins.json"
SLUG = "meri"
BEFORE_HISTORY = timedelta(days=100)


@dataclass(frozen=True)
class Demo:
    """The running fakes and the settings that lead to them."""

    settings: Settings
    store: OutboxStore
    push: FakePush
    iphone: SimulatedIPhone

    def attach(self, runtime: Runtime) -> "Logins":
        """Load the brand, give out keys and passwords, and let members subscribe a simulated phone."""
        load_brand(runtime.database)
        runtime.shared["simulated_phone"] = lambda name: self.push.phone(name).subscription()
        runtime.shared["simulated_iphone"] = self.iphone.add
        return logins(runtime)

    def front(self, found: "Logins") -> Blueprint:
        """Return the first page, which names the doors and what opens them."""
        return front_blueprint(
            [(till.outlet, till.till, till.key) for till in found.tills],
            [(one.role, one.email, one.password) for one in found.staff if one.role not in RESELLER_ROLES],
            slug=SLUG, stylesheet=asset("tokens.css"),
        )  # fmt: skip

    def wallets(self) -> Blueprint:
        """Return the page of the simulated iPhone."""
        return iphone_blueprint(self.iphone, stylesheet=asset("tokens.css"))

    def outbox(self) -> Blueprint:
        """Return the pages of `/dev/outbox`."""
        style, base_url = asset("tokens.css"), self.settings.base_url
        return outbox_blueprint(self.store, base_url=base_url, stylesheet=style, new_phone=self.push.phone)


@contextmanager
def demo(given: dict[str, Any]) -> Iterator[Demo]:
    """Start the fakes and load settings that lead to them; what is `given` or set in the environment wins."""
    plain = core_settings.load(**{**given, "demo": True})
    chosen = {name: getattr(plain, name) for name in plain.model_fields_set} | given
    folder: Path = chosen.setdefault("data_dir", DATA_DIR)
    chosen.setdefault("log_level", "WARNING")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as running:
        store, sms_key = OutboxStore(), secrets.token_urlsafe(16)
        mail, push = FakeMail(store), FakePush(store)
        sms = FakeSms(store, key=sms_key)
        chain = wallet_chain(folder / "wallet")
        apns = FakeApns(chain.wwdr + chain.root, store=store)
        google = FakeGoogle(chain.service_account, ISSUER_ID, store=store)
        for fake in (mail.start(), push.start(), sms.start(), apns.start(), google.start()):
            running.callback(fake.stop)
        iphone = _iphone(apns, chain)
        fakes = {
            "smtp_url": mail.url, "sms_url": sms.url, "sms_key": sms_key, "push_hosts": (PUSH_ORIGIN.split("//")[1],),
        }  # fmt: skip
        mapping = {**push.mapping, **sms.mapping, **apns.mapping, **google.mapping}
        chosen["outbound_map"] = {**mapping, **plain.outbound_map}
        root = folder / "wallet" / "loopback.pem"
        root.write_bytes(apns.root)
        settings = core_settings.load(**{**fakes, **_wallet(folder), "outbound_root": root, **chosen, "demo": True})
        yield Demo(settings, store, push, iphone)


def _iphone(apns: FakeApns, chain: WalletChain) -> SimulatedIPhone:
    """Return a phone that wakes whenever its push token does."""
    woken: list[SimulatedIPhone] = []

    def wake() -> None:
        for phone in woken:
            phone.wake()

    woken.append(SimulatedIPhone(lambda: apns.token("iPhone", wake), authority=chain.root))
    return woken[0]


def _wallet(folder: Path) -> dict[str, Any]:
    """Return the settings that name the files of the self-made chain."""
    chain = folder / "wallet"
    return {
        "apple_certificate": chain / "pass.pem", "apple_key": chain / "pass.key", "apple_wwdr": chain / "wwdr.pem",
        "google_issuer": ISSUER_ID, "google_service_account": chain / "google.json",
    }  # fmt: skip


def load_brand(database: Database) -> list[Change]:
    """Apply the demo brand, dated before its history; a second time changes nothing."""
    with database.reading() as session:
        known = any(brand.slug == SLUG for brand in network.brands(session))
    with clock.moved(by=timedelta() if known else -BEFORE_HISTORY):
        return apply_file(database, BRAND_FILE, registry.SETUP)


@dataclass(frozen=True)
class TillLogin:
    """A till with its key, for the table at start."""

    outlet: str
    till: str
    key: str


@dataclass(frozen=True)
class StaffLogin:
    """A person with the password, for the table at start; empty when it was changed since."""

    name: str
    role: str
    email: str
    password: str
    approves: str = ""  # id and PIN for `approval` at a till; empty for who may not


@dataclass(frozen=True)
class Logins:
    """What the demo prints, so that every door can be opened."""

    tills: list[TillLogin]
    staff: list[StaffLogin]


def logins(runtime: Runtime) -> Logins:
    """Give tills and people of the demo random keys and passwords the first time, the same ones after a restart.

    They are kept in a file of the data directory that only its owner can read, since the database has hashes alone.
    """
    path = runtime.settings.data_dir / LOGINS_FILE
    known: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    with runtime.database.reading() as session:
        brand_id = network.brand_by_slug(session, SLUG).id
    with runtime.database.unit(brand_id) as session:
        keys = _till_keys(session, known.get("tills", {}))
        kept = known.get("staff", {})
        people = _passwords(session, kept)
        # Written before the commit: a key in the file that the database lost is made anew, the other way round is not.
        _write_private(path, {"tills": {f"{t.outlet}/{t.till}": t.key for t in keys}, "staff": kept})
    return Logins(keys, people)


def _till_keys(session: Session, known: dict[str, str]) -> list[TillLogin]:
    found = []
    rows = session.execute(select(Till, Outlet).join(Outlet, Outlet.id == Till.outlet_id).order_by(Till.id)).all()
    for till, outlet in rows:
        key = known.get(f"{outlet.slug}/{till.slug}", "")
        if till.key_hash is None and till.revoked_at is None:
            key = new_till_key(session, till)
        elif till.key_hash != hash_token(key):
            key = ""  # replaced by `leima till-key`, which showed it
        found.append(TillLogin(outlet.slug, till.slug, key))
    return found


def _passwords(session: Session, kept: dict[str, dict[str, str]]) -> list[StaffLogin]:
    found = []
    for person in session.scalars(select(Staff).order_by(Staff.id)):
        if person.password_hash is None:
            password = "-".join(random_symbols(4) for _ in range(4)).lower()
            set_password(session, person, password)
            kept[person.email] = {"password": password, "set": hash_token(str(person.password_hash))}
        if person.role in MAY_APPROVE and person.pin_hash is None:
            pin = new_digits(4)
            set_pin(session, person, pin)
            kept.setdefault(person.email, {}).update(id=person.public_id, pin=pin)
        known = kept.get(person.email, {})
        unchanged = known.get("set") == hash_token(person.password_hash or "")  # else by `leima staff` meanwhile
        approves = f"{known['id']}, {known['pin']}" if "pin" in known else ""
        password = known["password"] if unchanged else ""
        found.append(StaffLogin(person.name, person.role, person.email, password, approves))
    return found


def _write_private(path: Path, content: dict[str, Any]) -> None:
    """Replace a file in one step; it is never readable by others, not even for a moment."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
    new.replace(path)
