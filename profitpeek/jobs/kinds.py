"""Describe kinds of jobs, and find one by its name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from profitpeek.jobs.recurring import Recurring
    from profitpeek.jobs.work import Work


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of background work. Declared beside its handler, listed in the table settings.JOB_TABLE names."""

    name: str
    """As rows store it; never changed once used."""
    label: str
    """As people read it."""
    handler: "Callable[[Work], None]" = field(repr=False)
    attempts: int = 5
    """Tries before the job is dead."""
    timeout: int = 600
    """Seconds one run may take. A long piece of work is a chain of short jobs."""
    pause: float = 10.0
    """Seconds before the second try; every further pause is twice as long, up to an hour."""
    atomic: bool = False
    """Whether the run is one transaction, committed together with its being done: then it takes effect exactly
    once whatever is killed. Otherwise the handler calls `work.fence()` in each of its own transactions."""


class UnknownKind(LookupError):
    """Says that this version of the program knows no such kind of job."""


@cache
def table() -> dict[str, Kind]:
    """Return every kind by name, from the module that settings.JOB_TABLE names."""
    return {kind.name: kind for kind in import_module(settings.JOB_TABLE).KINDS}


def recurring() -> "tuple[Recurring, ...]":
    """Return the recurring jobs, from the same module."""
    listed: tuple[Recurring, ...] = import_module(settings.JOB_TABLE).RECURRING
    return listed


def find(name: str) -> Kind:
    """Return a kind by its name; raise UnknownKind when there is none."""
    try:
        return table()[name]
    except KeyError as error:
        raise UnknownKind(f"This version of ProfitPeek knows no job of the kind “{name}”.") from error
