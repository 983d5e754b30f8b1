"""Kinds of jobs that leave a trace of their effect, and kinds that misbehave in every known way."""

import os
import re
import signal
import sys
import time
from contextlib import suppress
from datetime import timedelta

from django.db import connection, transaction

from profitpeek.jobs import queue
from profitpeek.jobs.faults import NeedsAttention, Permanent, Postponed, Retryable
from profitpeek.jobs.housekeeping import HEARTBEAT
from profitpeek.jobs.kinds import Kind
from profitpeek.jobs.recurring import Recurring
from profitpeek.jobs.work import Work


def leave_trace(name: str) -> None:
    """Have an effect that shows if it happens twice."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO test_effect (name, pid) VALUES (%s, %s)", [name, os.getpid()])


def effect(work: Work) -> None:
    """Leave one trace, after or before having taken some time."""
    leave_trace(str(work.parameters["name"]))
    time.sleep(work.parameters.get("seconds", 0))


def steps(work: Work) -> None:
    """Leave one trace a step, each in a transaction of its own, going on where the last run ended."""
    name, whole = str(work.parameters["name"]), int(work.parameters["steps"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM test_effect WHERE name LIKE %s", [f"{name}:%"])
        first = cursor.fetchone()[0]
    for number in range(first, whole):
        with transaction.atomic():
            leave_trace(f"{name}:{number}")
            work.fence()
        work.progress("stepping", number + 1, whole)
        time.sleep(work.parameters.get("seconds", 0))


def chain(work: Work) -> None:
    """Leave one trace and hand over to the next link, in one transaction."""
    left = int(work.parameters["left"])
    leave_trace(f"{work.parameters['name']}:{left}")
    if left:
        queue.submit(CHAIN, {**work.parameters, "left": left - 1}, key=work.claim.key)


def poison(work: Work) -> None:
    """Kill the worker that runs it, as a lack of memory would."""
    leave_trace_now(f"try {work.claim.attempt}")
    os.kill(os.getpid(), signal.SIGKILL)


def leave_trace_now(name: str) -> None:
    """Leave a trace that no rollback takes back."""
    assert transaction.get_autocommit()
    leave_trace(name)


def leaves(work: Work) -> None:
    """Exit, which a handler never should."""
    sys.exit(3)


def swallows(work: Work) -> None:
    """Overrun its time and swallow every exception, time-outs included."""
    while True:
        with suppress(BaseException):
            time.sleep(60)


def backtracks(work: Work) -> None:
    """Overrun its time inside the regular expression engine, which runs no Python code."""
    re.match(r"(a+)+$", "a" * 40 + "b")


def returns_unpicklable(work: Work) -> object:
    """Return what no queue can carry."""
    leave_trace("unpicklable")
    return lambda: None


def fails(work: Work) -> None:
    """Fail in the way that was asked for."""
    match work.parameters["how"]:
        case "retryable":
            raise Retryable("The platform answered 503.", after=0)
        case "postponed":
            raise Postponed("The day's quota is used up.", after=3_600)
        case "permanent":
            raise Permanent("The file is gone.")
        case "attention":
            raise NeedsAttention("Sign in to the platform again.")
        case _:
            raise KeyError("nobody expected this")


EFFECT = Kind(name="effect", label="Effect", handler=effect, atomic=True, attempts=20, pause=0.1)
STEPS = Kind(name="steps", label="Steps", handler=steps, attempts=20, pause=0.1)
CHAIN = Kind(name="chain", label="Chain", handler=chain, atomic=True, attempts=20, pause=0.1)
POISON = Kind(name="poison", label="Poison", handler=poison, attempts=3, pause=0.1)
LEAVES = Kind(name="leaves", label="Leaves", handler=leaves, attempts=2, pause=0.1)
SWALLOWS = Kind(name="swallows", label="Swallows", handler=swallows, attempts=1, timeout=2)
BACKTRACKS = Kind(name="backtracks", label="Backtracks", handler=backtracks, attempts=1, timeout=2)
UNPICKLABLE = Kind(name="unpicklable", label="Unpicklable", handler=returns_unpicklable, atomic=True)  # type: ignore[arg-type]
FAILS = Kind(name="fails", label="Fails", handler=fails, attempts=3, pause=0.1)

KINDS = (HEARTBEAT, EFFECT, STEPS, CHAIN, POISON, LEAVES, SWALLOWS, BACKTRACKS, UNPICKLABLE, FAILS)
RECURRING = (Recurring(name="often", kind=HEARTBEAT, every=timedelta(seconds=2)),)
