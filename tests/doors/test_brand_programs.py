"""Programs in the console: made, changed, simulated, published, planned and withdrawn, by who may."""

import html
import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.cards import versions
from app.cards.models import Program, ProgramDraft, ProgramVersion
from app.cards.service import record_purchase
from app.core import clock
from app.members.models import Member
from app.network.models import Till
from tests.builders import a_member
from tests.doors.console import ORIGIN, Console
from tests.shop import a_basket

UNITS = {
    f"{part}_{code}": word
    for part, word in (("unit_one", "stamp"), ("unit_many", "stamps"))
    for code in ("fi", "sv", "en")
}
NAMES = {f"name_{code}": f"Coffee card {code}" for code in ("fi", "sv", "en")}
CARD = {
    **NAMES,
    **UNITS,
    "source": "fields",
    "rule": "per-euros",
    "per": "euros",
    "step": "2",
    "n": "1",
    "size": "10",
    "reward": "coffee",
}


@pytest.fixture
def inside(console: Console) -> Console:
    """A console whose administrator is logged in."""
    assert console.log_in().status_code == 303
    return console


def post(console: Console, path: str, **form: str) -> TestResponse:
    return console.client.post(f"/brand/programs{path}", data=form, headers=ORIGIN)


def text_of_page(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def text_of(answer: TestResponse) -> str:
    return text_of_page(answer.text)


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found
    return html.unescape(found[1])


def numbers(console: Console) -> list[int]:
    with console.database.reading(console.brand_id) as session:
        return sorted(session.scalars(select(ProgramVersion.number)))


def drafted(console: Console, **changes: str) -> str:
    """Save a draft of the coffee card and return its page."""
    assert post(console, "/coffee/edit", **{**CARD, **changes}).location == "/brand/programs/coffee?done=saved"
    return console.get("/brand/programs/coffee").text


def publish(console: Console, page: str, **form: str) -> TestResponse:
    return post(console, "/coffee/publish", newest=hidden(page, "newest"), seen=hidden(page, "seen"), **form)


def test_list_says_what_holds_and_who_has_something(inside: Console) -> None:
    with inside.database.unit(inside.brand_id) as session:
        till = session.scalars(select(Till)).first()
        assert till is not None
        for cents in (800, 4400):
            record_purchase(session, a_basket(cents), member=a_member(session), till=till)

    shown = text_of(inside.get("/brand/programs"))

    assert "Coffee card Stamp card stamps version 1 2 1" in shown  # two members hold stamps, one card was full


def test_draft_is_saved_shown_beside_the_version_and_published(inside: Console) -> None:
    page = drafted(inside)

    assert "1 stamp for each full €4.00 1 stamp for each full €2.00" in text_of_page(page)
    answer = publish(inside, page, when="now")
    assert answer.location == "/brand/programs/coffee?done=published"
    assert (numbers(inside), "Draft" in inside.get("/brand/programs/coffee").text) == ([1, 2], False)
    assert publish(inside, page, when="now").location == answer.location  # the second click of two
    assert numbers(inside) == [1, 2]


def test_what_another_published_meanwhile_is_told(inside: Console) -> None:
    page = drafted(inside)
    publish(inside, page, when="now")
    inside.person("otto@meri.example", "marketing")
    inside.log_in("otto@meri.example")

    answer = publish(inside, page, when="now")

    assert (answer.status_code, numbers(inside)) == (409, [1, 2])
    assert "Version 2 was published meanwhile" in text_of(answer)


def test_planned_version_is_moved_changed_and_withdrawn(inside: Console) -> None:
    begins = (clock.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    answer = publish(inside, drafted(inside), when="later", begins=begins)
    assert answer.location == "/brand/programs/coffee?done=planned"
    assert "version 2 from" in text_of(inside.get("/brand/programs"))

    later = (clock.now() + timedelta(days=5)).strftime("%Y-%m-%dT%H:%M")
    assert (
        post(inside, "/coffee/versions/2/move", begins=later).location == "/brand/programs/coffee?done=moved&version=2"
    )
    assert 'value="2"' in inside.get("/brand/programs/coffee/edit?version=2").text
    changed = post(inside, "/coffee/edit", **{**CARD, "step": "1", "version": "2"})
    assert changed.location == "/brand/programs/coffee?done=changed&version=2"
    assert "for each full €1.00" in text_of(inside.get("/brand/programs/coffee?version=2"))

    for _click in range(2):
        assert post(inside, "/coffee/versions/2/withdraw").status_code == 303
    assert numbers(inside) == [1]
    assert "for each full €1.00" in text_of(inside.get("/brand/programs/coffee?version=draft"))
    assert post(inside, "/coffee/discard").status_code == 303
    assert inside.get("/brand/programs/coffee?version=draft").status_code == 404
    shown = text_of(inside.get("/brand/programs/coffee"))
    for said in (r"A draft was thrown away Kaisa Salo", r"Version 2, planned for .*, was withdrawn Kaisa Salo"):
        assert re.search(said, shown)


@pytest.mark.parametrize("begins", ["", "soon", "2020-01-01T12:00"])
def test_begin_that_is_none_is_refused_on_the_page(inside: Console, begins: str) -> None:
    page = drafted(inside)

    answer = publish(inside, page, when="later", begins=begins)

    assert (answer.status_code, numbers(inside)) == (422, [1])
    assert "still to come" in text_of(answer)
    assert post(inside, "/coffee/versions/1/move", begins=begins).status_code in (409, 422)


def test_version_that_holds_cannot_be_withdrawn(inside: Console) -> None:
    answer = post(inside, "/coffee/versions/1/withdraw")

    assert answer.status_code == 409
    assert "has begun" in text_of(answer)
    assert inside.get("/brand/programs/coffee/edit?version=1").status_code == 409


def test_bent_form_publishes_nothing(inside: Console) -> None:
    drafted(inside)
    for seen in ("", "x", "{}", json.dumps({"rule": {}, "size": 1, "reward_id": 1}), "null"):
        assert post(inside, "/coffee/publish", newest="1", seen=seen, when="now").status_code == 409
    assert numbers(inside) == [1]


def test_new_program_of_each_kind_begins_as_a_draft(inside: Console) -> None:
    for kind in ("stamp_card", "bonus", "points", "visits", "cash_back", "serial_card", "standing"):
        page = inside.get(f"/brand/programs/new?kind={kind}")
        assert page.status_code == 200
        fields = {
            html.unescape(name): html.unescape(value)
            for name, value in re.findall(r'<input id="([a-z_0-9]+)"[^>]* value="([^"]*)"', page.text)
        }
        more = {
            "reward": "coffee",
            "gift": "coffee",
            "reward_1": "coffee",
            "at_1": "10",
            "slug": f"my-{kind}".replace("_", "-"),
        }
        tiers = {"tier_1": "gold", "from_1": "100", "rate_1": "5", "keeps_1": "12"} if kind == "standing" else {}
        form = {**fields, **NAMES, **more, **tiers, "kind": kind, "source": "fields", "period": "year"}
        if kind == "visits":
            form.pop("at_1"), form.pop("reward_1")
            form["repeats"] = ""

        answer = post(inside, "/new", **form)

        assert answer.status_code == 303, (kind, text_of(answer))
        assert post(inside, "/new", **form).location == answer.location  # the second click of two
    with inside.database.reading(inside.brand_id) as session:
        assert len(session.scalars(select(Program)).all()) == 8
        assert len(session.scalars(select(ProgramDraft)).all()) == 7
        assert [row.number for row in session.scalars(select(ProgramVersion))] == [1]


def test_faults_stand_beside_their_fields(inside: Console) -> None:
    answer = post(
        inside, "/new", kind="stamp_card", source="fields", slug="Not A Slug", step="x", size="0", per="euros"
    )

    assert answer.status_code == 422
    for field in ("slug", "step", "size", "reward", "name_en", "unit_one_fi"):
        assert f'id="{field}-error"' in answer.text
    assert post(inside, "/new", kind="nothing").location == "/brand/programs/new"
    for slug in ("new", "preview", "coffee"):
        refused = post(inside, "/new", **{**CARD, "kind": "stamp_card", "slug": slug})
        assert (refused.status_code, 'id="slug-error"' in refused.text) == (409 if slug == "coffee" else 422, True)


def test_whole_plan_as_text_is_checked_line_by_line(inside: Console) -> None:
    wrong = json.dumps({"rules": [{"name": "x", "then": [{"do": "per_amount", "cents": 0}]}]})
    answer = post(inside, "/coffee/edit", **{**CARD, "source": "text", "plan": wrong})
    assert answer.status_code == 422
    assert "Line 8" in text_of(answer)
    assert "rules › 1 › then › 1 › cents" in text_of(answer)

    rich = json.dumps(
        {"rules": [{"name": "x", "when": {"channels": ["web"]}, "then": [{"do": "award", "n": 2, "base": True}]}]}
    )
    assert post(inside, "/coffee/edit", **{**CARD, "source": "text", "plan": rich}).status_code == 303
    assert "says more than the fields" in text_of(inside.get("/brand/programs/coffee/edit"))
    gone = json.dumps({"rules": [{"name": "x", "then": [{"do": "issue", "reward": "gone"}]}]})
    refused = post(inside, "/coffee/edit", **{**CARD, "source": "text", "plan": gone})
    assert (refused.status_code, "no reward “gone”" in text_of(refused)) == (422, True)


def test_card_is_drawn_as_it_will_look_and_nothing_is_saved(inside: Console) -> None:
    form = {**CARD, "kind": "stamp_card", "size": "5", "name_en": "Tea <card>"}

    drawn = inside.client.post("/brand/programs/preview", data=form, headers=ORIGIN).text
    shown = post(inside, "/coffee/edit", **form, show="1")

    assert drawn.count("Tea &lt;card&gt;") == 2  # on a light and on a dark phone
    assert "Free coffee after 3 more" in text_of_page(drawn)
    assert (shown.status_code, "Tea &lt;card&gt;" in shown.text) == (200, True)
    with inside.database.reading(inside.brand_id) as session:
        assert session.scalars(select(ProgramDraft)).all() == []
        assert session.scalars(select(Program)).one().name == {"en": "Coffee card"}
    assert inside.client.post("/brand/programs/preview", data={"kind": "x"}, headers=ORIGIN).status_code == 200


@pytest.mark.parametrize("role", ["finance", "sales"])
def test_who_may_only_look_changes_nothing(console: Console, role: str) -> None:
    console.person(f"{role}@meri.example", role)
    console.log_in(f"{role}@meri.example")

    assert console.get("/brand/programs").status_code == console.get("/brand/programs/coffee").status_code == 200
    for path in ("/new", "/coffee/edit", "/coffee/publish", "/coffee/discard", "/coffee/versions/1/withdraw",
                 "/coffee/versions/1/move", "/preview"):  # fmt: skip
        assert post(console, path, **CARD).status_code == 403
    assert console.get("/brand/programs/coffee/edit").status_code == 403
    assert "Change the program" not in console.get("/brand/programs/coffee").text


def test_what_is_not_there_is_not_found(inside: Console) -> None:
    for path in ("nothing", "nothing/edit", "coffee?version=9", "coffee?version=x", "coffee/edit?version=9"):
        assert inside.get(f"/brand/programs/{path}").status_code == 404
    assert post(inside, "/coffee/versions/9/move", begins="2027-01-01T12:00").status_code == 404


def test_program_without_a_version_and_brand_without_a_program(inside: Console) -> None:
    post(inside, "/new", **{**CARD, "kind": "stamp_card", "slug": "tea"})
    post(inside, "/tea/discard")

    assert "Nothing is published yet." in text_of(inside.get("/brand/programs/tea"))
    assert "not running" in text_of(inside.get("/brand/programs"))
    assert inside.get("/brand/programs/tea/edit").status_code == 200
    with inside.database.reading(inside.brand_id) as session:
        tea = session.scalars(select(Program).where(Program.slug == "tea")).one()
        assert versions.current(session, tea) is None
        assert session.scalars(select(Member)).all() == []
