"""The pick of a surprise: by a stored seed, so that anybody can check it later."""

import hashlib
from collections.abc import Sequence


def pick(seed: str, rule_name: str, weights: Sequence[int]) -> int:
    """Return the index that a seed picks from a weighted list.

    The SHA-256 of `seed:rule_name` (UTF-8), read as a whole number, big end first, modulo the sum of the weights, is a
    place on the weights laid end to end; the pick is the one that it falls on. With 256 bits the modulo favors nobody
    by more than one in 10**60.

    Args:
        seed: hexadecimal, stored by the caller before anybody can know what it picks.
        rule_name: so that two surprises of one purchase do not go together.
        weights: whole numbers of 1 or more.

    Raises:
        ValueError: without a seed nobody could check the pick.
    """
    if not seed:
        raise ValueError("a surprise needs a stored seed")
    digest = hashlib.sha256(f"{seed}:{rule_name}".encode()).digest()
    place = int.from_bytes(digest, "big") % sum(weights)
    for index, weight in enumerate(weights):
        if place < weight:
            return index
        place -= weight
    raise ValueError("weights must be whole numbers of 1 or more")
