"""What openapi.json says beside the schemas: server, key, bearer, headers, and the refusals from `codes`."""

from typing import Any

from apiflask import APIFlask

from app.core.runtime import Runtime
from app.doors.api.codes import OPERATIONS, Operation

ABOUT = """What a cash register calls. Money is integer cents, times carry an offset, unknown fields are refused.

Each call carries the till's key and an `Idempotency-Key`. After a lost answer send the same call with the same key:
it has one effect, and the first answer comes again. A refusal is not kept, so the same key may try again.

Refusals are `application/problem+json` (RFC 9457). Their `code` is stable; `title` is for people, in the language of
`Accept-Language` (fi, sv, en)."""
PROBLEM = {
    "type": "object",
    "description": "A refusal (RFC 9457). Some codes add fields of their own.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "description": "always about:blank; look at code", "examples": ["about:blank"]},
        "title": {
            "type": "string",
            "description": "a sentence for people",
            "examples": ["This receipt has been recorded already."],
        },
        "status": {"type": "integer", "description": "the HTTP status", "examples": [409]},
        "code": {"type": "string", "description": "stable; part of this API", "examples": ["receipt_known"]},
        "request_id": {
            "type": "string",
            "description": "names this call in the log; also the header X-Request-Id",
            "examples": ["9f86d081884c7d65"],
        },
        "field": {"type": "string", "description": "the one field that is wrong", "examples": ["contact_2"]},
        "errors": {"type": "object", "description": "where in the body → field → what is wrong with it"},
        "faults": {
            "type": "array",
            "description": "several things that are wrong, each with code, field and message",
            "items": {"type": "object"},
        },
        "retry_after": {
            "type": "integer",
            "description": "seconds to wait, as the header Retry-After says",
            "examples": [60],
        },
    },
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "one for each event; a repeat returns the first answer byte for byte, for 30 days",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
    "example": "till-3-2026-03-02-000174",
}
PARAMETERS = {
    "gift_card": {"description": "names the gift card, from its sale", "example": "01K8Q3ZV5T7M2XN4RWBYHDGJCE"},
    "scan": {"description": "names the scan, from POST /scans", "example": "01K8Q3ZV5T7M2XN4RWBYHDGJCE"},
    "serial_card": {"description": "names the card, from its sale", "example": "01K8Q3ZV5T7M2XN4RWBYHDGJCE"},
    "serial_use": {"description": "names the uses, from their answer", "example": "01K8Q3ZV5T7M2XN4RWBYHDGJCE"},
    "code": {"description": "the coupon's code, as read or typed", "example": "7K3M9QXV2HRT2"},
    "redemption": {"description": "names the use, from its answer", "example": "01K8Q3ZV5T7M2XN4RWBYHDGJCE"},
}
HEADERS = {
    201: {
        "Idempotent-Replayed": {
            "description": "true when this is the first answer to this key, sent again",
            "schema": {"type": "string", "enum": ["true"]},
        }
    },
    401: {"WWW-Authenticate": {"description": "asks for the till key", "required": True, "schema": {"type": "string"}}},
    429: {
        "Retry-After": {
            "description": "seconds to wait",
            "required": True,
            "schema": {"type": "integer", "minimum": 1},
            "example": 60,
        }
    },
}


def describe(app: APIFlask) -> None:
    """Complete the document when it is asked for."""
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["AUTO_404_RESPONSE"] = app.config["AUTO_VALIDATION_ERROR_RESPONSE"] = False
    app.config["AUTO_SERVERS"] = False  # else the Host header of the first call would name the server to all

    @app.spec_processor
    def _complete(spec: Any) -> Any:
        runtime: Runtime = app.extensions["leima"]
        spec["servers"] = [{"url": runtime.settings.base_url, "description": "this Leima"}]
        spec["info"]["description"] = ABOUT
        spec["tags"] = [{"name": "Till", "description": "Earning, refunds, coupons and signing up, at the till"}]
        spec["security"] = [{"till": []}]
        components = spec.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = PROBLEM
        components["securitySchemes"] = {
            "till": {"type": "http", "scheme": "bearer", "description": "the till's key, from the brand's console"}
        }
        spec["paths"] = {address: path for address, path in spec["paths"].items() if address.startswith("/api/")}
        for address, path in spec["paths"].items():
            operation = OPERATIONS[address]
            _fill(path[operation.method], operation)  # a view that the table forgets ends the document, and its test
        return spec


def _fill(said: dict[str, Any], operation: Operation) -> None:
    said.update(operationId=operation.id, summary=operation.summary, description=operation.description)
    for parameter in said.setdefault("parameters", []):
        parameter.update(PARAMETERS[parameter["name"]])
    if operation.method == "get":
        said["responses"]["200"].update(description=operation.answer)
    else:
        said["parameters"].append(KEY)
        said["requestBody"]["required"] = True
        said["responses"]["201"].update(description=operation.answer, headers=HEADERS[201])
    for status, codes in operation.codes().items():
        said["responses"][str(status)] = _refusal(status, codes)


def _refusal(status: int, codes: dict[str, str]) -> dict[str, Any]:
    """Return a refusal's response: what each code means, and that `code` is one of them."""
    listed = {"properties": {"code": {"enum": sorted(codes)}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, listed]}
    response: dict[str, Any] = {
        "description": "\n".join(f"- `{code}`: {text}" for code, text in codes.items()),
        "content": {"application/problem+json": {"schema": schema}},
    }
    if status in HEADERS:
        response["headers"] = HEADERS[status]
    return response
