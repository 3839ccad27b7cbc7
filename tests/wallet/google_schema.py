"""Google's discovery document as closed JSON Schema: what it does not name is refused. Made from a test dependency."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SHIPPED = Path(__file__).parents[2] / "app" / "fakes" / "google_schema.json"
RESOURCES = (
    "LoyaltyClass",
    "LoyaltyObject",
    "OfferClass",
    "OfferObject",
    "GiftCardClass",
    "GiftCardObject",
    "AddMessageRequest",
)
_KEPT = ("type", "enum", "$ref")


def closed_schema() -> dict[str, Any]:
    """Return the schemas of what Leima sends, and of all that they refer to, by name."""
    folder = files("googleapiclient") / "discovery_cache" / "documents"
    found = json.loads((folder / "walletobjects.v1.json").read_text(encoding="utf-8"))["schemas"]
    wanted, defs = list(RESOURCES), {}
    while wanted:
        name = wanted.pop()
        if name not in defs:
            defs[name] = _closed(found[name])
            wanted += _references(defs[name])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": dict(sorted(defs.items()))}


@cache
def validator(name: str) -> Draft202012Validator:
    """Return a validator of one of `RESOURCES`."""
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": closed_schema()["$defs"]})


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Turn one schema of a discovery document into closed JSON Schema; "Required." in a description means required."""
    closed = {key: schema[key] for key in _KEPT if key in schema}
    if "$ref" in closed:
        closed["$ref"] = f"#/$defs/{closed['$ref']}"
    if "items" in schema:
        closed["items"] = _closed(schema["items"])
    if schema.get("format") == "int64":
        closed["pattern"] = "^-?[0-9]+$"
    if "properties" in schema:
        properties = schema["properties"]
        closed["properties"] = {key: _closed(value) for key, value in properties.items()}
        required = [key for key, value in properties.items() if value.get("description", "").startswith("Required.")]
        closed |= {"required": required} if required else {}
        closed["additionalProperties"] = False
    return closed


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"].rpartition("/")[2]] if "$ref" in node else []
        return own + [name for value in node.values() for name in _references(value)]
    return [name for value in node for name in _references(value)] if isinstance(node, list) else []


if __name__ == "__main__":
    SHIPPED.write_text(json.dumps(closed_schema(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
