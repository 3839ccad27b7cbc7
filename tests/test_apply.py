"""`leima apply`: everything or nothing, all faults at once, twice is once. Must show 8 of the first issue."""

import base64
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app import registry
from app.cli import main
from app.core import sessions, settings
from app.core.db import Database
from app.core.runtime import Runtime
from app.core.setup import Change, apply_file
from app.core.toml import FaultList
from app.fakes.demo import BRAND_FILE
from app.network import service, staff, tills
from app.network.models import Brand, Chain, CostCentre, Outlet, Reseller, Staff, Till

SMALL = """
[brand]
slug = "puro"
name = "Puro"

[[chains]]
slug = "ketju"
name = "Ketju"

[[resellers]]
slug = "oy"
name = "Oy"
business_id = "2847160-5"
chain = "ketju"
account_manager = "aila@puro.example"

[[outlets]]
slug = "kauppa"
name = "Kauppa"
reseller = "oy"

[[tills]]
outlet = "kauppa"
slug = "1"
name = "Till 1"

[[staff]]
email = "aila@puro.example"
name = "Aila"
role = "sales"
"""


@pytest.fixture
def brand_file(tmp_path: Path) -> Path:
    path = tmp_path / "brand.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def apply(database: Database, path: Path, *, dry_run: bool = False) -> list[Change]:
    return apply_file(database, path, registry.SETUP, dry_run=dry_run)


def faults(database: Database, path: Path, text: str) -> list[str]:
    """Apply a faulty text; return its faults without the file's name, having seen that nothing was saved."""
    path.write_text(text, encoding="utf-8")
    before = rows(database)
    with pytest.raises(FaultList) as refused:
        apply(database, path)
    assert rows(database) == before
    return [f"{fault.line}: {fault.message}" for fault in refused.value.faults]


def rows(database: Database) -> dict[str, int]:
    tables = (Brand, CostCentre, Chain, Reseller, Outlet, Till, Staff)
    with database.reading() as session:
        counts = {table.__tablename__: select(func.count()).select_from(table) for table in tables}
        found = {name: session.scalar(query.execution_options(finds_brand=True)) for name, query in counts.items()}
    return {name: count or 0 for name, count in found.items()}


def test_the_demo_brand_is_complete_and_applying_it_again_changes_nothing(database: Database) -> None:
    changes = apply(database, BRAND_FILE)

    assert {change.sign for change in changes if "welcome" not in change.detail} >= {"+"}
    assert rows(database) == {
        "brand": 1, "cost_centre": 2, "chain": 2, "reseller": 3, "outlet": 6, "till": 8, "staff": 10,
    }  # fmt: skip
    assert apply(database, BRAND_FILE) == []


def test_a_dry_run_says_what_the_real_run_does_and_does_nothing(database: Database, brand_file: Path) -> None:
    foretold = apply(database, brand_file, dry_run=True)

    assert not any(rows(database).values())
    assert apply(database, brand_file) == foretold
    assert Change("+", "outlet kauppa") in foretold


def test_what_changes_is_told_with_old_and_new_and_what_the_file_omits_stays(
    database: Database, brand_file: Path
) -> None:
    apply(database, brand_file)
    brand_file.write_text(
        '[brand]\nslug = "puro"\nname = "Puro Oy"\nlowest_age = 16\ngrace_days = 14\n', encoding="utf-8"
    )

    changes = apply(database, brand_file)

    assert changes == [Change("~", "brand puro", 'name: "Puro" → "Puro Oy", lowest_age: 13 → 16, grace_days: 30 → 14')]
    assert rows(database)["outlet"] == 1


def test_optional_keys_that_a_file_omits_keep_their_values(sqlite: Database, brand_file: Path) -> None:
    apply(sqlite, brand_file)
    shorter = SMALL.replace('chain = "ketju"\n', "").replace('account_manager = "aila@puro.example"\n', "")
    brand_file.write_text(shorter, encoding="utf-8")

    assert apply(sqlite, brand_file) == []


def test_three_faults_of_three_kinds_come_at_once(database: Database, brand_file: Path) -> None:
    broken = SMALL.replace('name = "Puro"', 'nam = "Puro"').replace("2847160-5", "2847160-4")
    broken = broken.replace('reseller = "oy"', 'reseller = "yo"')

    assert faults(database, brand_file, broken) == [
        "2: 'name' is missing",
        "4: unknown key 'nam'; did you mean 'name'?",
        "13: business_id: the check digit of the business id is wrong.",
        "20: no reseller has the slug 'yo'",
    ]


