"""What an account holds, told without sums or tables: every unit is a thing of its own that is moved by hand."""

from collections.abc import Iterable
from dataclasses import dataclass, field

DAY = 1440  # minutes; moments are minutes
Shown = tuple[int, int | None, bool]  # what is left, the minute of expiry, whether it is pending


@dataclass(eq=False)
class Lot:
    """What units have in common that came together."""

    home: "Units"
    entry_id: int
    age: int
    expires: int | None
    pending: bool = False
    release: int | None = None
    origin: int | None = None  # the entry that first brought it, where that is another one

    def __lt__(self, other: "Lot") -> bool:
        """Tell which is used first."""
        return self._order() < other._order()

    @property
    def first(self) -> int:
        """Return the entry that first brought it."""
        return self.entry_id if self.origin is None else self.origin

    def _order(self) -> tuple[bool, int, int]:
        return self.expires is None, self.expires or 0, self.age


@dataclass(eq=False)
class Take:
    """What was taken: one place for each unit, with the lot it came from, or None while it is owed."""

    places: list[Lot | None]
    own: int | None = None  # the entry that it takes back

    @property
    def owed(self) -> int:
        """Return how many of its units nobody has given yet."""
        return self.places.count(None)


@dataclass(eq=False)
class Units:
    """An account: the lot of every unit that is there, and who is still owed some."""

    units: list[Lot] = field(default_factory=list)
    takes: list[Take] = field(default_factory=list)
    made: list[int] = field(default_factory=lambda: [0])  # how many lots there ever were, in all accounts
    expired: dict[int, int] = field(default_factory=dict)  # the entry that brought units → how many ended unused

    def lot(
        self, entry_id: int, expires: int | None, *, pending: bool = False, release: int | None = None,
        origin: int | None = None,
    ) -> Lot:  # fmt: skip
        """Make a lot without units."""
        self.made[0] += 1
        return Lot(self, entry_id, self.made[0], expires, pending, release, origin)

    def arrive(self, units: Iterable[Lot]) -> None:
        """Let units come; those that can be spent go to whom they are owed, the oldest first."""
        self.units += units
        for take in self.takes:
            while take.owed and (unit := self._best(take.own, pending=False)):
                take.places[take.places.index(None)] = unit

    def take(self, amount: int, own: int | None = None, of: int | None = None) -> Take:
        """Take units one by one, those of its own lot first, pending or not, then those that end at a moment."""
        take = Take([], own)
        for _unit in range(amount):
            take.places.append(self._best(own, pending=True, of=of))
        self.takes.append(take)
        return take

    def put_back(self, take: Take, amount: int, entry_id: int, *, now: int, grace: int) -> None:
        """Return units one by one: what is owed is forgotten, then whatever would have lived longest."""
        new: dict[Lot, Lot] = {}
        come = []
        for _unit in range(amount):
            lot = None if take.owed else max(place for place in take.places if place)
            take.places.remove(lot)
            if lot is None:
                continue
            over = lot.expires is not None and lot.expires <= now
            if over or lot.home is not self:
                if lot not in new:
                    ends = now + grace * DAY if over else lot.expires
                    new[lot] = self.lot(entry_id, ends, pending=lot.pending, release=lot.release, origin=lot.first)
                lot = new[lot]
            come.append(lot)
        self.arrive(come)

    def release(self, lot: Lot) -> None:
        """Make a lot spendable."""
        lot.pending = False
        self.arrive([])

    def ripen(self, now: int, lots: Iterable[Lot] | None = None) -> None:
        """Release what waits for a moment that has come, unless it ended before."""
        waiting = [lot for lot in (self.lots() if lots is None else lots) if lot.pending and lot.release is not None]
        for lot in sorted(waiting, key=lambda lot: lot.release or 0):
            if (lot.release or 0) <= now and (lot.expires is None or (lot.release or 0) < lot.expires):
                self.release(lot)

    def end(self, now: int) -> None:
        """Let go what is over; what was to be released before that pays what is owed first."""
        over = [lot for lot in self.lots() if lot.expires is not None and lot.expires <= now]
        self.ripen(now, over)
        for lot in self.units:
            if lot in over:
                self.expired[lot.first] = self.expired.get(lot.first, 0) + 1
        self.units = [lot for lot in self.units if lot not in over]

    def hand_over(self, into: "Units", entry_id: int) -> None:
        """Give everything to another account, what is owed first."""
        owed = sum(take.owed for take in self.takes)
        if owed:
            self.arrive([self.lot(entry_id, None)] * owed)
            into.take(owed)
        new: dict[Lot, Lot] = {}
        for lot in sorted(self.units):
            if lot not in new:
                new[lot] = into.lot(entry_id, lot.expires, pending=lot.pending, release=lot.release, origin=lot.first)
        units, self.units = self.units, []
        into.expired |= self.expired  # of entries that the other account does not know
        into.arrive(new[lot] for lot in units)

    def holds(self) -> tuple[int, int]:
        """Return balance and pending."""
        pending = sum(lot.pending for lot in self.units)
        return len(self.units) - pending - sum(take.owed for take in self.takes), pending

    def lots(self) -> list[Lot]:
        """Return the lots with units in them, in the order of use."""
        return sorted(set(self.units))

    def shown(self) -> list[Shown]:
        """Return what is left in each lot."""
        return [(self.units.count(lot), lot.expires, lot.pending) for lot in self.lots()]

    def _best(self, own: int | None, *, pending: bool, of: int | None = None) -> Lot | None:
        mine = [lot for lot in self.units if own is not None and lot.first == own and (pending or not lot.pending)]
        free = mine or [lot for lot in self.units if not lot.pending]
        if not free:
            return None
        best = min([lot for lot in free if of is not None and lot.expires == of] or free)
        self.units.remove(best)
        return best
