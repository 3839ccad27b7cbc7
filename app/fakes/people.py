"""Two hundred made-up people of the demo, by a seed."""

import random
import unicodedata
from dataclasses import dataclass


def _words(text: str) -> list[str]:
    return text.split()


_FINNISH = _words(
    "Aino Eero Helmi Onni Venla Väinö Sofia Leo Ella Elias Lilja Oliver Kaarina Mikko Johanna Antti Riikka Jukka Päivi "
    "Timo Sari Ville Heli Janne Katja Markku Noora Petri Tiina Juha Minna Lauri Outi Tuomas Kirsi Aleksi Marja Sampo"
)
_SWEDISH = _words("Astrid Emil Linnéa Axel Ebba Oskar Saga Viktor Signe Anton Freja Rasmus Ulrika Björn")
_ENGLISH = _words("Priya James Olga Chen Maria Ahmed Grace Tomás")
_FINNISH_LAST = _words(
    "Korhonen Virtanen Mäkinen Nieminen Laine Heikkinen Koskinen Järvinen Lehtonen Saarinen Salminen Heinonen Niemi "
    "Kinnunen Turunen Salonen Laitinen Tuominen Rantanen Jokinen Mattila Savolainen Lahtinen Ahonen"
)
_SWEDISH_LAST = _words("Lindholm Nyström Söderlund Karlsson Sjöberg Grönroos Backman Wikström Ekholm Fagerlund")
_ENGLISH_LAST = _words("Patel Smith Ivanova Wang Silva Hassan Okafor")


@dataclass(frozen=True)
class Person:
    """A person who joins; `contact_2` is there when a ticked channel needs it."""

    number: int
    first_name: str | None
    language: str
    contact: str
    contact_2: str | None
    consents: frozenset[str]


def people(rng: random.Random, count: int) -> list[Person]:
    """Return people; the same generator gives the same ones."""
    return [_person(rng, number) for number in range(count)]


def _person(rng: random.Random, number: int) -> Person:
    language = rng.choices(("fi", "sv", "en"), (78, 14, 8))[0]
    firsts, lasts = {
        "fi": (_FINNISH, _FINNISH_LAST), "sv": (_SWEDISH, _SWEDISH_LAST), "en": (_ENGLISH, _ENGLISH_LAST),
    }[language]  # fmt: skip
    first, last = rng.choice(firsts), rng.choice(lasts)
    email = f"{_ascii(first)}.{_ascii(last)}{number}@example.com"
    phone = f"+35850{rng.randrange(2_000, 9_999)}{number:03d}"  # the number in it keeps phones apart
    shares = {"email": 0.5, "sms": 0.2, "push": 0.25}
    consents = frozenset(channel for channel, share in shares.items() if rng.random() < share)
    by_email = rng.random() < 0.7
    needed = "sms" in consents if by_email else "email" in consents
    contact, other = (email, phone) if by_email else (phone, email)
    named = first if rng.random() < 0.85 else None
    return Person(number, named, language, contact, other if needed else None, consents)


def _ascii(name: str) -> str:
    return unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
