"""Measure how fast a delivery is answered, durably, beside Starlette with psycopg's asynchronous pool in the same run; and that a flood loses none.

Run with `make bench ARGS=tests/benchmarks/bench_webhooks.py`. `BENCH_STARLETTE=/path/to/python` names an interpreter with starlette,
uvicorn[standard] and psycopg[binary,pool]. The database is one of its own with everything that makes a commit durable. `BENCH_SECONDS` (4) is how
long each round lasts, of which there are three, and `BENCH_FLOOD` (60) how long four times as many connections ring as the front has threads.
Two processes each; whoever rings shares the machine's cores with them, so that CPU a delivery tells more than deliveries a second.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import psycopg
import pytest

from profitpeek import embedded_postgres
from profitpeek.environment import BASE_DIR
from tests.benchmarks.bench_jobs import cpu_of
from tests.platform.clusters import open_folder, wait_until

SECONDS, FLOOD, ROUNDS = float(os.environ.get("BENCH_SECONDS", "4")), float(os.environ.get("BENCH_FLOOD", "60")), 3
SECRET, CONNECTIONS = "the-client-secret", 16
SETUP = """
from datetime import UTC, datetime
from tests.builders import a_store
from tests.connectors.webhooks.ringing import connected_to_shopify, path_of
print(path_of(connected_to_shopify(a_store(currency="USD"))))
"""


class Measured(NamedTuple):
    """What one round told: deliveries a second, milliseconds, and microseconds of CPU a delivery."""

    per_second: float
    p50: float
    p99: float
    app: float
    database: float
    done: int


@pytest.fixture
def database() -> Iterator[embedded_postgres.Membership]:
    with open_folder() as folder:
        membership = embedded_postgres.join(folder / "postgres")
        yield membership
        membership.leave()


@contextmanager
def served(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    """Run a web server on a socket of ours; yield the port and the program."""
    with socket.create_server(("127.0.0.1", 0), backlog=2_048) as listener, (folder / "web.log").open("ab") as log:
        fd = listener.fileno()
        program = psutil.Popen(
            [part.format(fd=fd) for part in command], cwd=BASE_DIR / "tests/benchmarks" if "uvicorn" in command else BASE_DIR,
            env={**os.environ, **environment}, stdout=log, stderr=log, pass_fds=[fd],
        )  # fmt: skip
        port = listener.getsockname()[1]
        try:
            wait_until(lambda: len(program.children()) >= 2, seconds=60)
            ring(port, "/warm", 2, 1.0, "warm")
            yield port, program
        finally:
            program.terminate()
            program.wait(timeout=30)


def ring(port: int, path: str, connections: int, seconds: float, name: str) -> dict[str, Any]:
    """Ring from a program of its own."""
    asked = ["127.0.0.1", str(port), path, SECRET, str(connections), str(seconds), name]
    done = subprocess.run(
        [sys.executable, "tests/benchmarks/ringing.py", *asked], cwd=BASE_DIR, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def measured(port: int, path: str, program: psutil.Process, server: psutil.Process, name: str) -> Measured:
    """Ring for one round."""
    before = cpu_of(program), cpu_of(server)
    told = ring(port, path, CONNECTIONS, SECONDS, name)
    after = cpu_of(program), cpu_of(server)
    assert set(told["statuses"]) == {"200"}, told
    done = told["statuses"]["200"]
    app, database = ((after[each] - before[each]) / done * 1e6 for each in (0, 1))
    return Measured(told["per_second"], told["p50"], told["p99"], app, database, done)


def say(line: str) -> None:
    """Print a line."""
    print(line, flush=True)  # noqa: T201


def bench_webhooks(database: embedded_postgres.Membership, tmp_path: Path) -> None:
    url = database.url()
    ours = {"DATABASE_URL": url, "PROFITPEEK_VAR": str(tmp_path / "var"), "DJANGO_SETTINGS_MODULE": "profitpeek.settings"}
    for command in (["migrate", "--verbosity=0"], ["shell", "--no-imports", "-c", SETUP]):
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=BASE_DIR, env={**os.environ, **ours}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    path = done.stdout.split()[-1]
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", "python:profitpeek.web_server", "profitpeek.wsgi:application", "--bind", "fd://{fd}"]
    front = {**ours, "WEB_CONCURRENCY": "2", "WEB_THREADS": "4", "LOG_LEVEL": "WARNING"}
    peer = os.environ.get("BENCH_STARLETTE")
    uvicorn = [str(peer), "-m", "uvicorn", "starlette_peer:app", "--workers", "2", "--fd", "{fd}", "--log-level", "warning", "--no-access-log"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE peer_delivery (id text PRIMARY KEY, topic text, shop text, body bytea, at timestamptz DEFAULT now())")
        server = psutil.Process(connection.info.backend_pid).parent()
        assert server is not None
        rounds: dict[str, list[Measured]] = {"starlette": [], "ours": []}
        for each in range(ROUNDS):
            if peer:
                with served(uvicorn, {"PEER_SECRET": SECRET, "PEER_DATABASE": url}, tmp_path) as (port, program):
                    rounds["starlette"].append(measured(port, "/", program, server, f"s{each}"))
            with served(gunicorn, front, tmp_path) as (port, program):
                rounds["ours"].append(measured(port, path, program, server, f"o{each}"))
        say(f"\nload {os.getloadavg()[0]:.1f}, {CONNECTIONS} connections, medians of {ROUNDS} rounds of {SECONDS:.0f} s")
        medians = {name: Measured(*map(statistics.median, zip(*told, strict=True))) for name, told in rounds.items() if told}
        for name, told in medians.items():
            say(
                f"{name:>10}: {told.per_second:6,.0f} a second, p50 {told.p50:5.1f} ms, p99 {told.p99:6.1f} ms, "
                f"CPU {told.app:5.0f} us and the database's {told.database:4.0f} us a delivery"
            )
        if peer:
            one, other = medians["ours"], medians["starlette"]
            say(
                f"     ratio: {one.per_second / other.per_second:.2f} (goal 0.70), p99 {one.p99 / other.p99:.1f} x (goal 3), "
                f"CPU {one.app / other.app:.2f} x, database {one.database:.0f} us (goal 300)"
            )
        with served(gunicorn, front, tmp_path) as (port, _):
            told = ring(port, path, 8 * CONNECTIONS, FLOOD, "flood")
        query = "SELECT count(*) FROM connectors_webhookdelivery WHERE delivery_id LIKE %s"
        (rows,) = connection.execute(query, ["flood-%"]).fetchone() or (0,)
        answered = told["statuses"].get("200", 0)
        say(
            f"flood of {FLOOD:.0f} s over {8 * CONNECTIONS} connections: {told['per_second']:,.0f} a second, answers {told['statuses']}, "
            f"p99 {told['p99']:,.0f} ms; rows {rows:,}, lost {answered - min(answered, rows):,}"
        )
        (jobs,) = connection.execute("SELECT count(*) FROM jobs_job WHERE kind = 'follow-deliveries'").fetchone() or (0,)
        say(f"jobs that wait for all that: {jobs}")
        assert rows >= answered
