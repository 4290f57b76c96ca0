"""The scene of every attack: made once for each database, and copied."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.attack.forging import LOOKING, Scene, scene
from tests.attack.verdicts import Seen, judged
from tests.world import World


@pytest.fixture(scope="session")
def scenes(store_copy: Callable[[str], str], keys_folder: Path) -> Callable[[str], Scene]:
    """The scene on a kind of database; its world is closed."""
    made: dict[str, Scene] = {}

    def find(kind: str) -> Scene:
        if kind not in made:
            world = World(store_copy(kind), keys_folder)
            made[kind] = scene(world)
            world.close()
        return made[kind]

    return find


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def store_kind(request: pytest.FixtureRequest) -> str:
    """The attacks are many, and what they meet is ours and no database's: PostgreSQL's turn comes with --long."""
    return str(request.param)


@pytest.fixture
def before(
    request: pytest.FixtureRequest,
    store_kind: str,
    scenes: Callable[[str], Scene],
    copy_of: Callable[[str], str],
) -> Iterator[Scene]:
    """What there is before an attack; what was forged is given to the audit, too, whose verdict is in a table."""
    found = scenes(store_kind)
    world = World(copy_of(found.world.url), found.world.folder)
    world.authority.holder = found.world.authority.holder  # the copy holds its lease
    scene, seen = replace(found, world=world), Seen()
    LOOKING.append(seen.look)
    yield scene
    LOOKING.remove(seen.look)
    seen.look(world)
    wrong = judged(request.node, store_kind, seen, scene)
    world.close()
    assert wrong is None, wrong
