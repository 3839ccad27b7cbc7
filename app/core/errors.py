"""Errors with a stable code and a sentence for people; a door turns them into an answer."""

from typing import Any, ClassVar


class LeimaError(Exception):
    """An expected refusal: never a crash, never in the crash log.

    `code` is part of the till API and never changes; `status` is the HTTP status that a door answers with.
    Extra keyword arguments become fields of the problem+json answer.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400

    def __init__(self, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extra = extra


class Invalid(LeimaError):
    """What was sent cannot be accepted as it is."""

    code = "invalid"
    status = 422


class Unauthorized(LeimaError):
    """Nobody known is asking."""

    code = "unauthorized"
    status = 401


class Forbidden(LeimaError):
    """Who asks is known and may not do this."""

    code = "forbidden"
    status = 403


class NotFound(LeimaError):
    """There is no such thing, or it is not theirs: the two answers are one."""

    code = "not_found"
    status = 404


class Conflict(LeimaError):
    """It exists, but its state does not allow this now."""

    code = "conflict"
    status = 409


class TooMany(LeimaError):
    """A limit of tries was reached; `retry_after` is in seconds."""

    code = "too_many_tries"
    status = 429

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, retry_after=retry_after)
        self.retry_after = retry_after


class Unavailable(LeimaError):
    """Leima itself, or something it needs for this, does not work at the moment."""

    code = "unavailable"
    status = 503
