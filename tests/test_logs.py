"""Logs hold no names, addresses, numbers, tokens or codes; every line is JSON that names its request or job."""

import io
import json
import logging
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app import registry
from app.core import clock, log, web
from app.core.db import keyring
from app.core.runtime import Runtime
from app.core.setup import apply_file
from app.core.web import LeimaFlask
from app.fakes.wallet_chain import ISSUER_ID, wallet_chain
from app.members.models import ContactCode, MemberCode
from app.network.models import Till
from app.network.tills import new_till_key
from app.rewards import service as rewards
from app.wallet.outgoing import HOSTS, close
from app.worker import Worker
from app.wsgi import create_app

DEMO = Path(registry.__file__).parent / "fakes" / "demo.toml"
SAME = {"Origin": "http://localhost:8000"}
NAME, CONTACT = "Kanarialintu", "kanaria.salainen@example.com"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged during the test."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    log.configure("DEBUG", stream)
    yield stream
    root.handlers[:], root.level = before


@pytest.fixture
def app(written: io.StringIO, runtime: Runtime, tmp_path: Path) -> Iterator[LeimaFlask]:
    folder = tmp_path / "wallet"
    wallet_chain(folder)
    files = {
        "apple_certificate": folder / "pass.pem", "apple_key": folder / "pass.key", "apple_wwdr": folder / "wwdr.pem",
        "google_service_account": folder / "google.json",
    }  # fmt: skip
    nobody = dict.fromkeys((f"https://{host}" for host in HOSTS), "http://127.0.0.1:9")
    told = {**files, "google_issuer": ISSUER_ID, "outbound_map": nobody}
    runtime.settings = runtime.settings.model_copy(update=told)
    apply_file(runtime.database, DEMO, registry.SETUP)
    built = create_app(runtime)
    broken = web.door("broken", __name__, url_prefix="/broken")

    @broken.get("/")
    def crash() -> str:
        secret = f"{NAME} {CONTACT}"
        raise RuntimeError(f"what a library says of {secret}")

    built.register_blueprint(broken)
    yield built
    close(runtime)


def live(app: LeimaFlask, runtime: Runtime) -> list[str]:
    """Join, mistype, confirm, stamp, redeem, crash; return everything that must not be logged."""
    phone, machine = app.test_client(), app.test_client()
    form = {"contact": CONTACT, "first_name": NAME, "age": "1", "consent_sms": "1", "contact_2": "+358501234567"}
    assert phone.post("/meri/join", data=form, headers=SAME).status_code == 303
    Worker(runtime).drain()
    with runtime.database.unit(1) as session:
        row = session.scalars(select(ContactCode)).one()
        digits, link = keyring(session).text(row.code), keyring(session).text(row.link)
        codes = session.scalars(select(MemberCode)).one()
        key = new_till_key(session, session.scalars(select(Till)).first())  # type: ignore[arg-type]
    phone.get(f"/meri/confirm?token={link}")
    phone.post("/meri/confirm", data={"code": "12"}, headers=SAME)
    phone.post("/meri/confirm", data={"code": digits}, headers=SAME)
    bearer = {"Authorization": f"Bearer {key}"}
    _till(machine, bearer, codes.code, codes.spoken)
    with runtime.database.reading(1) as session:
        coupon = rewards.of_member(session, codes.member_id)[0].code
    wallets = _wallets(phone, machine, runtime)
    machine.post(f"/api/v1/coupons/{coupon}/redemptions", json={}, headers={**bearer, "Idempotency-Key": "c"})
    machine.post("/api/v1/scans", json={"text": f"{CONTACT}"}, headers={**bearer, "Idempotency-Key": "d"})
    assert phone.get("/broken/").status_code == 500
    Worker(runtime).drain()
    cookies = [cookie.value for cookie in (phone._cookies or {}).values()]
    return [NAME, CONTACT, "501234567", digits, link, codes.code, codes.spoken, key, coupon, *cookies, *wallets]


def _wallets(phone: FlaskClient, machine: FlaskClient, runtime: Runtime) -> list[str]:
    """Take the card into Apple Wallet, register, fetch, complain, and ask for the card at Google; return secrets."""
    with zipfile.ZipFile(io.BytesIO(phone.get("/meri/wallet/card.pkpass").data)) as archive:
        shown = json.loads(archive.read("pass.json"))
    device, push_token, token = "d3" * 16, "c4" * 32, shown["authenticationToken"]
    kind, serial, proof = shown["passTypeIdentifier"], shown["serialNumber"], {"Authorization": f"ApplePass {token}"}
    place = f"/wallet/meri/v1/devices/{device}/registrations/{kind}"
    assert machine.post(f"{place}/{serial}", json={"pushToken": push_token}, headers=proof).status_code == 201
    assert machine.get(place).status_code == 200
    assert machine.get(f"/wallet/meri/v1/passes/{kind}/{serial}", headers=proof).status_code == 200
    machine.get(f"/wallet/meri/v1/passes/{kind}/{serial}", headers={"Authorization": f"ApplePass {token}x"})
    machine.post("/wallet/meri/v1/log", json={"logs": [f"{CONTACT} {token} {device}: unauthorized"]})
    assert phone.get("/meri/wallet/google").status_code == 303
    machine.post("/hooks/google/meri", data=f'{{"signature":"{token}"}}')
    Worker(runtime).drain()
    settings = runtime.settings
    assert settings.apple_key is not None
    secret = settings.apple_key.read_text().splitlines()[1]
    return [device, push_token, token, secret]


def _till(machine: FlaskClient, bearer: dict[str, str], code: str, spoken: str) -> None:
    machine.post("/api/v1/scans", json={"text": f"HTTPS://X/M/{code}"}, headers={**bearer, "Idempotency-Key": "a"})
    basket = {"member": spoken, "receipt": "1", "occurred_at": clock.now().isoformat(), "total_cents": 4200}
    answer = machine.post("/api/v1/purchases", json=basket, headers={**bearer, "Idempotency-Key": "b"})
    assert answer.status_code == 201


def test_nothing_personal_and_no_secret_is_logged(app: LeimaFlask, runtime: Runtime, written: io.StringIO) -> None:
    canaries = live(app, runtime)

    text = written.getvalue().lower()

    assert [canary for canary in canaries if canary and canary.lower() in text] == []
    assert "crash" in text  # the crash was logged, without its variables


def test_every_line_is_json_and_names_its_request_or_job(
    app: LeimaFlask, runtime: Runtime, written: io.StringIO
) -> None:
    live(app, runtime)

    lines = [json.loads(line) for line in written.getvalue().splitlines()]

    assert len(lines) > 8
    ours = [line for line in lines if line["event"] in ("request", "crash", "job failed")]
    assert all(re.fullmatch(r"[0-9a-f]{16}", line.get("request_id", "")) or line.get("job_id") for line in ours)
