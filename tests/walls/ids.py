"""Every kind of id that a route may be fed: one's own, everybody else's, and one that nobody has."""

from dataclasses import dataclass

from tests.walls.world import Side, World

BRAND_WIDE = frozenset({"member", "coupon"})  # any till of the brand may be shown these
NOBODY = "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"  # the form of a public id


@dataclass(frozen=True)
class Foreign:
    """An id that is not the caller's, and one of the same form that nobody has."""

    whose: str
    value: str
    nobodys: str


def own(world: World, kind: str) -> str:
    """Return the caller's own id of a kind: of the first till, member and outlet of the brand `here`."""
    return _ids(world.here)[kind][0]


def foreign(world: World, kind: str) -> list[Foreign]:
    """Return everybody else's ids of a kind: other tills, outlets, resellers and members, and the other brand's."""
    mine, theirs = _ids(world.here)[kind], _ids(world.there)[kind]
    found = [] if kind in BRAND_WIDE else [("another's of this brand", value) for value in mine[1:]]
    found += [("the other brand's", value) for value in theirs]
    return [Foreign(whose, value, _nobodys(kind, value)) for whose, value in found]


def _ids(side: Side) -> dict[str, list[str]]:
    """Return kind → the first caller's own id, then those that this caller may not name."""
    tills, members, first = side.tills, side.members, side.members[0]
    elsewhere = [tills[0], *tills[2:]]  # the second till is of the same outlet
    return {
        "slug": [side.slug],
        "outlet": [side.outlet],
        "source": [f"outlet:{side.outlet}"],
        "code": [first.code],
        "scan": [till.scan for till in tills],
        "static": [till.static for till in tills],
        "question": [till.question for till in tills],
        "scan_path": [f"/till/scan/{till.scan}" for till in tills],
        "purchase": [till.purchase for till in elsewhere],
        "redemption": [till.redemption for till in elsewhere],
        "serial_card": [till.serial_card for till in elsewhere],
        "serial_use": [till.serial_use for till in elsewhere],
        "reading": [till.reading for till in tills],
        "gift_reading": [till.gift_reading for till in elsewhere],
        "gift_card": [till.gift_card for till in elsewhere],
        "undo": [till.purchase for till in tills],
        "done": [
            tills[0].purchase,
            *(value for till in tills[1:] for value in (till.purchase, till.redemption, till.serial_use)),
            *(value for till in elsewhere[1:] for value in (till.serial_card, till.gift_card)),
        ],
        "till": [till.public_id for till in elsewhere],
        "coupon_id": [member.coupon_id for member in members],
        "device": [member.device for member in members],
        "member_id": [first.public_id],  # the console shows all of the brand, so only the other brand's are foreign
        "till_id": [tills[0].public_id],
        "staff_id": [side.cashiers[0]],
        "link": [side.link],
        "digits": [side.digits],
        "staff": list(side.cashiers),
        **{f"wording_{name}": [public_id] for name, public_id in side.wordings.items()},
        "member": [first.rotating, f"HTTPS://LOCALHOST/M/{first.code}", first.code, first.spoken],
        "coupon": [first.coupon],
        "news": [side.news],
        "flag": [side.flag],
        "program": [side.program],
        "reward": [side.reward],
        "simulation": [side.simulation],
        "serial": [member.serial for member in members],
        "phone": [first.phone],
    }


def _nobodys(kind: str, value: str) -> str:
    if kind == "member":
        digits = ".000000" if "." in value else ""
        head = value[: value.index("/M/") + 3] if "/M/" in value else ""
        return head + ("Z" * (8 if len(value) == 8 else 16)) + digits
    made_up = {"slug": "nobrand", "outlet": "nowhere", "source": "outlet:nowhere", "digits": "999999"}
    made_up |= {"program": "no-program", "reward": "no-reward"}
    if kind in made_up:
        return made_up[kind]
    return f"/till/scan/{NOBODY}" if kind == "scan_path" else NOBODY[: len(value)].ljust(len(value), "Z")
