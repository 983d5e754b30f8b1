"""Let a business live at high speed while everything breaks, and find every figure equal to the truth at the end.

Worker and web server are killed at random (`kill -9`), Shopify fails, throttles, loses, repeats, reorders and forges. A
few days of it run with the suite. A quarter, with the database killed, too: SOAK=1 make test ARGS=tests/soak; SOAK_SEED=… for
another course, SOAK_SPEED=… for another speed. It prints what was killed and lost, and what the workers held in memory.
"""

import os
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from msgspec import structs

from connectors.models import Connection
from connectors.reading import runs
from connectors.reading.sync_tasks import submit_comparison, submit_stream
from connectors.registry import find
from connectors.sandbox.clock import Clock
from connectors.sandbox.index import moment, seconds
from connectors.sandbox.living import Living
from connectors.sandbox.scenarios import SCENARIOS
from connectors.sandbox.server import Sandbox
from connectors.sandbox.shopify_shop import Shop
from connectors.sandbox.shopify_tokens import App
from connectors.sandbox.shopify_world import WorldRows
from connectors.sandbox.world import World
from ledger.models import Finding
from profitpeek.embedded_postgres import DURABLE, join
from profitpeek.jobs.models import Job
from tests.jobs.test_database_restart import pointed_to
from tests.journeys.sandbox_shop import CLIENT, Connected
from tests.platform.clusters import open_folder, server_process, wait_until
from tests.soak import simulated
from tests.soak.connecting import connect, is_calm
from tests.soak.installation import Installation

LONG = bool(os.environ.get("SOAK"))
DAYS, ORDERS, KILL_EVERY = (91, 20, (2.0, 8.0)) if LONG else (4, 8, (1.5, 2.5))
SPEED = int(os.environ.get("SOAK_SPEED", "13000" if LONG else "50000"))
SEED = int(os.environ.get("SOAK_SEED", "20261125"))
HISTORY = 5
"""Days that the business has lived before it is connected."""
DELIVERY_TROUBLES = {
    "lost": {"every": 7}, "repeated": {"every": 5}, "out_of_order": {"seconds": 3_600}, "forged": {"every": 11},
    "late": {"every": 9, "seconds": 7_200},
}  # fmt: skip
REQUEST_TROUBLES = ("rate_limited", "throttled", "server_error", "cut_body", "html", "internal_error")
QUIET = timedelta(minutes=20)
"""For how long nothing happens before the end, so that all of it is old enough to be read."""


def a_business(start: date) -> World:
    """Make a business in which much is given back, edited, cancelled, disputed and deleted, and no cost changes while nobody looks."""
    habits = structs.replace(
        SCENARIOS["refund_storm"], edited=1_000, cancelled=800, disputed=500, deleted=200, exchanged=500, cost_change_days=10**9, late_cost=0
    )
    return World(Living(seed=SEED % 1_000, start=start, days=HISTORY + DAYS + 60, orders_per_day=ORDERS, habits=habits))


def a_quiet_moment(rows: WorldRows, after: datetime) -> datetime:
    """Return the first moment after another before which nothing has happened for a while."""
    happened = [at for at, _ in rows.index.rings if at > seconds(after)]
    for before, following in zip([seconds(after), *happened], happened, strict=False):
        if following - before > QUIET.total_seconds() + 60:
            return moment(before) + QUIET
    raise AssertionError("the business never rests")


class Soak:
    """One business, the installation that reads it, and what was done to both."""

    def __init__(self, sandbox: Sandbox, shop: Shop, installation: Installation, clock: Path) -> None:
        self.sandbox, self.shop, self.installation, self._clock = sandbox, shop, installation, clock
        self.killed: Counter[str] = Counter()

    def run(self, speed: int) -> None:
        """Let the time of all processes go on at a speed."""
        self.sandbox.clock.run(speed)
        simulated.write(self._clock, self.sandbox.clock.now(), speed)

    def stop(self) -> None:
        """Let all processes stand, at the next moment before which nothing has happened for a while."""
        self.run(0)
        quiet = a_quiet_moment(self.shop.rows, self.sandbox.clock.now())
        self.sandbox.clock.advance(round((quiet - self.sandbox.clock.now()).total_seconds()))
        simulated.write(self._clock, self.sandbox.clock.now(), 0)

    def break_things(self, until: datetime, dice: random.Random, database: object = None) -> None:
        """Kill and trouble at random until a moment."""
        for kind, how in DELIVERY_TROUBLES.items():
            self.shop.troubles.add(kind, **how)
        while self.sandbox.clock.now() < until:
            time.sleep(dice.uniform(*KILL_EVERY))
            self.shop.troubles.add(dice.choice(REQUEST_TROUBLES), first=dice.randint(1, 4), count=dice.randint(1, 2))
            if database is not None and dice.random() < 0.08:
                self.killed["database"] += kill_database(database)
            elif what := self.installation.kill_something(dice):
                self.killed[what] += 1
            self.installation.look()
        self.shop.troubles.clear()


