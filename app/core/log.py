"""JSON logs with a request or job id. No personal data: events carry ids of ours, route rules and counts only."""

import logging
import sys
from typing import Any, TextIO

import structlog

log: Any = structlog.get_logger("leima")
_transform = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)


def _frames(exc_info: Any) -> list[dict[str, Any]]:
    """Return where an error was raised, without its variables and words: both may hold names, addresses and codes."""
    return [{**part, "exc_value": "", "exc_notes": []} for part in _transform(exc_info)]


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's loggers to standard error, or a stream, as one JSON object a line."""
    tracebacks = structlog.processors.ExceptionRenderer(_frames)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            tracebacks,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("waitress", "aiosmtpd", "mail.log", "alembic", "werkzeug", "hpack", "h2"):
        logging.getLogger(noisy).setLevel("WARNING")
