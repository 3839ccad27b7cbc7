"""Two brands side by side, built once for each worker; each test works on copies."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.walls.harness import Wall, standing
from tests.walls.world import World, build


@pytest.fixture(scope="session")
def world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two brands with everything that a door can name, as they are at one moment."""
    folder = tmp_path_factory.mktemp("world")
    path = folder / "world.db"
    shutil.copy(sqlite_template, path)
    return build(path, folder)


@pytest.fixture
def wall(world: World, tmp_path: Path) -> Iterator[Wall]:
    """The service over a copy of the two brands, at their moment."""
    with standing(world, tmp_path) as found:
        yield found
