"""Two brands side by side, built once for each worker; each call works on them as they were built."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.places import quick_folder
from tests.walls.harness import Wall
from tests.walls.world import World, build


@pytest.fixture(scope="session")
def world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two brands with everything that a door can name, as they are at one moment."""
    folder = tmp_path_factory.mktemp("world")
    path = folder / "world.db"
    shutil.copy(sqlite_template, path)
    return build(path, folder)


@pytest.fixture(scope="session")
def wall(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wall]:
    """The service over the two brands."""
    with quick_folder(tmp_path_factory.mktemp("wall")) as folder:
        wall = Wall(world, folder / "leima.db")
        yield wall
        wall.close()


@pytest.fixture(scope="session")
def open_wall(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wall]:
    """The same without the engine's guard, for the broken twin."""
    with quick_folder(tmp_path_factory.mktemp("open")) as folder:
        wall = Wall(world, folder / "leima.db", guard_walls=False)
        yield wall
        wall.close()
