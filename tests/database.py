"""Give every test process a database of its own: a clone of one migrated template.

Loaded by `-p tests.database`, because the server's address has to be in the environment before
pytest-django reads the settings. `conftest.py` turns `cloned_database` into a fixture.

The template's name carries a digest of the models and migrations, so a change makes a new one and an
unchanged tree never migrates again.
"""

import hashlib
import os
import secrets
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from profitpeek import embedded_postgres, environment

TEMPLATE_PREFIX = "profitpeek_template_"
CLONE_PREFIX = "profitpeek_test_"
# An arbitrary number; whoever makes, clones or drops a template holds this advisory lock.
LOCK = 8_214_077
# What the schema depends on; installed apps bring migrations of their own, pinned by the lock file.
SCHEMA_FILES = ("*/migrations/*.py", "*/models.py", "*/models/*.py", "*/*/models.py", "*/sql/*.sql", "*/*/migrations/*.py")
SCHEMA_PINS = ("requirements.txt", "profitpeek/settings.py")

KEPT_TABLES = {"django_content_type", "auth_permission"}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Choose the database server before anything reads the settings."""
    # A person's .env is about the installation; the tests must not depend on it, nor reach its database.
    os.environ["PROFITPEEK_ENV_FILE"] = os.devnull
    options = early_config.known_args_namespace
    if not (os.environ.get("DATABASE_URL") or options.help or options.version):
        folder = environment.var_dir() / "postgres-test"
        embedded_postgres.exit_on_signals()
        membership = embedded_postgres.join(folder, flavour=embedded_postgres.DISPOSABLE)
        membership.leave_at_exit()
        # Workers of pytest-xdist inherit it: they live no longer than this process, which stays a member.
        os.environ["DATABASE_URL"] = membership.url()
    return (yield)


@contextmanager
def cloned_database(worker: str, *, rebuild: bool = False) -> Iterator[str]:
    """Point Django and child processes at a fresh clone, and drop it afterwards."""
    from django.conf import settings
    from django.db import connection

    clone = f"{CLONE_PREFIX}{worker}_{secrets.token_hex(4)}"
    base_name, base_url = connection.settings_dict["NAME"], os.environ["DATABASE_URL"]

    def point_to(name: str, url: str) -> None:
        connection.close()
        connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = name
        os.environ["DATABASE_URL"] = url

    # This connection's name on the server says that the clone is in use, see _drop_abandoned().
    with _maintenance(application_name=clone) as server:
        with _locked(server):
            template = _template(server, rebuild=rebuild)
            _drop_abandoned(server)
            _run(server, "CREATE DATABASE {} TEMPLATE {}", clone, template)
        point_to(clone, _url_of(base_url, clone))
        try:
            yield clone
        finally:
            point_to(base_name, base_url)
            _run(server, "DROP DATABASE {} WITH (FORCE)", clone)


def _template(server: psycopg.Connection, *, rebuild: bool) -> str:
    """Return the template of the present schema, migrated when there is none, and drop the others."""
    from django.core.management import call_command
    from django.db import connection

    name = TEMPLATE_PREFIX + _schema_digest()
    existing = _names(server, TEMPLATE_PREFIX)
    for old in existing:
        if old != name or rebuild:
            _run(server, "DROP DATABASE {} WITH (FORCE)", old)
    if name in existing and not rebuild:
        return name
    draft = f"{name}_draft"
    _run(server, "CREATE DATABASE {}", draft)
    base_name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = draft
    try:
        call_command("migrate", interactive=False, verbosity=0)
        _let_truncate(connection.connection)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = base_name
    # Only a complete template ever has the name that is looked for.
    _run(server, "ALTER DATABASE {} RENAME TO {}", draft, name)
    return name


def _let_truncate(connection: psycopg.Connection) -> None:
    """Disable the triggers that refuse TRUNCATE, which is how Django empties tables between tests."""
    found = connection.execute(
        r"SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname LIKE '%\_refuses\_truncate'"
    )
    for table, trigger in found.fetchall():
        connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER {}").format(sql.SQL(table), sql.Identifier(trigger)))


def empty_used_tables() -> None:
    """Delete what a test wrote; content types and permissions stay, which a migration makes and nothing else changes.

    Truncating every table, as Django does, takes longer than most tests. Neither the keys between tables nor the triggers that
    refuse to delete are asked, which is a superuser's right, and the embedded server's user is one; elsewhere Django's way stays.
    """
    from django.core.management import call_command
    from django.db import connection, transaction

    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone() != (True,):
            call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
            return
        names = sorted(set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT_TABLES)
        asked = [sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(name), sql.Identifier(name)) for name in names]
        cursor.execute(sql.SQL(" UNION ALL ").join(asked))
        used = [name for (name,) in cursor.fetchall()]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name in used:
            cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))


def _schema_digest() -> str:
    """Return a short digest of everything a migrated database depends on."""
    root = environment.BASE_DIR
    paths = {path for pattern in SCHEMA_FILES for path in root.glob(pattern)}
    digest = hashlib.sha256()
    for path in sorted(paths) + [root / name for name in SCHEMA_PINS]:
        relative = path.relative_to(root)
        if not relative.parts[0].startswith(".") and relative.parts[0] not in ("var", "tests"):
            digest.update(f"{relative}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _drop_abandoned(server: psycopg.Connection) -> None:
    """Drop clones whose test process is gone: nobody is connected under their name."""
    for clone in _names(server, CLONE_PREFIX):
        user = server.execute("SELECT 1 FROM pg_stat_activity WHERE application_name = %s LIMIT 1", [clone])
        if user.fetchone() is None:
            _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", clone)


def _maintenance(*, application_name: str) -> psycopg.Connection:
    """Connect to the database every server has, where databases are made and dropped."""
    from django.db import connection

    parameters = connection.get_connection_params()
    wanted = {"dbname", "host", "port", "user", "password", "sslmode", "sslrootcert"}
    kept = {name: value for name, value in parameters.items() if name in wanted}
    return psycopg.connect(**{**kept, "dbname": "postgres"}, application_name=application_name, autocommit=True)


@contextmanager
def _locked(server: psycopg.Connection) -> Iterator[None]:
    """Hold the lock on templates, for all test processes on this server."""
    server.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        yield
    finally:
        server.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _names(server: psycopg.Connection, prefix: str) -> list[str]:
    found = server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix])
    return [row[0] for row in found.fetchall()]


def _run(server: psycopg.Connection, statement: str, *names: str) -> None:
    server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _url_of(url: str, database: str) -> str:
    """Return the address of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(database)}"))
