"""Limits of a brand file, and the PIN that the command gives a manager."""

from io import StringIO
from pathlib import Path

import pytest

from app.cards import limits
from app.cli import main
from app.core import settings
from app.core.runtime import Runtime
from app.network import pins, service, staff
from tests.test_apply import SMALL
from tests.test_apply import installed as installed

LIMITS = SMALL.replace('"sales"', '"brand_admin"') + "\n[limits]\npurchases_day = 4\naward_cents = false\n"


def test_limits_of_the_file_are_kept_and_others_left_alone(
    installed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "brand.toml"
    for text in (LIMITS, LIMITS.replace("purchases_day = 4", "own_card = false")):
        path.write_text(text, encoding="utf-8")
        assert main(["apply", str(path)]) == 0

    runtime = Runtime.open(settings.load())
    with runtime.database.reading() as session:
        session.info["brand_id"] = service.brand_by_slug(session, "puro").id
        found = limits.of_brand(session)
    runtime.database.close()
    assert (found.purchases_day, found.award_cents, found.own_card, found.purchases_outlet_day) == (4, None, None, 3)
    assert main(["apply", str(path)]) == 0
    assert "Nothing to change." in capsys.readouterr().out


def test_manager_gets_a_pin_by_the_command(
    installed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "brand.toml"
    path.write_text(LIMITS, encoding="utf-8")
    main(["apply", str(path)])
    asked = ["staff", "puro", "aila@puro.example", "--pin"]

    for typed, code in (("12\n", 1), ("2468\n", 0)):
        monkeypatch.setattr("sys.stdin", StringIO(typed))
        assert main(asked) == code

    assert "pin_invalid" in capsys.readouterr().err
    runtime = Runtime.open(settings.load())
    with runtime.database.reading() as session:
        session.info["brand_id"] = service.brand_by_slug(session, "puro").id
        aila = staff.staff_of_brand(session, "aila@puro.example")
        assert pins.check_pin(session, aila.public_id, "2468", reseller_id=0) is aila
    runtime.database.close()
