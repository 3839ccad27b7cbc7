"""Fixtures of the races."""

from tests.races.world import unlocked as unlocked
from tests.races.world import world as world
