"""Give the tests of jobs their own kinds, a table for effects, and worker programs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from profitpeek.jobs import kinds


@pytest.fixture(autouse=True)
def _own_kinds(settings: Any) -> Iterator[None]:
    """Let this process know the tests' kinds."""
    settings.JOB_TABLE = "tests.jobs.table"
    kinds.table.cache_clear()
    yield
    kinds.table.cache_clear()


@pytest.fixture
def traces(transactional_db: None) -> Iterator[None]:
    """Make the table in which jobs leave their traces."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE test_effect (name text NOT NULL, pid int NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE test_effect")


@pytest.fixture
def worker_folder(tmp_path: Path) -> Path:
    """Return the folder a worker program writes to."""
    return tmp_path