def test_a_reference_to_a_faulty_entry_is_no_second_fault(sqlite: Database, brand_file: Path) -> None:
    found = faults(sqlite, brand_file, SMALL.replace("2847160-5", "1"))

    assert found == ["13: business_id: a business id has the form 1234567-1."]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('name = "Kauppa"', 'name = "Kauppa"\nnam = "K"', ["20: unknown key 'nam'; did you mean 'name'?"]),
        ('name = "Kauppa"', 'address = { stret = "A" }\nname = "Kauppa"', ["19: unknown key 'stret'"]),
        ('name = "Kauppa"', 'kind = "barn"\nname = ""', ["19: kind: input should be", "20: name: string should have"]),
    ],
)
def test_a_wrong_reference_in_an_entry_with_other_faults_is_told_too(
    sqlite: Database, brand_file: Path, old: str, new: str, found: list[str]
) -> None:
    broken = SMALL.replace('reseller = "oy"', 'reseller = "yo"\nchain = "none"').replace(old, new)

    told = faults(sqlite, brand_file, broken)

    lines = broken.splitlines()
    reseller, chain = lines.index('reseller = "yo"') + 1, lines.index('chain = "none"') + 1
    assert told[-2:] == [f"{reseller}: no reseller has the slug 'yo'", f"{chain}: no chain has the slug 'none'"]
    assert len(told) == len(found) + 2
    assert all(one.startswith(start) for one, start in zip(told, found, strict=False)), told


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('slug = "puro"', 'slug = "till"', "2: the slug 'till' is reserved"),
        ('name = "Puro"', 'name = "Puro"\nzone = "Mars/Base"', "2: there is no time zone 'Mars/Base'"),
        ('name = "Puro"', 'name = "P"\ncolors = { ink = "#183f8c" }', "5: the contrast must be at least 4.5:1"),
        ('name = "Puro"', 'name = "P"\nlowest_age = "13"', "5: lowest_age: input should be a valid integer"),
        ('name = "Puro"', 'name = "P"\nlanguages = ["fi", "de"]', "5: 1: input should be 'fi', 'sv' or 'en'"),
        ("[[chains]]", "[[chain]]", "6: unknown section 'chain'; did you mean 'chains'?"),
        ("[[chains]]", "[chains]", "6: write [[chains]], once for each"),
        ("[brand]", "[[brand]]", "2: write [brand], only once"),
        ('role = "sales"', 'role = "cashier"', "27: a cashier works for a reseller: name it"),
        ('role = "sales"', 'role = "sales"\nreseller = "oy"', "27: a person with the role sales works for the brand"),
        ("[[tills]]", '[[chains]]\nslug = "ketju"\nname = "K"\n[[tills]]', "22: chain ketju stands on line 6 already"),
        ("aila@puro.example", "aila", "15: account_manager: this is not an email address."),
        ('account_manager = "aila', 'account_manager = "alia', "15: nobody of the brand has the email alia@puro"),
        ('chain = "ketju"', 'chain = "ketju"\nvat_number = "FI01120389"', "10: the VAT number belongs to another"),
        ('chain = "ketju"', 'iban = "FI2112345600000758"', "14: iban: the check digits of the IBAN are wrong."),
    ],
)
def test_each_kind_of_fault_is_told_with_its_line(
    sqlite: Database, brand_file: Path, old: str, new: str, fault: str
) -> None:
    found = faults(sqlite, brand_file, SMALL.replace(old, new))

    assert any(_lower(one).startswith(_lower(fault)) for one in found), found


def _lower(text: str) -> str:
    return text.lower()


def test_a_file_without_a_brand_is_refused(sqlite: Database, brand_file: Path) -> None:
    assert faults(sqlite, brand_file, "") == ["1: [brand] is missing: a file sets up one brand"]


def test_somebody_of_another_brand_is_not_taken_over(database: Database, brand_file: Path) -> None:
    apply(database, brand_file)

    found = faults(database, brand_file, SMALL.replace('"puro"', '"toinen"'))

    assert found == ["28: aila@puro.example works for another brand of this installation"]


