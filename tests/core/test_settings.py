"""Settings: nothing unsafe starts, all faults are named at once, and no secret is printed."""

import base64
import os
from pathlib import Path

import pytest

from app.core import settings
from app.core.settings import DEMO_KEY, DEMO_SECRET, SettingsError

SECRET = "s" * 32
KEY = "k1:" + base64.b64encode(b"k" * 32).decode()


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know no setting but those of the test."""
    for name in list(os.environ):
        if name.startswith("LEIMA_"):
            monkeypatch.delenv(name)


def set_all(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in {"secret_key": SECRET, "encryption_keys": KEY, **values}.items():
        monkeypatch.setenv(f"LEIMA_{name.upper()}", value)


def faults(monkeypatch: pytest.MonkeyPatch, **values: str) -> list[str]:
    set_all(monkeypatch, **values)
    with pytest.raises(SettingsError) as refused:
        settings.load()
    return refused.value.faults


def test_two_secrets_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch)

    loaded = settings.load()

    assert loaded.keyring().text(loaded.keyring().encrypt("Äino")) == "Äino"
    assert loaded.url == f"sqlite:///{Path('data/leima.db').absolute()}"


def test_nothing_starts_without_secrets_and_both_are_named() -> None:
    with pytest.raises(SettingsError) as refused:
        settings.load()

    assert [fault.split(":")[0] for fault in refused.value.faults] == ["LEIMA_SECRET_KEY", "LEIMA_ENCRYPTION_KEYS"]


def test_demo_needs_no_secret_of_its_own() -> None:
    assert settings.load(demo=True).keyring()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("secret_key", "short"),
        ("secret_key", DEMO_SECRET),
        ("encryption_keys", DEMO_KEY),
        ("encryption_keys", "k1:AAAA"),
        ("base_url", "http://leima.example"),
        ("base_url", "https://leima.example/path"),
        ("base_url", "ftp://leima.example"),
        ("base_url", "https://a-very-long-host-name.leima.example"),
        ("port", "70000"),
        ("threads", "0"),
        ("log_level", "LOUD"),
        ("trusted_proxies", "10.0.0.0/8, nobody"),
        ("outbound_map", "https://fcm.googleapis.com=http://127.0.0.1:1"),
        ("sms_sender", "more than eleven"),
        ("smtp_url", "foo"),
        ("smtp_url", "http://mail.example"),
        ("smtp_url", "smtp://mail.example:many"),
        ("smtp_url", "smtp://mail.example/?starttls=yes"),
        ("smtp_url", "smtp://leima:hunter2@mail.example"),
        ("sms_url", "foo"),
        ("sms_url", "http://sms.example/send"),
        ("mail_from", "xx"),
        ("mail_from", "Meri <a@b.example>, c@d.example"),
        ("vapid_subject", "hello"),
        ("vapid_key_file", "/no/such/file.pem"),
        ("apple_certificate", "/no/such/file.pem"),
        ("apple_key", "/no/such/file.pem"),
        ("apple_wwdr", "/"),
        ("google_service_account", "/no/such/file.json"),
        ("badges", "/no/such/folder"),
        ("database_url", "foo"),
        ("database_url", "mysql://leima:hunter2@db.example/leima"),
        ("database_url", "postgresql://leima:hunter2@db.example:many/leima"),
        ("database_url", "sqlite://"),
        ("base_url", "https://leima.example:many"),
        ("badge", "/srv/badges"),
    ],
)
def test_setting_that_cannot_be_used_is_named_and_its_value_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    (fault,) = faults(monkeypatch, **{name: value})

    assert fault.startswith(f"LEIMA_{name.upper()}: ")
    assert "hunter2" not in fault
    if name in ("secret_key", "encryption_keys"):
        assert value not in fault


def test_all_faults_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {fault.split(":")[0] for fault in faults(monkeypatch, port="x", threads="0", base_url="nothing")}

    assert named == {"LEIMA_PORT", "LEIMA_THREADS", "LEIMA_BASE_URL"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [("https://leima.example/", "https://leima.example"), ("http://localhost:8000", "http://localhost:8000"),
     ("http://127.0.0.1:1", "http://127.0.0.1:1"), ("http://[::1]:1", "http://[::1]:1")],
)  # fmt: skip
def test_address_is_https_or_loopback(monkeypatch: pytest.MonkeyPatch, given: str, kept: str) -> None:
    set_all(monkeypatch, base_url=given)

    loaded = settings.load()

    assert (loaded.base_url, loaded.secure) == (kept, kept.startswith("https"))


def test_lists_and_pairs_are_read_from_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, trusted_proxies="10.0.0.0/8, 127.0.0.1", push_hosts="a.example,,b.example",
            outbound_map="https://a.example=http://127.0.0.1:1,https://b.example=http://127.0.0.1:2")  # fmt: skip

    loaded = settings.load(demo=True)

    assert loaded.trusted_proxies == ("10.0.0.0/8", "127.0.0.1")
    assert loaded.push_hosts == ("a.example", "b.example")
    assert loaded.outbound_map == {"https://a.example": "http://127.0.0.1:1", "https://b.example": "http://127.0.0.1:2"}


def test_postgresql_is_spoken_to_through_psycopg(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, database_url="postgresql://leima@127.0.0.1/leima")

    assert settings.load().url == "postgresql+psycopg://leima@127.0.0.1/leima"


def test_a_slip_in_a_name_is_told_beside_all_other_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEIMA_TEST_FULL", "1")

    found = faults(monkeypatch, baseurl="https://leima.example", zzzzz="1", smtp_url="foo", port="x")

    assert "LEIMA_BASEURL: no such setting; did you mean LEIMA_BASE_URL?" in found
    assert "LEIMA_ZZZZZ: no such setting" in found
    assert {fault.split(":")[0] for fault in found} == {
        "LEIMA_BASEURL", "LEIMA_ZZZZZ", "LEIMA_SMTP_URL", "LEIMA_PORT",
    }  # fmt: skip


def test_every_setting_can_be_set_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    paths = ("vapid_key_file", "apple_certificate", "apple_key", "apple_wwdr", "google_service_account")
    set_all(monkeypatch, **dict.fromkeys(paths, str(file)), badges=str(tmp_path), sms_key="k", google_issuer="3388",
            smtp_url="smtps://leima:p%2Fw@mail.example:465", sms_url="https://sms.example/v1/send?a=b",
            mail_from="Meri Kahvi <hei@meri.example>", vapid_subject="https://meri.example/contact",
            database_url="sqlite:////srv/leima.db")  # fmt: skip

    assert settings.load().badges == tmp_path


@pytest.mark.parametrize("url", ["smtp://127.0.0.1:1025", "smtp://a:b@127.0.0.1", "smtp://a:b@mail.example?starttls=1"])
def test_relays_that_mail_can_go_through_are_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    set_all(monkeypatch, smtp_url=url)

    assert settings.load().smtp_url == url


@pytest.mark.parametrize("value", ["nothing", "https://a.example", "https://a.example=http://10.0.0.1:1", "http://a=b"])
def test_pairs_that_lead_nowhere_are_refused_in_the_demo_too(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    set_all(monkeypatch, outbound_map=value)

    with pytest.raises(SettingsError) as refused:
        settings.load(demo=True)

    assert [fault.split(":")[0] for fault in refused.value.faults] == ["LEIMA_OUTBOUND_MAP"]
