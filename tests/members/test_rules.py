"""Names, masks and the texts of codes."""

import pytest

from app.members import rules
from app.members.rules import MemberText

ID = "ABCDEFGH23456789"


@pytest.mark.parametrize(
    "text",
    [
        f"HTTPS://LEIMA.EXAMPLE/M/{ID}",
        f"https://leima.example/m/{ID.lower()}",
        f"http://127.0.0.1:8000/m/{ID}",
        f"HTTPS://OTHER.EXAMPLE/M/{ID}/",
        f"  {ID} ",
        "abcd-efgh 2345-6789",
        f"HTTPSÖ--LEIMA.EXAMPLE-M-{ID}",  # a USB scanner that thinks it is a Finnish keyboard
    ],
)
def test_code_is_read_from_the_qr_in_any_case_and_of_any_host(text: str) -> None:
    assert rules.read_member_text(text) == MemberText(id=ID)


@pytest.mark.parametrize(
    "text", [f"HTTPS://LEIMA.EXAMPLE/M/{ID}.012345", f"{ID}.012345", f"https://a.fi/m/{ID}.012345"]
)
def test_the_six_digits_are_read_with_it(text: str) -> None:
    assert rules.read_member_text(text) == MemberText(id=ID, digits="012345")


@pytest.mark.parametrize("text", ["7K3QX9P2", "7k3q x9p2", "7K3Q-X9P2", " 7K3Q\u00a0X9P2 "])
def test_spoken_code_may_have_spaces_and_dashes(text: str) -> None:
    assert rules.read_member_text(text) == MemberText(spoken="7K3QX9P2")


@pytest.mark.parametrize(
    "text",
    [
        *("", "M", ID[:-1], ID + "A", "ABCDEFGH2345678O", "7K3QX9P0", "6417405123453"),
        *(f"{ID}.12345", f"{ID}.1234567", f"{ID}.١٢٣٤٥٦", f"https://leima.example/x/{ID}"),
        f"https://leima.example/m/{ID}?next=https://evil.example",
        "https://" + "a" * 300 + f"/m/{ID}",
    ],
)
def test_other_texts_name_nobody(text: str) -> None:
    assert rules.read_member_text(text) is None


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("Aino", "Aino"), ("  Anna   Maija ", "Anna Maija"), ("O’Neill-Åström", "O’Neill-Åström"), ("J. R.", "J. R."),
     ("Äi\u0301no", "Äíno"), ("नीलम", "नीलम"), ("明", "明"), ("a" * 60, "a" * 60)],
)  # fmt: skip
def test_names_of_people_are_kept(typed: str, kept: str) -> None:
    assert rules.clean_name(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        *("", "-", "a" * 61, "Aino\u202eoni", "Ai\u200bno", "Ai\x00no", "<b>Aino</b>", "win at evil.example"),
        *("www.evil", "Aino 2000", "=1+1", "@aino", "A" + "\u0301\u0302\u0303\u0304" * 4, "Aino 🎉"),
    ],
)
def test_what_is_no_name_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"sign|letter|address"):
        rules.clean_name(typed)


def test_names_are_shown_with_an_initial() -> None:
    assert rules.display_name("Aino", "Korhonen") == "Aino K."
    assert rules.display_name("Aino", None) == "Aino"
    assert rules.display_name(None, None) == ""
    assert (rules.initials("Aino", "Korhonen"), rules.initials(None, None)) == ("AK", "")


def test_masked_contact_says_enough_to_its_owner_only() -> None:
    assert rules.mask_contact("email", "aino.korhonen@example.com") == "a•••@example.com"
    assert rules.mask_contact("phone", "+358401234567") == "+358 •• ••• 4567"
    assert rules.show_contact("phone", "+358401234567") == "+358 40 1234567"
