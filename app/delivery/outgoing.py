"""The channels that a process keeps open, made once from the settings."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from threading import RLock
from typing import TypeVar

from app.core.outbound import Outbound
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.delivery.email import SmtpChannel, SmtpServer
from app.delivery.sms import SmsChannel
from app.delivery.webpush import PUSH_HOSTS, PushSender, WebPushChannel, new_vapid_key

T = TypeVar("T")
_lock = RLock()  # a push channel makes its sender and its way out while it is made


def outbound(runtime: Runtime) -> Outbound:
    """Return the one way out over HTTP: push services and the SMS gateway are allowed, nothing else."""
    settings = runtime.settings
    hosts = [*PUSH_HOSTS, *settings.push_hosts]
    if settings.sms_url:
        hosts.append(settings.sms_url.split("/")[2].split(":")[0])
    mapping = dict(settings.outbound_map)
    return _shared(runtime, "outbound", lambda: Outbound(allowed=hosts, mapping=mapping))


def push_sender(runtime: Runtime) -> PushSender:
    """Return the VAPID key of this installation, made on first use when the settings name no file."""
    settings = runtime.settings
    return _shared(runtime, "push_sender", lambda: PushSender(_vapid_pem(settings), contact=settings.vapid_subject))


def push_channel(runtime: Runtime) -> WebPushChannel:
    """Return the way to browsers."""
    return _shared(runtime, "push", lambda: WebPushChannel(outbound(runtime), push_sender(runtime)))


def email_channel(runtime: Runtime) -> SmtpChannel | None:
    """Return the way to mailboxes; None when no relay is set."""
    settings = runtime.settings
    if not settings.smtp_url:
        return None
    server = SmtpServer.from_url(settings.smtp_url)
    return _shared(runtime, "email", lambda: SmtpChannel(server, sender=settings.mail_from))


def sms_channel(runtime: Runtime) -> SmsChannel | None:
    """Return the way to phones; None when no gateway is set."""
    settings = runtime.settings
    if not settings.sms_url:
        return None
    given = {"url": settings.sms_url, "key": settings.sms_key, "sender": settings.sms_sender}
    return _shared(runtime, "sms", lambda: SmsChannel(outbound(runtime), **given))


def close(runtime: Runtime) -> None:
    """Close what is open."""
    for name in ("email", "outbound"):
        channel = runtime.shared.pop(name, None)
        if channel is not None:
            channel.close()


def _vapid_pem(settings: Settings) -> bytes:
    path: Path = settings.vapid_key_file or settings.data_dir / "vapid.pem"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        pem, _public = new_vapid_key()
        # Two processes may start at once: the file appears whole, and the first one wins.
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_bytes(pem)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_bytes()


def _shared(runtime: Runtime, name: str, make: Callable[[], T]) -> T:
    if name not in runtime.shared:
        with _lock:
            if name not in runtime.shared:
                runtime.shared[name] = make()
    found: T = runtime.shared[name]
    return found
