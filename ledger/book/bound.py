"""Run statements whose parameters are large: they go beside the statement instead of into its text, as Django's cursors would have it.

Written into the text, every byte of them is quoted here and read by PostgreSQL's parser there.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection


def run(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement on Django's default connection and return its rows, if it has any; raises Django's database errors.

    The type of each parameter is what the statement casts it to.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description is not None else []
