"""What people really read: no words outside the catalogues, and pages that speak one language from top to bottom."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app import registry
from app.core import clock, i18n
from app.core.db import Database
from app.core.errors import LeimaError, TooMany
from app.core.runtime import Runtime
from app.core.setup import apply_file
from app.members import lookup
from app.members.models import Member
from app.network import staff, tills
from app.network.models import Staff, Till
from tests.apps import a_client
from tests.catalogs import TRANSLATED, Seen, bare_errors, bare_words, errors, left_english
from tests.house import ROOT, files, name_of

# The command line speaks English, and the demo's past is written with nobody looking.
ENGLISH_ONLY = ("app/cli/", "app/fakes/history.py")


def test_no_template_has_words_outside_the_catalogues() -> None:
    assert {name_of(p): bare for p in files("*.html", under="app") if (bare := bare_words(p.read_text()))} == {}


@pytest.mark.parametrize("fault", ["<p>Your card</p>", '<a aria-label="Your card">{{ x }}</a>', "<b>{{ x }} left</b>"])
def test_a_bare_word_in_a_template_is_found(fault: str) -> None:
    assert len(bare_words(f"{{# a comment #}}<h1>Leima {{{{ _('Till') }}}}</h1>{{% if a %}}{fault}{{% endif %}}")) == 1


def test_no_refusal_has_a_sentence_outside_the_catalogues() -> None:
    known = errors(LeimaError)
    sources = [path for path in files("*.py", under="app") if not name_of(path).startswith(ENGLISH_ONLY)]
    assert len(known) > 20
    assert {name_of(p): bare for p in sources if (bare := bare_errors(p.read_text(), known))} == {}


@pytest.mark.parametrize("fault", ["raise Invalid('Wrong.')", "raise errors.Invalid(f'{x} is wrong.')"])
def test_a_bare_refusal_is_found(fault: str) -> None:
    source = f"raise Invalid(_('Wrong.'))\nraise Invalid(error.message)\nraise ValueError('wrong')\n{fault}\n"
    assert len(bare_errors(source, {"Invalid"})) == 1


@pytest.fixture
def client(runtime: Runtime, sqlite: Database) -> FlaskClient:
    """A browser before the demo brand."""
    apply_file(sqlite, ROOT / "app" / "fakes" / "demo.toml", registry.SETUP)
    return a_client(runtime)


# A word that each page has in each language; pages behind the log-in come after joining.
PAGES = {
    "/meri/join": ("Ota kortti", "Ge mig kortet"),
    "/meri/sign-in": ("Avaa korttisi", "Öppna ditt kort"),
    "/till/login": ("Kassan avain", "Kassanyckel"),
    "/brand/login": ("Brändikonsoli", "Varumärkeskonsol"),
    "/meri/": ("Näytä tämä, kun maksat", "Visa det här när du betalar"),
    "/meri/coupons": ("Kupongit", "Kuponger"),
    "/meri/activity": ("Tapahtumat", "Händelser"),
    "/meri/profile": ("Mitä saamme lähettää sinulle", "Vad vi får skicka dig"),
    "/meri/no-such-page": ("Täällä ei ole mitään", "Här finns ingenting"),
}


def show(client: FlaskClient, language: str) -> dict[str, Seen]:
    """Open every page as a visitor who then joins, with one wrong try."""
    headers = {"Origin": "http://localhost:8000", "Accept-Language": language}
    shown = {}
    for path in PAGES:
        if path == "/meri/":
            refused = client.post("/meri/join", data={"contact": "", "consent_sms": "1"}, headers=headers)
            assert refused.status_code == 422
            shown["refused"] = Seen(refused.text)
            joined = client.post("/meri/join", data={"contact": "aino@example.com", "age": "1"}, headers=headers)
            assert joined.status_code == 303, joined.text
        answer = client.get(path, headers=headers)
        assert answer.status_code == (404 if "no-such" in path else 200), path
        shown[path] = Seen(answer.text)
    return shown


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_pages_speak_the_language_and_no_english_is_left(client: FlaskClient, language: str) -> None:
    shown = show(client, language)
    words = {path: own[TRANSLATED.index(language)] for path, own in PAGES.items()}
    assert [path for path, word in words.items() if not any(word in text for text in shown[path].texts)] == []
    assert {seen.language for seen in shown.values()} == {language}
    assert {path: left for path, seen in shown.items() if (left := left_english(seen.texts, language))} == {}


def at_work(runtime: Runtime, client: FlaskClient, language: str) -> dict[str, Seen]:
    """Open the pages of till and console around one sale, which a member of `show` makes."""
    headers = {"Origin": "http://localhost:8000", "Accept-Language": language}
    with runtime.database.unit(1) as session:
        key = tills.new_till_key(session, session.scalars(select(Till)).all()[0])
        person = session.scalars(select(Staff).where(Staff.role == "brand_admin")).one()
        staff.set_password(session, person, "a long enough password")
        member = session.scalars(select(Member)).one()
        code = lookup.codes_of(session, member.id).spoken
        console = ["/brand", "/brand/members", f"/brand/members/{member.public_id}"]
    assert client.post("/till/login", data={"key": key}, headers=headers).status_code == 303
    scan = client.post("/till/scan", data={"text": code}, headers=headers).headers["Location"]
    sale = {"scan": scan.split("/")[-1], "key": "01M80WK5B97YVVJ83XQA7WCK7J", "amount": "42,00"}
    done = client.post("/till/purchase", data=sale, headers=headers).headers["Location"]
    login = {"email": person.email, "password": "a long enough password"}
    assert client.post("/brand/login", data=login, headers=headers).status_code == 303
    paths = ["/till", "/till/members", scan, done, *console, "/meri/", "/meri/coupons", "/meri/activity"]
    return {path: Seen(client.get(path, headers=headers).text) for path in paths}


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_sale_is_told_in_the_language_at_the_till_in_the_console_and_on_the_phone(
    runtime: Runtime, client: FlaskClient, language: str
) -> None:
    show(client, language)
    shown = at_work(runtime, client, language)
    assert {seen.language for seen in shown.values()} == {language}
    assert {path: left for path, seen in shown.items() if (left := left_english(seen.texts, language))} == {}
    coupon = {"fi": "Uusi kuponki: Ilmainen kahvi", "sv": "Ny kupong: Gratis kaffe"}[language]
    assert coupon in shown["/meri/activity"].texts


def test_an_english_page_would_be_found(client: FlaskClient) -> None:
    shown = show(client, "en")
    assert [path for path, seen in shown.items() if not left_english(seen.texts, "fi")] == []


def test_a_thread_does_not_go_on_in_the_language_of_its_last_request(client: FlaskClient) -> None:
    client.get("/meri/join", headers={"Accept-Language": "sv"})
    key = {"Authorization": "Bearer of-nobody-at-all-and-long"}
    assert "This till key is not known" in client.post("/api/v1/scans", headers=key).text
    assert "Kassan avainta ei tunneta" in client.post("/api/v1/scans", headers={**key, "Accept-Language": "fi"}).text


def test_a_refusal_from_the_core_is_said_in_the_language_of_the_moment(sqlite: Database) -> None:
    def ask() -> None:
        sqlite.count("door", limit=0, window=timedelta(minutes=1), now=clock.now())

    with i18n.use_language("sv"), pytest.raises(TooMany, match="För många försök"):
        ask()
    with i18n.use_language("fi"), pytest.raises(TooMany, match="Liian monta yritystä"):
        ask()
