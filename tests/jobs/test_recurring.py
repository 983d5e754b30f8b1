"""Check when recurring jobs come, above all on the two nights that have no ordinary 02:30."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profitpeek.jobs import recurring
from profitpeek.jobs.housekeeping import HEARTBEAT
from profitpeek.jobs.models import Job, Recurrence
from profitpeek.jobs.recurring import Recurring, tick
from tests.jobs import table

NIGHTLY = Recurring(name="nightly", kind=HEARTBEAT, at=time(2, 30), zone="Europe/Berlin")
OFTEN = Recurring(name="often", kind=HEARTBEAT, every=timedelta(minutes=15))


def utc(text: str) -> datetime:
    """Return a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that sets the table of recurring jobs."""
    return lambda *listed: monkeypatch.setattr(table, "RECURRING", listed)


def runs(entry: Recurring, start: str, end: str) -> list[str]:
    """Return the times an entry comes between two moments, as its zone's wall clock shows them."""
    found, moment = [], utc(start)
    while (moment := entry.next_after(moment)) < utc(end):
        found.append(f"{moment:%d %H:%M}")
    return found


def test_a_time_that_comes_twice_in_the_night_counts_once() -> None:
    # Berlin, 25 October 2026: 02:30 summer time is 00:30 UTC, and comes again at 01:30 UTC.
    assert runs(NIGHTLY, "2026-10-23 12:00", "2026-10-27 12:00") == ["24 00:30", "25 00:30", "26 01:30", "27 01:30"]


def test_a_time_that_is_left_out_in_the_night_comes_all_the_same() -> None:
    # Berlin, 28 March 2027: after 01:59 comes 03:00; 02:30 would be 01:30 UTC, which is 03:30.
    assert runs(NIGHTLY, "2027-03-26 12:00", "2027-03-30 12:00") == ["27 01:30", "28 01:30", "29 00:30", "30 00:30"]


def test_every_quarter_hour_is_counted_from_the_full_hour() -> None:
    assert runs(OFTEN, "2026-11-24 00:07", "2026-11-24 01:00") == ["24 00:15", "24 00:30", "24 00:45"]


@given(
    st.integers(min_value=0, max_value=15 * 365 * 24 * 60),
    st.times(),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_the_next_time_lies_ahead_and_is_at_most_a_long_day_away(minutes: int, at: time, zone: str) -> None:
    moment = utc("2020-01-01 00:00") + timedelta(minutes=minutes)
    found = Recurring(name="n", kind=HEARTBEAT, at=at.replace(second=0, microsecond=0), zone=zone).next_after(moment)
    assert timedelta(0) < found - moment <= timedelta(hours=25)


def test_an_entry_says_either_how_often_or_when() -> None:
    with pytest.raises(ValueError, match="either"):
        Recurring(name="neither", kind=HEARTBEAT)


@pytest.mark.django_db
def test_a_tick_submits_what_is_due_once(entries: Any) -> None:
    entries(OFTEN, NIGHTLY)
    assert tick(utc("2026-11-24 00:07")) == ["often"]
    assert tick(utc("2026-11-24 00:08")) == []
    assert Recurrence.objects.get(name="nightly").next_at == utc("2026-11-24 01:30")
    assert tick(utc("2026-11-24 01:31")) == ["often", "nightly"]
    assert sorted(Job.objects.values_list("key", flat=True)) == ["recurring:nightly", "recurring:often"]


@pytest.mark.django_db
def test_what_was_missed_for_days_comes_once(entries: Any) -> None:
    entries(NIGHTLY)
    tick(utc("2026-11-01 12:00"))
    assert tick(utc("2026-11-24 12:00")) == ["nightly"]
    assert tick(utc("2026-11-24 12:01")) == []
    assert Recurrence.objects.get(name="nightly").next_at == utc("2026-11-25 01:30")


@pytest.mark.django_db
def test_an_entry_that_is_made_more_frequent_does_not_wait_for_its_old_time(entries: Any) -> None:
    entries(Recurring(name="often", kind=HEARTBEAT, every=timedelta(days=7)))
    tick(utc("2026-11-24 12:00"))
    entries(OFTEN)
    assert tick(utc("2026-11-24 12:01")) == []
    assert tick(utc("2026-11-24 12:15")) == ["often"]


@pytest.mark.django_db
def test_an_entry_that_cannot_be_submitted_keeps_nobody_back(entries: Any) -> None:
    entries(Recurring(name="broken", kind=HEARTBEAT, every=timedelta(minutes=1), parameters={"no": object()}), OFTEN)
    assert recurring.tick(utc("2026-11-24 12:00")) == ["often"]
    assert list(Job.objects.values_list("key", flat=True)) == ["recurring:often"]
