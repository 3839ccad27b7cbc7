"""docs/program-rules.md and its schema say what the model is; every example is read."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from app.cards.rules import KINDS, Plan, parse
from app.cards.rules.model import Rule
from app.cards.rules.parts import Conditions
from app.cards.rules.schema import schema, text

DOCS = Path(__file__).parents[3] / "docs"
REFERENCE = (DOCS / "program-rules.md").read_text(encoding="utf-8")
EXAMPLES = [(kind, json.loads(body)) for kind, body in re.findall(r"```json (\w+)\n(.*?)```", REFERENCE, re.DOTALL)]


def test_published_schema_is_the_models() -> None:
    assert (DOCS / "program-rules.schema.json").read_text(encoding="utf-8") == text(), (
        "python -m app.cards.rules.schema > docs/program-rules.schema.json"
    )


def test_every_kind_has_an_example() -> None:
    assert {kind for kind, _data in EXAMPLES} == set(KINDS)


@pytest.mark.parametrize(("kind", "data"), EXAMPLES)
def test_example_is_a_plan_of_its_kind_and_fits_the_schema(kind: str, data: dict[str, Any]) -> None:
    plan = parse(kind, data)

    jsonschema.validate(data, schema())
    jsonschema.validate(plan.to_json(), schema())


def test_schema_refuses_what_is_no_plan() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"rules": [{"name": "a", "then": [{"do": "eval"}]}]}, schema())


def test_reference_names_every_key_and_every_effect() -> None:
    keys = {field.alias or name for model in (Plan, Rule, Conditions) for name, field in model.model_fields.items()}
    effects = {
        name.removeprefix("#/$defs/")
        for name in schema()["$defs"]["Rule"]["properties"]["then"]["items"]["discriminator"]["mapping"]
    }

    assert effects
    assert [name for name in sorted(keys | effects) if f"`{name}`" not in REFERENCE] == []
