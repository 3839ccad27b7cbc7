"""The console's pages of the wallet: figures, checks, faults, news, and the looks of the passes."""

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.cards.models import Program
from app.core.jobs import Job
from app.core.runtime import Runtime
from app.wallet import channels, checkup
from app.wallet import service as wallet
from app.wallet.models import WalletNews, WalletTemplate
from app.wallet.templates import SHIPPED
from tests.builders import a_member
from tests.doors.console import ORIGIN, Console

WORDS = {f"{part}_{code}": f"Open on Sunday {code}" for part in ("header", "body") for code in ("fi", "sv", "en")}


def post(console: Console, path: str, **form: object) -> TestResponse:
    return console.client.post(path, data=form, headers=ORIGIN)


def picture(size: tuple[int, int] = (300, 100), form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#336699").save(out, form)
    return out.getvalue()


def upload(console: Console, name: str, data: bytes, **form: str) -> TestResponse:
    """Send a file as a browser does; written by hand, since the test client leaves a large one's file open."""
    field = "folder" if form.pop("kind", "") == "folder" else "picture"
    parts = [f'Content-Disposition: form-data; name="{key}"\r\n\r\n{value}'.encode() for key, value in form.items()]
    head = f'Content-Disposition: form-data; name="{field}"; filename="{"x" if data else ""}"'
    parts.append(f"{head}\r\n\r\n".encode() + data)
    body = b"".join(b"--limit\r\n" + part + b"\r\n" for part in parts) + b"--limit--\r\n"
    kind = "multipart/form-data; boundary=limit"
    return console.client.post(f"/brand/wallet/looks/{name}", data=body, headers=ORIGIN, content_type=kind)


def zipped(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return out.getvalue()


def test_page_of_a_brand_without_anything_says_what_is_missing(console: Console) -> None:
    console.log_in()

    page = console.get("/brand/wallet")

    assert page.status_code == 200
    assert "No phone has a pass yet." in page.text
    assert "Nothing failed." in page.text
    assert "No news on the cards." in page.text
    assert 'tone--withdrawn">wrong' in page.text  # no certificate is set up


def test_addresses_and_google_are_asked_only_when_somebody_wishes_it(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    @contextmanager
    def asking(_runtime: Runtime) -> Iterator[Callable[[str], int]]:
        yield lambda url: (asked.append(url), 204)[1]

    monkeypatch.setattr(checkup, "asking", asking)
    monkeypatch.setattr(checkup, "web_service_url", lambda _runtime, _brand: "https://meri.example/wallet/meri")
    console.log_in()

    assert "Ask our address and Google too" in console.get("/brand/wallet").text
    assert asked == []
    page = console.get("/brand/wallet?asked=1").text

    assert "Ask our address and Google too" not in page
    assert len(asked) == 1
    assert "Answers as it should" in page


def test_faults_are_shown_as_sentences_with_their_number(console: Console) -> None:
    with console.database.unit(console.brand_id) as session:
        channels.count_fault(session, "apns_unreachable", 3)
        channels.count_fault(session, "something_new")
    console.log_in()

    page = console.get("/brand/wallet").text

    assert "Apple&#39;s push service could not be reached" in page
    assert "something_new" in page
    assert '<td class="r">3</td>' in page


def test_saves_and_removals_are_summed_and_told_of_each_member(console: Console) -> None:
    with console.database.unit(console.brand_id) as session:
        aino = a_member(session, first_name="Aino")
        olli = a_member(session, first_name="Olli")
        old = a_member(session, first_name="Old", merged_into_id=aino.id)
        program_id = session.scalars(select(Program.id)).one()
        for row, saves, removals in ((aino, 2, 1), (old, 3, 0), (olli, 1, 1)):
            found = wallet.ensure_pass(session, member_id=row.id, kind="google", program_id=program_id)
            found.saves, found.removals = saves, removals
        ids = aino.public_id, olli.public_id
    console.log_in()

    aino_page, olli_page = (console.get(f"/brand/members/{public_id}").text for public_id in ids)

    assert "6 saved, 2 removed" in console.get("/brand/wallet").text
    assert "<dt>Saved to Google Wallet</dt><dd>5</dd>" in aino_page
    assert "<dt>Removed from Google Wallet</dt><dd>1</dd>" in aino_page
    assert "<dt>Saved to Google Wallet</dt><dd>1</dd>" in olli_page
    assert "Phones with Apple Wallet" not in olli_page


def test_news_is_published_shown_and_taken_off(console: Console) -> None:
    console.log_in()

    assert post(console, "/brand/wallet/news", **WORDS, days="7").status_code == 303

    assert "Open on Sunday en" in console.get("/brand/wallet?done=published").text
    with console.database.reading(console.brand_id) as session:
        (news,) = session.scalars(select(WalletNews))
        assert news.staff_id is not None
        names = {job.name for job in session.scalars(select(Job))}
    assert {"wallet.publish_news", "wallet.refresh_brand"} <= names
    assert post(console, f"/brand/wallet/news/{news.public_id}/stop").status_code == 303
    assert "No news on the cards." in console.get("/brand/wallet").text


@pytest.mark.parametrize(
    "wrong", [{"header_fi": ""}, {"body_en": "x" * 501}, {"days": "0"}, {"days": "soon"}, {"header_sv": "x" * 61}]
)
def test_news_with_a_fault_is_refused_and_what_was_typed_stays(console: Console, wrong: dict[str, str]) -> None:
    console.log_in()

    page = post(console, "/brand/wallet/news", **{**WORDS, "days": "7", **wrong})

    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert "Open on Sunday" in page.text
    with console.database.reading(console.brand_id) as session:
        assert session.scalars(select(WalletNews)).all() == []


@pytest.mark.parametrize("role", ["finance", "sales"])
def test_finance_and_sales_look_and_change_nothing(console: Console, role: str) -> None:
    console.person("other@meri.example", role)
    console.log_in("other@meri.example")

    assert "Put news on the cards" not in console.get("/brand/wallet").text
    assert post(console, "/brand/wallet/news", **WORDS, days="7").status_code == 403
    assert upload(console, "coupon", picture(), which="logo").status_code == 403
    assert post(console, "/brand/wallet/looks/coupon/remove").status_code == 403


def test_logo_is_put_on_a_template_and_taken_off_again(console: Console) -> None:
    console.log_in()

    assert upload(console, "stamp-card", picture(), which="logo").status_code == 303
    assert "Your own" in console.get("/brand/wallet/looks").text
    assert console.client.get("/meri/icon-logo.png").data != console.client.get("/valo/icon-logo.png").data

    assert post(console, "/brand/wallet/looks/stamp-card/remove").status_code == 303
    assert "Your own" not in console.get("/brand/wallet/looks").text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "must be of the kind"),
        (picture()[:200], "cannot be read"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 1_100_000, "larger than"),
        (picture((4000, 1200)), "million pixels"),
    ],
)
def test_picture_that_cannot_be_used_is_refused_in_words(console: Console, data: bytes, words: str) -> None:
    console.log_in()

    page = upload(console, "coupon", data, which="logo")

    assert page.status_code == 422
    assert words in page.text
    with console.database.reading(console.brand_id) as session:
        assert session.scalars(select(WalletTemplate)).all() == []


