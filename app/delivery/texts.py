"""What service messages say, in the member's language."""

from dataclasses import dataclass
from html import escape

from app.cards.faces import face
from app.cards.views import Card
from app.core.i18n import gettext as _
from app.delivery.sms import code_text


@dataclass(frozen=True)
class Text:
    """A message's words; `html` only for email."""

    title: str
    text: str
    html: str = ""


def code_mail(*, brand: str, code: str, link: str, sign_in: bool) -> Text:
    """Return the mail with a code and its link; both live 10 minutes."""
    title = _("%(code)s is your code for %(brand)s", code=code, brand=brand)
    why = _("Open your card with this code:") if sign_in else _("Confirm your email with this code:")
    over = _("It is good for 10 minutes. If you did not ask for it, nothing happens.")
    button = _("On the same phone, you can press here instead")
    text = f"{why}\n\n{code}\n\n{button}: {link}\n\n{over}\n\n{brand}\n"
    return Text(title, text, _html(brand, [why], code, (button, link), over))


def code_sms(*, brand: str, code: str, host: str) -> Text:
    """Return the SMS with a code; its last line lets the phone fill the code in."""
    words = _("%(code)s is your code for %(brand)s. It is good for 10 minutes.", code=code, brand=brand)
    return Text("", code_text(words, host=host, code=code))


def link_mail(*, brand: str, link: str) -> Text:
    """Return the mail after a sign-up at a till: only the link works there, so there are no digits."""
    title = _("Your %(brand)s card is ready", brand=brand)
    why = _("You got a card at the till. This link opens it on your phone and confirms your email:")
    over = _("It is good for 10 minutes. If you did not ask for it, nothing happens.")
    button = _("Open my card")
    text = f"{why}\n\n{link}\n\n{over}\n\n{brand}\n"
    return Text(title, text, _html(brand, [why], "", (button, link), over))


def link_sms(*, brand: str, link: str) -> Text:
    """Return the SMS after a sign-up at a till: a short sentence and the link."""
    return Text("", _("Your %(brand)s card is ready. Open it within 10 minutes: %(link)s", brand=brand, link=link))


def no_card(*, brand: str, link: str) -> Text:
    """Return what somebody hears who asked for the card of a contact that has none."""
    title = _("There is no %(brand)s card for this contact", brand=brand)
    words = _("Somebody, perhaps you, tried to open a card here. There is none for this contact yet.")
    button = _("Get one in 20 seconds")
    text = f"{words}\n\n{button}: {link}\n\n{brand}\n"
    return Text(title, text, _html(brand, [words], "", (button, link), ""))


def card_push(card: Card, *, entry: str, zone: str) -> Text:
    """Return what the phone says of a change of a card.

    It tells what the card holds and not what was added, since several changes in a row make one message.

    Args:
        entry: the kind of the ledger entry that changed it last.
        zone: the brand's.
    """
    shown = face(card, zone)
    told = {
        "expire": _("Something on this card has expired. Open it to see what you have."),
        "release": _("What you have earned can be used now. Open the card to see it."),
        "reverse_earn": _("A purchase was taken back. Your card has %(balance)s.", balance=shown.said),
        "spend": _("You have used some of it. Your card has %(balance)s.", balance=shown.said),
        "reverse_spend": _("What you had paid came back. Your card has %(balance)s.", balance=shown.said),
    }
    if entry in told:
        return Text(card.name, told[entry])
    return Text(f"{card.name}: {shown.short}", shown.goal or shown.said)


def coupon_push(*, reward: str, until: str) -> Text:
    """Return what the phone says of a new coupon."""
    return Text(
        _("You have a coupon: %(reward)s", reward=reward), _("Show it at the till. Good until %(date)s.", date=until)
    )


def question_push(*, outlet: str) -> Text:
    """Return what the phone says when a till asks whether it may redeem."""
    return Text(
        _("%(outlet)s asks to use your coupons or bonus", outlet=outlet), _("Open your card to allow it, or not now.")
    )


def _html(brand: str, words: list[str], code: str, button: tuple[str, str], over: str) -> str:
    """Return a plain mail that every program shows: no pictures, no styles from elsewhere."""
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in words)
    big = f'<p style="font-size:32px;letter-spacing:6px;font-weight:bold">{escape(code)}</p>' if code else ""
    label, link = button
    return (
        '<div style="font-family:sans-serif;font-size:16px;max-width:480px;color:#162137">'
        f'<h1 style="font-size:20px">{escape(brand)}</h1>{paragraphs}{big}'
        f'<p><a href="{escape(link, quote=True)}">{escape(label)}</a></p>'
        f'<p style="color:#4f5b6f">{escape(over)}</p></div>'
    )
