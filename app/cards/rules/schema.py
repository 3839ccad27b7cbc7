"""The published JSON Schema of plans: `python -m app.cards.rules.schema > docs/program-rules.schema.json`."""

import json
import sys
from typing import Any

from pydantic import TypeAdapter

from app.cards.rules.model import Plan, Shorthand


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a plan or its shorthand; what a kind may have, only `parse` knows."""
    made = TypeAdapter(Plan | Shorthand).json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "The rules of a Leima program"}
    return {**head, **made}


def text() -> str:
    """Return the schema as the file in docs."""
    return json.dumps(schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
