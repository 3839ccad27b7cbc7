"""`leima apply`, `till-key` and `staff` tell the public ids of tills and people, in processes of their own."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from app.core.db import Database
from app.fakes.demo import BRAND_FILE
from app.network import pins, service, tills
from app.network.models import Outlet, Reseller, Staff, Till
from tests.commands import environment_of, run_leima

Leima = Callable[..., subprocess.CompletedProcess[str]]
TOLD = re.compile(r"^\+ (till|staff) (\S+) \(id ([0-9A-Z]{26})\)$", re.MULTILINE)


@pytest.fixture
def leima(sqlite_url: str, sqlite: Database, tmp_path: Path) -> Leima:
    """Run a command on the test's database; `typed` is what the input holds."""
    environment = environment_of(sqlite_url, tmp_path)

    def run(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        done = run_leima(arguments, environment, typed)
        assert done.returncode == 0, done.stderr
        return done

    return run


def brand_id(database: Database) -> int:
    with database.reading() as session:
        return service.brand_by_slug(session, "meri").id


def test_apply_names_new_tills_and_people_by_their_ids_and_a_dry_run_no_id(leima: Leima, sqlite: Database) -> None:
    dry, first, second = (leima("apply", *more, str(BRAND_FILE)).stdout for more in (["--dry-run"], [], []))

    with sqlite.reading(brand_id(sqlite)) as session:
        joined = select(Outlet.slug, Till.slug, Till.public_id).join(Outlet, Outlet.id == Till.outlet_id)
        ids = {f"{outlet}/{till}": public_id for outlet, till, public_id in session.execute(joined)}
        ids |= dict(session.execute(select(Staff.email, Staff.public_id)).all())
    assert {name: public_id for _kind, name, public_id in TOLD.findall(first)} == ids
    assert "+ till kallio/till-1\n" in dry
    assert ("(id" in dry, second) == (False, "Nothing to change.\n")


def test_till_key_puts_out_the_key_alone_and_tells_the_id_beside_it(leima: Leima, sqlite: Database) -> None:
    leima("apply", str(BRAND_FILE))

    given = leima("till-key", "meri", "kallio", "till-2")

    with sqlite.reading() as session:
        till = tills.till_by_key(session, given.stdout.removesuffix("\n"))
    told = f"The till kallio/till-2 has the id {till.public_id}.\n"
    assert (till.slug, given.stderr) == ("till-2", told)
    assert leima("till-key", "meri", "kallio", "till-2", "--revoke").stderr == told


def test_staff_tells_the_id_that_goes_with_the_pin(leima: Leima, sqlite: Database) -> None:
    leima("apply", str(BRAND_FILE))
    email = "jari.makinen@kulma.example"

    told = [
        leima("staff", "meri", email, *more, typed=f"{secret}\n").stdout
        for more, secret in ((["--pin"], "4711"), ([], "correct horse battery"))
    ]

    ids = [re.findall(r"by the id ([0-9A-Z]{26})\.$", line.strip()) for line in told]
    with sqlite.reading(brand_id(sqlite)) as session:
        kulma = session.scalars(select(Reseller.id).where(Reseller.slug == "kulma-oy")).one()
        manager = pins.check_pin(session, ids[0][0], "4711", reseller_id=kulma)
    assert (manager.email, ids) == (email, [[manager.public_id]] * 2)
    assert [secret for secret in ("4711", "correct horse") if secret in "".join(told)] == []
