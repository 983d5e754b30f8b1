"""Write the database into one file, and read such a file into an empty database, with PostgreSQL's own programs."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from profitpeek.embedded_postgres.programs import installed

# What Django's connections have besides libpq's parameters; it does not say which server and database is meant.
_OF_PSYCOPG = {"autocommit", "context", "cursor_factory", "prepare_threshold", "row_factory"}
_LIBPQ = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
# Secrets, and the variables to tell them by: a command line is public. Of the rest every parameter is given there, since
# a variable counts less than a service file does, and Django's parameters count more.
_SECRET_VARIABLES = {"password": "PGPASSWORD"}
_SECRETS_WITHOUT_VARIABLE = {"oauth_client_secret", "scram_client_key", "scram_server_key", "sslpassword"}
# With these the connection may be open; the programs that come by pip know no other.
OPEN_MODES = ("", "disable", "allow", "prefer")
_RENAME = sql.SQL("ALTER DATABASE {} RENAME TO {}")
_MIGRATION = re.compile(r"^\d+\t([^\t]+)\t([^\t]+)\t", re.MULTILINE)
_DUMPED_FROM = re.compile(r"^;\s+Dumped from database version: (\d+)", re.MULTILINE)


class DumpRefused(Exception):
    """Say why a dump was not written or not read, and what to do; the database is as it was."""


class NotEmpty(DumpRefused):
    """Say that there is something in the database already."""


@dataclass(frozen=True)
class Dump:
    """What a file was found to hold."""

    path: Path
    server_version: int
    migrations: frozenset[tuple[str, str]]


def write(target: Path) -> None:
    """Write a whole dump, private to this user, or none."""
    # Private before the first byte is there, and of this backup alone: another one may be writing to the same target.
    handle, name = tempfile.mkstemp(prefix=f"{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    draft = Path(name)
    try:
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={draft}", failure="no backup was written")
        # A file that cannot be read again is no backup.
        inspect(draft)
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)


def inspect(path: Path) -> Dump:
    """Read a file from end to end and return what it holds; refuse what is no whole dump of an installation."""
    if not path.is_file():
        raise DumpRefused(f"There is no file {path}.")
    restore = program("pg_restore")
    listed = subprocess.run([restore, "--list", path], capture_output=True, text=True, check=False)
    if "unsupported version" in listed.stderr:
        raise DumpRefused(
            f"{path} was written by a newer pg_dump than this release has ({_last_line(listed.stderr)}). Restore it with a newer release."
        )
    if listed.returncode != 0:
        raise DumpRefused(f"{path} is not a backup, or its beginning is damaged ({_last_line(listed.stderr)}). Take another backup.")
    # The contents stand behind the list, so a cut file shows only when everything is read.
    whole = subprocess.run([restore, "--file=-", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if whole.returncode != 0:
        raise DumpRefused(f"{path} is cut or damaged ({_last_line(whole.stderr)}). Copy it again, or take another backup.")
    rows = subprocess.run([restore, "--data-only", "--table=django_migrations", "--file=-", path], capture_output=True, text=True, check=True)
    migrations = frozenset(_MIGRATION.findall(rows.stdout))
    if not any(app == "ledger" for app, _ in migrations):
        raise DumpRefused(f"{path} is a PostgreSQL dump, but not one of ProfitPeek: it has no ledger.")
    version = _DUMPED_FROM.search(listed.stdout)
    return Dump(path, int(version[1]) if version else 0, migrations)


def check_restorable(dump: Dump) -> None:
    """Refuse a dump that this code or this server is too old for."""
    if unknown := sorted(dump.migrations - set(MigrationLoader(None).disk_migrations)):
        app, name = unknown[-1]
        raise DumpRefused(
            f"{dump.path} was made by a newer release: it has {len(unknown)} migrations that this one does not know, such as {app}.{name}. "
            "Install that release, or a later one, and restore there."
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        (server,) = cursor.fetchone()
    if dump.server_version > server:
        raise DumpRefused(
            f"{dump.path} comes from PostgreSQL {dump.server_version}, and this server is PostgreSQL {server}. Use a server as new or newer."
        )


def restore(dump: Dump) -> None:
    """Read a dump into the database, all of it or nothing."""
    if tables := present_tables():
        raise NotEmpty(
            f"The database {connection.settings_dict['NAME']!r} is not empty: it has {len(tables)} tables and sequences, such as {tables[0]}. "
            "A backup is restored into an empty database only. Name one in DATABASE_URL, or add --force, "
            "which renames the present database, keeps it, and restores into a new one of its name."
        )
    connection.close()
    options = ("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
    _run("pg_restore", *options, str(dump.path), failure="nothing was restored")
    with connection.cursor() as cursor:
        # The planner knows nothing of new tables until they are looked at.
        cursor.execute("ANALYZE")


@contextmanager
def moved_aside(now: datetime) -> Iterator[str]:
    """Rename the database, put a new one in its place for the block, and put things back when the block fails.

    Yield the name under which the former one is kept; nobody but a person ever drops it.
    """
    name = str(connection.settings_dict["NAME"])
    former = f"{name}_before_{now:%Y%m%d_%H%M%S}"
    connection.close()
    with _maintenance() as server:
        try:
            server.execute(_RENAME.format(sql.Identifier(name), sql.Identifier(former)))
        except psycopg.errors.ObjectInUse as error:
            raise DumpRefused(f"Somebody else uses the database {name!r}. Stop the web server and the worker, and try again.") from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise DumpRefused(
                f"This user may not rename the database {name!r} ({_last_line(str(error))}). Name an empty one in DATABASE_URL."
            ) from error
        try:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            yield former
        except BaseException:
            connection.close()
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            server.execute(_RENAME.format(sql.Identifier(former), sql.Identifier(name)))
            raise


def _maintenance() -> psycopg.Connection:
    """Connect to the database that every server has besides, where others are made and renamed."""
    return psycopg.connect(make_conninfo(**{**_parameters(), "dbname": "postgres"}), autocommit=True)


def _parameters() -> dict[str, Any]:
    """Return what of Django's connection libpq is told, so that it reaches the same server; refuse what neither it nor we know."""
    given = {name: value for name, value in connection.get_connection_params().items() if value not in (None, "") and name not in _OF_PSYCOPG}
    # A dump is in the encoding of its database.
    given.pop("client_encoding", None)
    if unknown := sorted(given.keys() - _LIBPQ):
        raise DumpRefused(
            f"DATABASE_URL has the parameter {unknown[0]}, which PostgreSQL's programs do not know: they might reach another database than "
            "ProfitPeek does. Take it out of DATABASE_URL."
        )
    return given


