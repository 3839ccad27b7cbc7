"""The wallet's way out over HTTP: Apple's push service and Google's Wallet API, nothing else."""

from threading import Lock

from app.core.outbound import Outbound
from app.core.runtime import Runtime

HOSTS = ("api.push.apple.com", "walletobjects.googleapis.com", "oauth2.googleapis.com", "pay.google.com")
_SHARED = "wallet_outbound"  # where the runtime keeps it
_lock = Lock()


def outbound(runtime: Runtime) -> Outbound:
    """Return this process's one, whose connections stay open."""
    with _lock:
        if _SHARED not in runtime.shared:
            settings = runtime.settings
            roots = [settings.outbound_root.read_bytes()] if settings.outbound_root else []
            runtime.shared[_SHARED] = Outbound(allowed=HOSTS, mapping=dict(settings.outbound_map), roots=roots)
        found: Outbound = runtime.shared[_SHARED]
        return found


def close(runtime: Runtime) -> None:
    """Close what is open."""
    with _lock:
        found = runtime.shared.pop(_SHARED, None)
    if found is not None:
        found.close()
