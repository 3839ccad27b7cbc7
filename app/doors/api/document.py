"""What every operation of openapi.json shares: the key, the bearer, the refusals, the stable codes."""

from typing import Any

from apiflask import APIFlask

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "a sentence for people"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable; part of this API"},
        "request_id": {"type": "string"},
        "errors": {"type": "object", "description": "field → what is wrong with it"},
        "faults": {"type": "array", "description": "several things that are wrong, each with code, field and message"},
        "retry_after": {"type": "integer", "description": "seconds to wait, as the header Retry-After says"},
    },
}
REFUSALS = {
    "400": "The request cannot be read",
    "401": "No till key, an unknown one or a revoked one",
    "403": "A browser of another site asked",
    "404": "Unknown here: member code, coupon, scan or purchase",
    "409": "Not now: used, expired, recorded before, or the key was used for another call",
    "413": "The body is larger than 64 kB",
    "415": "The body is not JSON",
    "422": "Not acceptable as it is: see errors",
    "429": "Too many tries: see Retry-After",
    "500": "Something of ours broke; nothing was saved",
    "503": "The database does not answer; nothing was saved",
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "one for each event; a repeat returns the first answer byte for byte, for 30 days",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
}


def describe(app: APIFlask) -> None:
    """Complete the document when it is asked for."""
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["AUTO_404_RESPONSE"] = app.config["AUTO_VALIDATION_ERROR_RESPONSE"] = False

    @app.spec_processor
    def _complete(spec: Any) -> Any:
        components = spec.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = PROBLEM
        components["securitySchemes"] = {"till": {"type": "http", "scheme": "bearer", "description": "till key"}}
        spec["security"] = [{"till": []}]
        spec["paths"] = {address: path for address, path in spec["paths"].items() if address.startswith("/api/")}
        for path in spec["paths"].values():
            for verb, operation in path.items():
                if verb in ("get", "post", "put", "patch", "delete"):
                    _operation(verb, operation)
        return spec


def _operation(verb: str, operation: dict[str, Any]) -> None:
    if verb == "post":
        operation.setdefault("parameters", []).append(KEY)
        operation["requestBody"]["required"] = True
    for status, text in REFUSALS.items():
        schema = {"$ref": "#/components/schemas/Problem"}
        operation["responses"][status] = {
            "description": text,
            "content": {"application/problem+json": {"schema": schema}},
        }
