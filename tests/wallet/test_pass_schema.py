"""The pass.json of every template, asked of two schemas: ours, written from Apple's pages, and passkit-generator's.

Where node is not installed, the second one is left out and the output says so; where it is, it must be there.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.wallet.apple import Place, build_pass
from app.wallet.signer import Signer
from tests.wallet import passkit_reader
from tests.wallet.readers import unpack
from tests.wallet.test_templates_kinds import TEMPLATES, VIEWS

SCHEMA = json.loads((Path(__file__).parent / "pass_schema.json").read_text(encoding="utf-8"))
Pass = dict[str, Any]


@pytest.fixture(scope="module")
def passes(signer: Signer) -> dict[str, Pass]:
    """Every template in every language, bare and with all that a pass may say."""
    everything: Pass = {
        "token": "0123456789abcdef", "web_service_url": "https://meri.example/wallet/meri",
        "expires": datetime(2027, 1, 31, 22, 0, tzinfo=UTC), "voided": True,
        "places": [Place(60.1699, 24.9384, "Meri Kallio")], "max_distance": 200,
    }  # fmt: skip
    return {
        f"{name} {language} {len(more)}": _built(name, signer, language, **more)
        for name in TEMPLATES
        for language in ("fi", "sv", "en")
        for more in ({}, everything)
    }


def _built(name: str, signer: Signer, language: str, **more: Any) -> Pass:
    view = replace(VIEWS[name], language=language, news="Leima nro 7")
    packed = build_pass(TEMPLATES[name], view, signer=signer, serial="1", **more)
    made: Pass = json.loads(unpack(packed)["pass.json"])
    return made


def ours(passes: dict[str, Pass]) -> dict[str, list[str]]:
    checker = Draft202012Validator(SCHEMA)
    return {name: [error.message for error in checker.iter_errors(made)] for name, made in passes.items()}


def test_every_pass_is_as_apple_documents_it(passes: dict[str, Pass]) -> None:
    assert len(passes) == len(TEMPLATES) * 6
    assert {name: told for name, told in ours(passes).items() if told} == {}


def _set(*path: str | int) -> Callable[[Any], Callable[[Pass], None]]:
    def to(value: Any) -> Callable[[Pass], None]:
        def change(made: Pass) -> None:
            place: Any = made
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value

        return change

    return to


BOTH = {  # what both schemas refuse
    "no text in a barcode": _set("barcodes", 0, "message")(""),
    "a format that is none": _set("barcodes", 0, "format")("PKBarcodeFormatMaxi"),
    "a short token": _set("authenticationToken")("short"),
    "a key that is none": _set("barcodeMessage")("1"),
    "a field without a key": _set("storeCard", "headerFields", 0)({"value": "7/10"}),
    "a color of the web": _set("backgroundColor")("navy"),
    "an empty change message": _set("storeCard", "headerFields", 0, "changeMessage")(""),
    "a place without a longitude": _set("locations", 0)({"latitude": 60.1}),
    "an alignment that is none": _set("storeCard", "headerFields", 0, "textAlignment")("right"),
}
OURS = {  # what ours refuses beside
    "a number as a value": _set("storeCard", "headerFields", 0, "value")(7),
    "a change message without its value": _set("storeCard", "headerFields", 0, "changeMessage")("Changed"),
    "a barcode of old": _set("barcode")({"message": "1", "format": "PKBarcodeFormatQR"}),
    "eleven places": _set("locations")([{"latitude": 60.1, "longitude": 24.9}] * 11),
    "no serial number": _set("serialNumber")(""),
    "a second style": _set("coupon")({}),
    "a distance of nothing": _set("maxDistance")(None),
}


def _planted(passes: dict[str, Pass], faults: dict[str, Callable[[Pass], None]]) -> dict[str, Pass]:
    planted = {what: copy.deepcopy(passes["stamp-card fi 6"]) for what in faults}
    for what, change in faults.items():
        change(planted[what])
    return planted


def test_each_planted_fault_is_refused(passes: dict[str, Pass]) -> None:
    found = ours(_planted(passes, BOTH | OURS))

    assert [what for what, told in found.items() if not told] == []


def test_passkit_generator_accepts_every_pass_and_refuses_the_planted_faults(passes: dict[str, Pass]) -> None:
    if not passkit_reader.exists():
        pytest.skip("no node and npm here: every pass was asked of tests/wallet/pass_schema.json alone")
    assert passkit_reader.installed(), "build/passkit is missing though npm is here: run `.ci/setup test`"

    found = passkit_reader.faults(passes | _planted(passes, BOTH))

    assert {name: found[name] for name in passes if found[name]} == {}
    assert [what for what in BOTH if not found[what]] == []