def test_own_template_with_faults_names_file_and_line(console: Console) -> None:
    console.log_in()
    broken = zipped("pass.json", b'{\n  "formatVersion": 1,\n  "logoText": "{{card.nothing}}"\n}')

    page = upload(console, "stamp-card", broken, kind="folder")

    assert page.status_code == 422
    assert "stamp-card.pass/pass.json:3" in page.text


def test_own_words_in_a_zip_are_taken(console: Console) -> None:
    words = (SHIPPED / "coupon.pass" / "en.lproj" / "pass.strings").read_bytes().replace(b"Valid until", b"Good until")
    console.log_in()

    taken = upload(console, "coupon", zipped("coupon.pass/en.lproj/pass.strings", words), kind="folder")

    assert taken.status_code == 303


def test_upload_without_a_file_and_to_no_template_is_refused(console: Console) -> None:
    console.log_in()

    assert upload(console, "coupon", b"", which="logo").status_code == 422
    assert upload(console, "nothing", picture(), which="logo").status_code == 404


def test_upload_of_more_than_may_be_is_refused_before_it_is_read(console: Console) -> None:
    console.log_in()

    assert upload(console, "coupon", b"0" * 3_000_000, which="logo").status_code == 413
    assert post(console, "/brand/wallet/news", header_en="x" * 70_000).status_code == 413