def kill_database(membership: object) -> int:
    """Kill the database and start it anew."""
    folder, server = membership.folder, membership.membership.server
    process = server_process(folder)
    if process is None:
        return 0
    process.kill()
    server.ensure_running()
    # This process's own connection died with it.
    connection.close()
    return 1


class OwnDatabase:
    """A cluster that may be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "postgres"
        self.membership = join(self.folder, flavour=DURABLE)


@contextmanager
def a_database() -> Iterator[OwnDatabase | None]:
    """Give the long form a cluster of its own, and the short one the tests'."""
    if not LONG:
        yield None
        return
    with open_folder() as folder:
        own = OwnDatabase(folder)
        try:
            with pointed_to(own.membership.url()):
                call_command("migrate", verbosity=0)
                yield own
        finally:
            own.membership.leave()


def read_all(account: Connection) -> None:
    """Read every stream once more and compare what can be compared, as each night does."""
    for stream in find("shopify").streams:
        submit_stream(account, stream, actor="soak")
    assert wait_until(is_calm, seconds=180), waiting()
    for stream in find("shopify").streams:
        if stream.comparison is not None and runs.cursor_of(account, stream.name).backfilled_at is not None:
            submit_comparison(account, stream, whole=True, actor="soak")
    assert wait_until(is_calm, seconds=180), waiting()


def waiting() -> list[tuple[str, ...]]:
    """Return what is not done, and why."""
    return list(Job.objects.filter(state__in=["waiting", "running"]).values_list("kind", "key", "state", "attempts", "error"))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_after_days_of_trouble_every_figure_is_the_truth(tmp_path: Path) -> None:
    dice, start = random.Random(SEED), datetime.now(UTC).replace(microsecond=0)
    clock, world = tmp_path / "clock", a_business(start.date() - timedelta(days=HISTORY))
    with ExitStack() as stack:
        database = stack.enter_context(a_database())
        sandbox = stack.enter_context(Sandbox(Clock(start, speed=0)))
        shop = sandbox.add_shop(world.shop.domain, WorldRows(world), app=App(*CLIENT.values()), plan="enterprise")
        # An outage of some real seconds is to be survived, as one of some hours is.
        shop.courier.waits = (3 * SPEED,) * 8
        simulated.write(clock, start, 0)
        product = Installation(
            tmp_path, settings="tests.soak.settings", application="tests.soak.wsgi", **{simulated.VARIABLE: str(clock)}
        )  # fmt: skip
        soak = Soak(sandbox, shop, stack.enter_context(product), clock)
        account = connect(shop, start, days=DAYS + 150)
        connected = Connected(world, start.date() - timedelta(days=HISTORY), sandbox, shop, account.store, account)
        assert wait_until(is_calm, seconds=120), waiting()
        shop.courier.start()
        began = time.monotonic()
        soak.run(SPEED)
        soak.break_things(start + timedelta(days=DAYS), dice, database)
        took = time.monotonic() - began
        soak.stop()
        shop.courier.close()
        assert wait_until(is_calm, seconds=240), f"{waiting()}\n{soak.installation.log()[-4_000:]}"
        read_all(account)
        connected.looks.append(start)
        said = list(Finding.objects.filter(book_id=account.store_id, resolved_at=None).values_list("kind", "message"))
        dead = list(Job.objects.filter(state="dead").values_list("kind", "error"))
        assert connected.all_differences() == [], (said, dead)
        assert not dead or said, dead
        told(soak, took)


def told(soak: Soak, took: float) -> None:
    """Print what happened, and hold the workers' memory flat over a quarter."""
    jobs = Counter(Job.objects.values_list("state", flat=True))
    held = soak.installation.peaks
    third = max(len(held) // 3, 1)
    early, late = statistics.median(held[:third] or [1]), statistics.median(held[-third:] or [1])
    answers = Counter(str(each["status"]) for each in soak.shop.courier.log)
    print(  # noqa: T201
        f"\n{DAYS} days in {took:.0f} s, killed {dict(soak.killed)}, deliveries {soak.shop.courier.counts}, "
        f"the last of them answered {dict(answers)}, jobs {dict(jobs)}, workers held {early / 1e6:.0f} MB early, {late / 1e6:.0f} MB late"
    )
    if LONG:
        assert late < 1.3 * early
