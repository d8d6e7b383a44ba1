"""What tests of reporting share: a real cube."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from stage.cube import Stage, stage

from verbund.events.offices import get_office
from verbund.settings import DatabaseSettings


@pytest.fixture(scope="module")
def reporting_settings(templates: Any, request: pytest.FixtureRequest) -> Iterator[Callable[[str], DatabaseSettings]]:
    """Settings by role for one migrated database per module: to make one takes longer than most tests."""
    office, cluster = get_office("reporting"), templates.cluster
    name = f"reporting_of_{request.module.__name__.rpartition('.')[2]}"
    cluster.ensure_database(office, name, template=templates.get(office))
    yield (
        lambda role: (
            cluster.superuser(name) if role == "superuser" else cluster.settings(f"{office.package}_{role}", name)
        )
    )
    cluster.drop_database(name)


@pytest.fixture
async def cube(reporting_settings: Callable[[str], DatabaseSettings]) -> AsyncIterator[Stage]:
    """An empty cube, taken into by the reader's role and asked by the role of the web."""
    async with stage(reporting_settings) as found:
        await found.clear()
        yield found