def present_tables() -> list[str]:
    """Return the tables and the like that the database has of anybody's making."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1"""
        )
        return [name for (name,) in cursor.fetchall()]


def program(name: str) -> str:
    """Return the path of a program that can talk to the database's server."""
    mode = str(connection.get_connection_params().get("sslmode") or "")
    if mode in OPEN_MODES:
        return str(installed().path(name))
    found = shutil.which(name)
    if found is None:
        raise DumpRefused(f"The database wants TLS (sslmode={mode}), which ProfitPeek's own {name} cannot do. Install PostgreSQL's client programs.")
    return found


def _run(name: str, *arguments: str, failure: str) -> None:
    parameters = _parameters()
    if untold := sorted(parameters.keys() & _SECRETS_WITHOUT_VARIABLE):
        raise DumpRefused(
            f"DATABASE_URL has the parameter {untold[0]}, a secret that {name} could be given only where everybody on this machine can read it. "
            "Take a connection without it for this command."
        )
    variables = {variable: str(parameters.pop(each)) for each, variable in _SECRET_VARIABLES.items() if each in parameters}
    role = connection.settings_dict["OPTIONS"].get("assume_role")
    where = [f"--dbname={make_conninfo(**parameters)}", *([f"--role={role}"] if role else [])]
    done = subprocess.run([program(name), *where, *arguments], env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DumpRefused(f"{name} failed and {failure}:\n{done.stderr.strip()}")


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