def test_a_person_who_left_cannot_log_in_and_one_who_came_back_can(sqlite: Database, brand_file: Path) -> None:
    apply(sqlite, brand_file)
    with sqlite.unit() as session:
        brand_id = service.brand_by_slug(session, "puro").id
    with sqlite.unit(brand_id) as session:
        aila = staff.staff_of_brand(session, "aila@puro.example")
        staff.set_password(session, aila, "correct horse battery")
        token = sessions.start(session, door="brand", subject_id=aila.id, lasts=timedelta(hours=12))

    brand_file.write_text(SMALL + "ended = true\n", encoding="utf-8")
    assert [change.what for change in apply(sqlite, brand_file)] == ["staff aila@puro.example"]
    assert apply(sqlite, brand_file) == []
    with sqlite.reading() as session, pytest.raises(staff.LoginRefused):
        staff.check_password(session, "aila@puro.example", "correct horse battery")

    with sqlite.unit(brand_id) as session:
        assert sessions.find(session, token, door="brand") is None
    brand_file.write_text(SMALL + "ended = false\n", encoding="utf-8")
    apply(sqlite, brand_file)
    with sqlite.reading() as session:
        assert staff.check_password(session, "aila@puro.example", "correct horse battery").name == "Aila"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_url: str) -> str:
    """The environment of a command that finds the test's database."""
    monkeypatch.setenv("LEIMA_SECRET_KEY", "a secret of the tests, long enough")
    monkeypatch.setenv("LEIMA_ENCRYPTION_KEYS", "test:" + base64.b64encode(b"k" * 32).decode())
    monkeypatch.setenv("LEIMA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LEIMA_DATABASE_URL", sqlite_url)
    return sqlite_url


def test_the_command_names_file_and_line_of_every_fault_and_ends_with_1(
    installed: str, brand_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    brand_file.write_text('[brand]\nslug = "x"\ncolor = 1\n', encoding="utf-8")

    assert main(["apply", str(brand_file)]) == 1

    lines = capsys.readouterr().err.splitlines()
    assert [line.strip() for line in lines[1:]] == [
        f"{brand_file}:1: 'name' is missing",
        f"{brand_file}:2: slug: string should match pattern '^[a-z0-9][a-z0-9-]{{1,28}}[a-z0-9]$'",
        f"{brand_file}:3: unknown key 'color'; did you mean 'colors'?",
    ]


def test_the_commands_set_up_a_till_and_a_person(
    installed: str, brand_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["apply", "--dry-run", str(brand_file)]) == 0
    assert "would change" in capsys.readouterr().out
    assert main(["apply", str(brand_file)]) == 0
    capsys.readouterr()

    assert main(["till-key", "puro", "kauppa", "1"]) == 0
    key = capsys.readouterr().out.strip()
    monkeypatch.setattr("sys.stdin", StringIO("short\n"))
    assert main(["staff", "puro", "aila@puro.example"]) == 1
    assert "password_refused" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", StringIO("correct horse battery\n"))
    assert main(["staff", "puro", "aila@puro.example"]) == 0
    assert main(["staff", "puro", "nobody@puro.example"]) == 1
    assert "staff_unknown" in capsys.readouterr().err
    assert main(["till-key", "puro", "kauppa", "2"]) == 1
    assert "till_unknown" in capsys.readouterr().err

    runtime = Runtime.open(settings.load())
    with runtime.database.reading() as session:
        assert tills.till_by_key(session, key).slug == "1"
        assert staff.check_password(session, "aila@puro.example", "correct horse battery").name == "Aila"
    runtime.database.close()
    assert main(["till-key", "puro", "kauppa", "1", "--revoke"]) == 0


def test_books_of_a_fresh_brand_hold(installed: str, brand_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", str(brand_file)]) == 0
    assert main(["check-books"]) == 0
    assert "faults" not in capsys.readouterr().out


def test_a_line_of_the_books_is_one_line_where_the_output_is_no_terminal(
    installed: str, brand_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["apply", str(brand_file)]) == 0
    line = "coupon 01J8ZQ5W3YV7N6K4T2R0P9M8AB " * 5
    monkeypatch.setattr(registry, "invariants", lambda: [("a long invariant " * 6, lambda _: [line])])
    capsys.readouterr()

    assert main(["check-books"]) == 1

    assert len(capsys.readouterr().out.splitlines()) == 2
