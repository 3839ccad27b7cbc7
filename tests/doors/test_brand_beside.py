"""The rows of a program's form for rules beside purchases."""

import json

from tests.doors.console import Console
from tests.doors.test_brand_programs import CARD, post, text_of
from tests.doors.test_brand_programs import inside as inside


def test_rules_beside_purchases_have_rows_and_those_that_nothing_reports_are_refused(inside: Console) -> None:
    row = {"beside_1": "schedule", "beside_n_1": "2", "beside_day_1": "2026-12-06", "beside_every_1": "year"}

    saved = post(inside, "/coffee/edit", **{**CARD, **row})

    assert saved.status_code == 303
    assert "every year from 6 Dec 2026 on" in text_of(inside.get("/brand/programs/coffee"))
    page = inside.get("/brand/programs/coffee/edit").text
    assert ('value="2026-12-06"' in page, '<option value="schedule" selected>' in page) == (True, True)
    faulty = post(inside, "/coffee/edit", **{**CARD, **row, "beside_day_1": ""})
    assert (faulty.status_code, 'id="beside_day_1-error"' in faulty.text) == (422, True)
    unheard = {"rules": [{"name": "a", "on": "survey_answered", "then": [{"do": "award", "n": 1}]}]}
    refused = post(inside, "/coffee/edit", **{**CARD, "source": "text", "plan": json.dumps(unheard)})
    assert (refused.status_code, "nothing reports yet" in text_of(refused)) == (422, True)
