"""`leima wallet import` and `leima wallet doctor` in processes of their own."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.core.db import Database
from app.fakes.wallet_chain import ISSUER_ID, WalletChain, wallet_chain
from app.wallet.models import WalletCredential
from tests.builders import a_brand
from tests.commands import environment_of, run_leima
from tests.wallet.certs import PASS_TYPE, PASSPHRASE, TEAM, Certs, certs

__all__ = ["certs"]

Leima = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> WalletChain:
    return wallet_chain(tmp_path_factory.mktemp("wallet") / "chain")


@pytest.fixture
def brand_id(sqlite: Database) -> int:
    return a_brand(sqlite)


@pytest.fixture
def leima(sqlite_url: str, brand_id: int, tmp_path: Path) -> Leima:
    """Run a command on the test's database; `typed` is what the input holds."""
    environment = environment_of(sqlite_url, tmp_path)

    def run(*arguments: str, typed: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return run_leima(arguments, environment | more, typed)

    return run


@pytest.fixture
def folder(tmp_path: Path, certs: Certs, chain: WalletChain) -> Path:
    """Files as Apple and Google give them."""
    made = tmp_path / "files"
    made.mkdir()
    parts: dict[str, Any] = {
        "own.p12": certs.p12(), "bare.p12": certs.p12(with_wwdr=False), "google.json": chain.service_account,
        **{f"{name}.pem": data for name, data in certs.pem().items()},
    }  # fmt: skip
    for name, data in parts.items():
        (made / name).write_bytes(data)
    return made


def kept(database: Database, brand_id: int) -> dict[str, dict[str, str]]:
    with database.reading(brand_id) as session:
        return {row.kind: row.names for row in session.scalars(select(WalletCredential))}


def test_p12_is_imported_with_the_passphrase_of_the_first_line(
    leima: Leima, folder: Path, sqlite: Database, brand_id: int
) -> None:
    told = leima("wallet", "import", "meri", "--p12", str(folder / "own.p12"), typed=PASSPHRASE.decode() + "\nmore\n")

    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == f"Kept: pass type {PASS_TYPE}, team {TEAM}, valid until 2049-12-31.\n"
    assert kept(sqlite, brand_id) == {"apple": {"pass_type": PASS_TYPE, "team": TEAM}}


def test_pem_files_and_a_service_account_are_imported(
    leima: Leima, folder: Path, sqlite: Database, brand_id: int
) -> None:
    files = ("--certificate", "certificate.pem", "--key", "key.pem", "--wwdr", "wwdr.pem")
    paths = [part if part.startswith("--") else str(folder / part) for part in files]

    apple = leima("wallet", "import", "meri", *paths)
    google = leima("wallet", "import", "meri", "--google", str(folder / "google.json"), "--issuer", ISSUER_ID)

    assert (apple.returncode, google.returncode, apple.stderr + google.stderr) == (0, 0, "")
    assert set(kept(sqlite, brand_id)) == {"apple", "google"}


@pytest.mark.parametrize(
    ("file", "typed", "code"),
    [
        ("own.p12", "wrong\n", "wallet_passphrase_wrong"),
        ("own.p12", "", "wallet_passphrase_wrong"),
        ("bare.p12", PASSPHRASE.decode() + "\n", "wallet_wwdr_missing"),
        ("google.json", "\n", "wallet_certificate_unreadable"),
        ("nothing.p12", "\n", "file_unreadable"),
    ],
)
def test_refused_import_is_told_with_its_code_and_keeps_nothing(
    file: str, typed: str, code: str, leima: Leima, folder: Path, sqlite: Database, brand_id: int
) -> None:
    told = leima("wallet", "import", "meri", "--p12", str(folder / file), typed=typed)

    assert told.returncode == 1
    assert f"({code})" in told.stderr
    assert "Traceback" not in told.stderr
    assert kept(sqlite, brand_id) == {}


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--p12", "a", "--google", "b"),
        ("--certificate", "a"),
        ("--google", "a"),
        ("--p12", "a", "--key", "b"),
        ("--google", "a", "--issuer", "1", "--force"),
        ("--p12", "a", "--passphrase", "b"),
    ],
)
def test_arguments_that_do_not_go_together_are_wrong_usage(arguments: tuple[str, ...], leima: Leima) -> None:
    told = leima("wallet", "import", "meri", *arguments)

    assert told.returncode == 2
    assert told.stderr.startswith("usage: leima")


def test_brand_that_is_not_there_is_refused(leima: Leima, folder: Path) -> None:
    told = [
        leima("wallet", "import", "kallio", "--p12", str(folder / "own.p12"), typed=PASSPHRASE.decode()),
        leima("wallet", "doctor", "kallio"),
    ]

    assert [(one.returncode, "(brand_unknown)" in one.stderr) for one in told] == [(1, True)] * 2


def test_doctor_names_what_is_wrong_until_the_import_mends_it(leima: Leima, folder: Path, sqlite: Database) -> None:
    a_brand(sqlite, "kallio")

    before = leima("wallet", "doctor")
    leima("wallet", "import", "meri", "--p12", str(folder / "own.p12"), typed=PASSPHRASE.decode())
    one, all_of_them = leima("wallet", "doctor", "meri"), leima("wallet", "doctor")

    assert before.returncode == 1
    assert "meri: WRONG Apple: certificate: No certificate is set up" in before.stdout
    assert "(wallet_certificate_missing)" in before.stdout
    assert (one.returncode, one.stderr) == (0, "")
    assert f"meri: ok    Apple: pass type: {PASS_TYPE}\n" in one.stdout
    assert "warn  Apple: trust" in one.stdout
    assert all_of_them.returncode == 1
    assert "kallio: WRONG Apple: certificate" in all_of_them.stdout
    assert "kallio" not in one.stdout


def test_doctor_of_an_address_that_leads_nowhere_finds_it(leima: Leima) -> None:
    told = leima("wallet", "doctor", LEIMA_BASE_URL="https://localhost")

    assert told.returncode == 1
    assert "WRONG Web service: reached: No answer (AddressRefused)" in told.stdout
    assert "(wallet_web_service_unreachable)" in told.stdout
