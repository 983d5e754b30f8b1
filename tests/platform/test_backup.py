"""Test that a backup brings everything back, exactly, and that nothing is restored that should not be."""

import json
import os
import secrets
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg import sql

from profitpeek.embedded_postgres.programs import installed
from profitpeek.environment import BASE_DIR
from tests.platform.clusters import wait_until

pytestmark = pytest.mark.slow

FIELD_KEY = Fernet.generate_key().decode()
ORDERS = Path(__file__).with_name("order-lines.csv")
TEMPLATE = "generic-order-lines"


def url_of(database: str) -> str:
    """Return the address of a database on the tests' server."""
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{quote(database)}"))


@contextmanager
def new_database(*, like: str = "template1") -> Iterator[str]:
    """Make an empty database, or a copy of another, and drop it afterwards with whatever was moved aside for it."""
    name = f"pp_backup_{secrets.token_hex(4)}"
    with psycopg.connect(url_of("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(like)))
        try:
            yield url_of(name)
        finally:
            for (each,) in server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name]).fetchall():
                server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(each)))


def start(url: str, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
    """Start a program of this project on a database."""
    environment = {**os.environ, "DATABASE_URL": url, "FIELD_KEYS": FIELD_KEY, "PROFITPEEK_ENV_FILE": os.devnull, **variables}
    return subprocess.Popen([sys.executable, *arguments], cwd=BASE_DIR, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def manage(url: str, *arguments: str, **variables: str) -> str:
    """Run a command and return what it printed."""
    process = start(url, "manage.py", *arguments, **variables)
    said, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    return said


def refusal(url: str, *arguments: str, **variables: str) -> str:
    """Run a command that must fail, and return why it says it did."""
    process = start(url, "manage.py", *arguments, **variables)
    _, error = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "Traceback" not in error
    return error.strip()


def contents(url: str) -> dict[str, list[tuple]]:
    """Return every row of every table, every sequence, trigger, constraint, index and extension."""
    with psycopg.connect(url) as connection:

        def rows(query: str) -> list[tuple]:
            return connection.execute(query).fetchall()

        tables = [name for (name,) in rows("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]
        found = {name: rows(f"SELECT t::text FROM {name} t ORDER BY 1") for name in tables}
        found["sequences"] = rows("SELECT sequencename, last_value FROM pg_sequences ORDER BY 1")
        found["triggers"] = rows("SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1")
        # The server writes the casts of a list (IN) differently once it has read its own words again.
        plain = r"regexp_replace({}, '::(text|character varying)(\[\])?|[()]', '', 'g')"
        constraint = plain.format("pg_get_constraintdef(oid)")
        found["constraints"] = rows(f"SELECT conrelid::regclass::text, conname, {constraint} FROM pg_constraint ORDER BY 1, 2")
        found["indexes"] = rows(f"SELECT {plain.format('indexdef')} FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1")
        found["extensions"] = rows("SELECT extname FROM pg_extension ORDER BY 1")
    return found


def pnl(url: str) -> dict:
    """Return the demo store's profit statement."""
    return json.loads(manage(url, "pnl", "demo", "--from", "2025-11-01", "--to", "2026-12-31", "--json"))


@pytest.fixture(scope="module")
def migrated() -> Iterator[str]:
    """Yield the name of a database that has its tables, to be copied."""
    with new_database() as url:
        manage(url, "migrate", "--verbosity=0")
        yield urlsplit(url).path.lstrip("/")


@pytest.fixture(scope="module")
def filled(migrated: str) -> Iterator[str]:
    """Yield a database with a store, its books and its archive in it."""
    with new_database(like=migrated) as url:
        manage(url, "create_store", "demo", "--name=Demo", "--currency=EUR", "--timezone=Europe/Dublin")
        manage(url, "import_file", "demo", str(ORDERS), "--kind=order-lines", f"--template={TEMPLATE}")
        yield url


@pytest.fixture(scope="module")
def dump(filled: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a backup of it."""
    target = tmp_path_factory.mktemp("backup") / "whole.dump"
    manage(filled, "backup", f"--output={target}")
    return target


def test_restored_database_is_the_same_to_the_last_row_and_goes_on_posting(filled: str, dump: Path, tmp_path: Path) -> None:
    with new_database() as url:
        assert manage(url, "restore", str(dump)) == f"Restored {dump}; its tables are up to date.\n"
        assert contents(url) == contents(filled)
        assert pnl(url) == pnl(filled)
        manage(url, "books", "audit", "demo")
        with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.RestrictViolation, match="ledger_entry is append-only: DELETE refused"):
            connection.execute("DELETE FROM ledger_entry")
        before, sold = pnl(url), tmp_path / "one.csv"
        sold.write_text("order,date,sku,title,quantity,unit_price,customer,country\n9001,2026-06-01 10:00:00,MUG,Mug,2,21.00,K1,Germany\n")
        manage(url, "import_file", "demo", str(sold), "--kind=order-lines", f"--template={TEMPLATE}")
        manage(url, "books", "audit", "demo")
        assert Decimal(pnl(url)["gross_sales"]) == Decimal(before["gross_sales"]) + 42


def test_backup_is_private_and_says_loudly_that_the_keys_are_not_in_it(filled: str, tmp_path: Path) -> None:
    target = tmp_path / "a.dump"
    said = manage(filled, "backup", f"--output={target}")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert "The keys are NOT in it. Without FIELD_KEYS (in var/secrets.env) its archives" in said
    assert [path.name for path in tmp_path.iterdir()] == ["a.dump"]
    assert FIELD_KEY.encode() not in target.read_bytes()
    assert refusal(filled, "backup", f"--output={target}") == f"CommandError: {target} exists already. Name another file."


def test_keys_are_written_beside_the_backup_when_asked_for(filled: str, tmp_path: Path) -> None:
    manage(filled, "backup", f"--output={tmp_path / 'a.dump'}", "--with-keys", SECRET_KEY="signs")
    keys = tmp_path / "a.keys.env"
    assert keys.read_text() == f"SECRET_KEY=signs\nFIELD_KEYS={FIELD_KEY}\n"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600


def test_nothing_is_dumped_where_the_file_for_the_keys_is_there_already(filled: str, tmp_path: Path) -> None:
    keys = tmp_path / "a.keys.env"
    keys.write_text("of another backup")
    said = refusal(filled, "backup", f"--output={tmp_path / 'a.dump'}", "--with-keys")
    assert said == f"CommandError: {keys} exists already. Name another file."
    assert [path.name for path in tmp_path.iterdir()] == ["a.keys.env"]
    assert keys.read_text() == "of another backup"


def test_two_backups_to_one_target_do_not_write_into_each_others_draft(filled: str, tmp_path: Path) -> None:
    target = tmp_path / "a.dump"
    draft = target.with_name("a.dump.part")
    draft.write_text("somebody else's")
    both = [start(filled, "manage.py", "backup", f"--output={target}") for _ in range(2)]
    ends = [(process.communicate(timeout=300)[1], process.returncode)[1] for process in both]
    assert ends.count(0) >= 1
    assert draft.read_text() == "somebody else's"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.dump", "a.dump.part"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def with_parameters(url: str, **parameters: str) -> str:
    """Return the address of a database with parameters of the connection besides."""
    return urlunsplit(urlsplit(url)._replace(query=urlencode({**dict(parse_qsl(urlsplit(url).query)), **parameters}, quote_via=quote)))


def test_parameter_nobody_knows_is_refused_in_words(filled: str, dump: Path, tmp_path: Path) -> None:
    url = with_parameters(filled, tenant="seven")
    said = refusal(url, "backup", f"--output={tmp_path / 'a.dump'}")
    assert said == (
        "CommandError: DATABASE_URL has the parameter tenant, which PostgreSQL's programs do not know: they might reach another database than "
        "ProfitPeek does. Take it out of DATABASE_URL."
    )
    assert list(tmp_path.iterdir()) == []


def test_secret_that_would_stand_on_the_command_line_is_refused(filled: str, tmp_path: Path) -> None:
    said = refusal(with_parameters(filled, sslpassword="told"), "backup", f"--output={tmp_path / 'a.dump'}")
    assert "has the parameter sslpassword, a secret that pg_dump could be given only where everybody" in said
    assert "told" not in said


def test_backup_and_restore_reach_the_server_that_django_does(filled: str, tmp_path: Path) -> None:
    services = tmp_path / "services.conf"
    # A service of the environment counts less than what DATABASE_URL says, and more than the other variables.
    services.write_text("[elsewhere]\nhost=/nowhere\ndbname=template1\n")
    elsewhere = {"PGSERVICE": "elsewhere", "PGSERVICEFILE": str(services), "PGOPTIONS": "-c search_path=nowhere"}
    target = tmp_path / "a.dump"
    with new_database() as url:
        manage(with_parameters(filled, options="-c search_path=public"), "backup", f"--output={target}", **elsewhere)
        manage(with_parameters(url, options="-c search_path=public"), "restore", str(target), "--force", **elsewhere)
        assert contents(url) == contents(filled)


def test_restore_looks_at_all_that_is_sealed(filled: str, tmp_path: Path) -> None:
    lost = Fernet(Fernet.generate_key()).encrypt(b"sealed with a key nobody has").decode()
    changes = {
        "the oldest payload": ("UPDATE connectors_rawpayload SET body = %s WHERE id = (SELECT min(id) FROM connectors_rawpayload)", [lost.encode()]),
        "a piece that waits": (
            "INSERT INTO connectors_filepiece (file_import_id, number, body) SELECT max(id), 1, %s FROM connectors_fileimport", [lost.encode()]
        ),
        "a second factor": (
            "INSERT INTO mfa_authenticator (type, data, user_id, created_at) SELECT 'totp', %s, max(id), now() FROM auth_user",
            [json.dumps({"secret": lost})],
        ),
    }  # fmt: skip
    for name, (change, values) in changes.items():
        with new_database() as source, new_database() as url:
            whole, hurt = tmp_path / f"{name}.whole", tmp_path / f"{name}.hurt"
            manage(filled, "backup", f"--output={whole}")
            manage(source, "restore", str(whole))
            with psycopg.connect(source) as connection:
                connection.execute(
                    "INSERT INTO auth_user (username, password, email, first_name, last_name, is_superuser, is_staff, is_active, date_joined) "
                    "VALUES ('a', '', '', '', '', false, false, true, now())"
                )
                connection.execute(
                    "INSERT INTO connectors_rawpayload (file_import_id, stream, number, body, sha256, orders) "
                    "SELECT file_import_id, stream, number + 1, body, sha256, orders FROM connectors_rawpayload ORDER BY id DESC LIMIT 1"
                )
                assert connection.execute(change, values).rowcount == 1, name
            manage(source, "backup", f"--output={hurt}")
            said = refusal(url, "restore", str(hurt))
            assert said.startswith("CommandError: The database is restored, but FIELD_KEYS are not the ones"), name


def test_restore_with_other_keys_says_which_ones_are_needed(dump: Path) -> None:
    with new_database() as url:
        said = refusal(url, "restore", str(dump), FIELD_KEYS=Fernet.generate_key().decode())
        assert said.startswith("CommandError: The database is restored, but FIELD_KEYS are not the ones its archives were sealed with")
        assert pnl(url)["orders"] > 0


def test_database_that_is_not_empty_is_refused_and_stays_as_it_is(filled: str, dump: Path) -> None:
    before = contents(filled)
    said = refusal(filled, "restore", str(dump))
    assert "is not empty: it has" in said
    assert "A backup is restored into an empty database only. Name one in DATABASE_URL, or add --force" in said
    assert contents(filled) == before


def test_forced_restore_keeps_the_former_database_under_another_name(dump: Path) -> None:
    with new_database() as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE former AS SELECT 7 AS seven")
        with psycopg.connect(url):
            assert "Somebody else uses the database" in refusal(url, "restore", str(dump), "--force")
        said = manage(url, "restore", str(dump), "--force")
        former = said.partition("DROP DATABASE ")[2].strip(";\n")
        with psycopg.connect(url_of(former)) as connection:
            assert connection.execute("SELECT seven FROM former").fetchone() == (7,)
        assert pnl(url)["orders"] > 0


def test_forced_restore_that_fails_puts_the_former_database_back(dump: Path) -> None:
    with new_database() as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE former AS SELECT 7 AS seven")
        hurt = dump.with_name("hurt.dump")
        hurt.write_bytes(dump.read_bytes()[:-2000])
        assert "is cut or damaged" in refusal(url, "restore", str(hurt), "--force")
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT seven FROM former").fetchone() == (7,)


@pytest.mark.parametrize(("kept", "message"), [(0.02, "is not a backup, or its beginning is damaged"), (0.7, "is cut or damaged")])
def test_cut_file_is_refused_before_anything_is_written(dump: Path, tmp_path: Path, kept: float, message: str) -> None:
    cut = tmp_path / "cut.dump"
    cut.write_bytes(dump.read_bytes()[: int(dump.stat().st_size * kept)])
    with new_database() as url:
        assert message in refusal(url, "restore", str(cut))
        assert sum(len(rows) for name, rows in contents(url).items() if name != "extensions" and name != "constraints") == 0


def test_file_that_is_no_dump_of_this_product_is_refused(tmp_path: Path) -> None:
    with new_database() as other, new_database() as url:
        with psycopg.connect(other) as connection:
            connection.execute("CREATE TABLE somebody_elses AS SELECT 1 AS one")
        foreign = tmp_path / "foreign.dump"
        subprocess.run([installed().path("pg_dump"), "--format=custom", f"--file={foreign}", f"--dbname={other}"], check=True)
        assert refusal(url, "restore", str(foreign)) == f"CommandError: {foreign} is a PostgreSQL dump, but not one of ProfitPeek: it has no ledger."
        text = tmp_path / "text.dump"
        text.write_text("-- PostgreSQL database dump\n")
        assert "is not a backup, or its beginning is damaged" in refusal(url, "restore", str(text))
        assert refusal(url, "restore", str(tmp_path / "none")) == f"CommandError: There is no file {tmp_path / 'none'}."


def test_dump_of_a_newer_pg_dump_is_refused_in_words(dump: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer.dump"
    written = bytearray(dump.read_bytes())
    # "PGDMP", then the version of the format: 1.16 becomes 1.99.
    written[6] = 99
    newer.write_bytes(written)
    with new_database() as url:
        assert "was written by a newer pg_dump than this release has" in refusal(url, "restore", str(newer))


def test_dump_of_a_newer_release_is_refused_and_one_of_an_older_is_brought_up_to_date(migrated: str, tmp_path: Path) -> None:
    with new_database(like=migrated) as source, new_database() as url:
        manage(source, "migrate", "jobs", "zero", "--verbosity=0")
        older, newer = tmp_path / "older.dump", tmp_path / "newer.dump"
        manage(source, "backup", f"--output={older}")
        with psycopg.connect(source) as connection:
            connection.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('ledger', '9999_later', now())")
        manage(source, "backup", f"--output={newer}")
        assert refusal(url, "restore", str(newer)) == (
            f"CommandError: {newer} was made by a newer release: it has 1 migrations that this one does not know, such as ledger.9999_later. "
            "Install that release, or a later one, and restore there."
        )
        manage(url, "restore", str(older))
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM jobs_job").fetchone() == (0,)


def test_backup_taken_while_orders_are_posted_is_sound(migrated: str, tmp_path: Path) -> None:
    with new_database(like=migrated) as source, new_database() as url:
        posting = start(source, "-m", "tests.races.recorder", "record")
        assert posting.stdout is not None
        assert posting.stdout.readline() == "0\n"
        # Held back until the dump is about to begin, so that it goes on under the dump's eyes.
        posting.send_signal(signal.SIGSTOP)
        target = tmp_path / "midway.dump"
        backup = start(source, "manage.py", "backup", f"--output={target}")
        assert wait_until(lambda: bool([*tmp_path.glob("midway.dump.*.part")]))
        posting.send_signal(signal.SIGCONT)
        assert (backup.communicate(timeout=300)[1], posting.communicate(timeout=300)[1]) == ("", "")
        manage(url, "restore", str(target))
        manage(url, "books", "audit", "killed")
        # Taken midway: the restored book is one that stood at some batch, and the load makes it whole.
        with psycopg.connect(url) as restored, psycopg.connect(source) as complete:
            query = "SELECT last_seq FROM ledger_book"
            assert 0 < restored.execute(query).fetchone()[0] < complete.execute(query).fetchone()[0]
        again = start(url, "-m", "tests.races.recorder", "record")
        again.communicate(timeout=300)
        reports = [start(each, "-m", "tests.races.recorder", "report").communicate(timeout=120)[0] for each in (url, source)]
        assert json.loads(reports[0]) == json.loads(reports[1])


def test_database_that_wants_tls_needs_the_systems_own_programs(tmp_path: Path) -> None:
    said = refusal("postgresql://u@db.example.com/x?sslmode=require", "backup", f"--output={tmp_path / 'a.dump'}", PATH="")
    assert said == (
        "CommandError: The database wants TLS (sslmode=require), which ProfitPeek's own pg_dump cannot do. Install PostgreSQL's client programs."
    )
