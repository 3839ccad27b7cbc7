"""What happened in the demo's 90 days, by a seed: who joined when, who bought what where. Pure."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.fakes.history_extras import extras
from app.fakes.history_steps import Buy, Confirm, Join, Night, Step, TakeBack, Withdraw
from app.fakes.people import Person, people

DAYS = 90
MEMBERS = 200
SEED = 20_260_401
ZONE = ZoneInfo("Europe/Helsinki")

# outlet → tills, how many members have it as their own, how much it sells on the seven days of a week
_OUTLETS: dict[str, tuple[tuple[str, ...], int, tuple[int, ...]]] = {
    "kallio": (("till-1", "till-1", "till-2"), 30, (9, 9, 10, 10, 12, 8, 6)),
    "hakaniemi": (("till-1",), 16, (10, 10, 10, 10, 11, 4, 2)),
    "punavuori": (("till-1",), 20, (7, 7, 8, 9, 11, 13, 11)),
    "turku": (("till-1", "till-2"), 16, (8, 8, 8, 9, 11, 12, 5)),
    "tampere": (("till-1",), 12, (9, 9, 9, 9, 10, 9, 5)),
    "verkko": (("checkout",), 6, (8, 8, 8, 8, 6, 7, 12)),
}
# hour → weight
_WEEKDAY = {7: 8, 8: 14, 9: 10, 10: 6, 11: 8, 12: 9, 13: 7, 14: 9, 15: 8, 16: 7, 17: 5, 18: 2}
_WEEKEND = {9: 3, 10: 8, 11: 12, 12: 12, 13: 11, 14: 10, 15: 8, 16: 5, 17: 2}
_ONLINE = {7: 1, 9: 2, 12: 4, 15: 2, 18: 4, 19: 7, 20: 9, 21: 8, 22: 4}
# cents of what people buy, and how often; a single espresso is under one stamp
_MENU = ((280, 5), (380, 6), (420, 30), (460, 16), (770, 14), (840, 9), (920, 6), (1180, 6), (1390, 4), (2150, 2))
_ONLINE_MENU = ((1290, 8), (1690, 6), (2580, 4), (3390, 2), (4670, 1))
# kind of guest: share, visits in a week, days until they stop coming
_HABITS = ((0.16, 4.5, 400), (0.34, 1.6, 300), (0.30, 0.5, 200), (0.20, 1.5, 6))


def plan(end: datetime, *, days: int = DAYS, members: int = MEMBERS, seed: int = SEED) -> list[Step]:
    """Return what happened in the days before `end`, in order; the same arguments give the same history."""
    rng = random.Random(seed)  # noqa: S311 - chance that repeats is what is wanted
    first = (end - timedelta(days=days)).astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    steps: list[Step] = [Night(_moment(first, day, 3, 0)) for day in range(1, days + 1)]
    for person in people(rng, members):
        steps += _life(rng, person, first, days)
    played = extras(sorted(steps, key=_when), seed=seed, zone=ZONE)
    return sorted((step for step in played if step.at < end), key=_when)


def _when(step: Step) -> tuple[datetime, str]:
    return step.at, type(step).__name__


def _life(rng: random.Random, person: Person, first: datetime, days: int) -> Iterator[Step]:
    home = _any_outlet(rng)
    day = _joining_day(rng, days)
    joined = _visit(rng, first, day, home)
    source = rng.choices(("outlet", "poster", "web"), (50, 30, 20))[0] if home != "verkko" else "web"
    yield Join(joined, person, source, home if source == "outlet" else None)
    confirmed = rng.random() < 0.88
    if confirmed:
        yield Confirm(joined + timedelta(seconds=rng.randrange(25, 400)), person)
    _, weekly, stays = rng.choices(_HABITS, [habit[0] for habit in _HABITS])[0]
    if source != "web" or rng.random() < 0.4:
        yield from _purchase(rng, person, joined + timedelta(minutes=rng.randrange(7, 20)), home)
    for later in range(day + 1, min(days + 1, day + stays)):
        weight = _OUTLETS[home][2][(first + timedelta(days=later)).weekday()] / 9
        if rng.random() < weekly / 7 * weight:
            outlet = home if rng.random() < 0.82 else _any_outlet(rng)
            yield from _purchase(rng, person, _visit(rng, first, later, outlet), outlet)
    if confirmed and person.consents and rng.random() < 0.06:
        channel = rng.choice(sorted(person.consents))
        yield Withdraw(joined + timedelta(days=rng.randrange(3, 40), minutes=rng.randrange(600)), person, channel)


def _any_outlet(rng: random.Random) -> str:
    return rng.choices(list(_OUTLETS), [members for _, members, _ in _OUTLETS.values()])[0]


def _joining_day(rng: random.Random, days: int) -> int:
    """Most join in the first weeks and when the posters went up again; fewer from day to day in between."""
    shape = [3 * 0.93**day + 1 + (1.6 if days // 2 <= day < days // 2 + 8 else 0) for day in range(days)]
    return rng.choices(range(days), shape)[0]


def _purchase(rng: random.Random, person: Person, at: datetime, outlet: str) -> Iterator[Step]:
    menu = _ONLINE_MENU if outlet == "verkko" else _MENU
    cents = rng.choices([price for price, _ in menu], [weight for _, weight in menu])[0]
    till = rng.choice(_OUTLETS[outlet][0])
    receipt = f"{at:%m%d}-{person.number:03d}-{at:%H%M%S}"
    bought = Buy(at, person, outlet, till, cents, receipt, rng.random() < 0.6)
    yield bought
    if rng.random() < 0.008:
        yield TakeBack(at + timedelta(minutes=rng.randrange(2, 25)), bought)


def _visit(rng: random.Random, first: datetime, day: int, outlet: str) -> datetime:
    weekend = (first + timedelta(days=day)).weekday() >= 5
    hours = _ONLINE if outlet == "verkko" else _WEEKEND if weekend else _WEEKDAY
    hour = rng.choices(list(hours), list(hours.values()))[0]
    return _moment(first, day, hour, rng.randrange(3600))


def _moment(first: datetime, day: int, hour: int, second: int) -> datetime:
    """Return a moment of a local day; the clock change within the 90 days moves nobody's coffee."""
    return (first + timedelta(days=day)).replace(hour=hour, minute=second // 60, second=second % 60)
