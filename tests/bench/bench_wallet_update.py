"""From a till's answer to the new pass on a simulated iPhone: the whole service as it runs, with its worker.

Each sale goes to the till API; the stamp marks the pass, the worker wakes the phone through the fake push service over
HTTP/2, and the phone asks and fetches over HTTP as iOS does. The wait that gathers a moment's stamps is part of it.
"""

import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from sqlalchemy import select

from app import registry
from app.core import clock, migrations
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.core.web.server import listen
from app.fakes.apns import FakeApns
from app.fakes.iphone import SimulatedIPhone
from app.fakes.wallet_chain import wallet_chain
from app.members import lookup
from app.network.models import Till
from app.network.tills import new_till_key
from app.wallet.outgoing import close
from app.worker import Worker
from app.wsgi import create_app
from tests.bench.run import Figure
from tests.wallet.shop import Shop, a_shop

SALES = 60
TIMEOUT = 10


class Phone(SimulatedIPhone):
    """Tells when it has a new pass."""

    def __init__(self, apns: FakeApns, authority: bytes) -> None:
        self.fresh = threading.Event()
        super().__init__(lambda: apns.token("iPhone", self.hear), authority=authority)

    def hear(self) -> None:
        """Do what iOS does on a push, then say that it is done."""
        before = {serial: one.files["pass.json"] for serial, one in self.held().items()}
        self.wake()
        if any(one.files["pass.json"] != before.get(serial) for serial, one in self.held().items()):
            self.fresh.set()


@contextmanager
def served(folder: Path) -> Iterator[tuple[Shop, str, str, Phone]]:
    """Run web and worker over SQLite; give the shop, its address, a till's key, and a phone with the card."""
    registry.load()
    chain = wallet_chain(folder / "chain")
    with FakeApns(chain.wwdr + chain.root) as apns:
        (folder / "root.pem").write_bytes(apns.root)
        settings = Settings(demo=True, data_dir=folder / "data", port=0, log_level="WARNING")
        settings.data_dir.mkdir()
        runtime = Runtime.open(settings)
        migrations.upgrade(runtime.database)
        shop = a_shop(runtime.database, settings, chain, outbound_map=apns.mapping, outbound_root=folder / "root.pem")
        server = listen(create_app(shop.runtime), settings)
        base = f"http://127.0.0.1:{server.effective_port}"
        served = shop.runtime.settings.model_copy(update={"base_url": base})
        shop.runtime.settings = served
        threading.Thread(target=server.run, daemon=True).start()
        worker = Worker(shop.runtime)
        worker.start()
        with runtime.database.unit(shop.brand_id) as session:
            key = new_till_key(session, session.scalars(select(Till).order_by(Till.id).limit(1)).one())
        phone = Phone(apns, chain.root)
        yield shop, base, key, phone
        worker.stop()
        server.close()
        close(shop.runtime)
        runtime.database.close()


def bench() -> list[Figure]:
    """Sell, and wait until the phone shows it, one sale after another."""
    with tempfile.TemporaryDirectory() as name, served(Path(name)) as (shop, base, key, phone):
        phone.add(shop.apple().body)
        with shop.runtime.database.reading(shop.brand_id) as session:
            code = lookup.codes_of(session, shop.member_id).spoken
        seconds = [_sale(base, key, code, phone, number) for number in range(SALES)]
    p95 = statistics.quantiles(seconds, n=20)[-1]
    what = "till answer to the phone holding the new pass"
    return [
        Figure(f"{what}, median", "leima", statistics.median(seconds), "s", SALES),
        Figure(f"{what}, p95", "leima", p95, "s", SALES, at_most=1.0),
    ]


def _sale(base: str, key: str, code: str, phone: Phone, number: int) -> float:
    scan = _post(base, key, "scans", {"text": code}, f"s{number}")
    phone.fresh.clear()
    now = clock.now().isoformat()
    body = {"scan": scan["scan"], "receipt": f"r{number}", "occurred_at": now, "total_cents": 400}
    _post(base, key, "purchases", body, f"p{number}")
    begin = time.perf_counter()
    if not phone.fresh.wait(TIMEOUT):
        raise TimeoutError("the phone never got the new pass")
    return time.perf_counter() - begin


def _post(base: str, key: str, path: str, body: dict[str, object], name: str) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": name, "Content-Type": "application/json"}
    with urlopen(Request(f"{base}/api/v1/{path}", json.dumps(body).encode(), headers), timeout=TIMEOUT) as answer:
        found: dict[str, str] = json.load(answer)
    return found
