"""Give each test of the platform a cluster's folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.clusters import open_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield a folder in which a cluster does not exist yet."""
    with open_folder() as made:
        yield made / "postgres"
