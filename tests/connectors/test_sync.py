"""The rules of reading a stream: windows, pages, clocks, limits, circles; every record once, none lost."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.faults import BadPayload, Denied, NeedsReauth, QuotaUsedUp, RetryLater
from connectors.models import Connection, RawPayload, SyncRun
from connectors.reading.paged import Limits
from connectors.spec import Context, Json, Request
from ledger.audit import check_all
from ledger.facts import AdDayFact, DisputeFact, PayoutFact
from ledger.kinds import AdLevel
from ledger.models import AdDay, Batch, Dispute, Finding, Order, Payout
from ledger.money import tenk
from tests.builders import book_of
from tests.connectors.bazaar import NOW, ORDERS, OVERLAP, PAGE, SETTLE, Bazaar, Switches, a_record, span
from tests.connectors.connecting import cursor_of, last_run, pull, pull_all

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def pages_asked(bazaar: Bazaar) -> list[str]:
    """Return the tokens of the pages that were asked for; empty: the first."""
    return [parse_qs(urlsplit(asked).query).get("after", [""])[0] for asked in bazaar.asked if asked.startswith("/orders?")]


def numbers() -> list[int]:
    return sorted(int(number) for number in Order.objects.values_list("external_id", flat=True))


def test_every_page_is_read_once_and_everything_is_booked(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(25)))
    outcome = pull(connection)
    assert (outcome.done, outcome.records, outcome.changed, outcome.parked) == (True, 25, 25, 0)
    assert pages_asked(bazaar) == ["", "10", "20"]
    assert numbers() == list(range(25))
    run, cursor = last_run(connection), cursor_of(connection)
    assert (run.mode, run.status, run.requests, run.pages, run.records, run.changed) == ("backfill", "done", 4, 3, 25, 25)
    assert (cursor.seen_through, cursor.position, cursor.until) == (NOW - timedelta(days=20) + timedelta(minutes=24) - OVERLAP, None, None)
    assert (cursor.backfilled_at, cursor.done, cursor.whole) == (NOW, 25, 25)
    connection.refresh_from_db()
    assert (connection.last_ok_at, connection.problem) == (NOW, "")
    assert not any(check_all(book_of(connection.store)).values())
    assert set(Batch.objects.values_list("cause_ref", flat=True)) == {connection.cause_ref}


def test_a_second_sync_reads_the_overlap_again_and_changes_nothing(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(25)))
    pull(connection)
    batches, payloads = Batch.objects.count(), RawPayload.objects.count()
    bazaar.asked.clear()
    assert pull(connection)[:3] == (True, 11, 0)
    assert (Batch.objects.count(), last_run(connection).mode) == (batches, "increment")
    kept = RawPayload.objects.count()
    assert pull(connection)[:3] == (True, 11, 0)
    # The very same page, received again, is kept once.
    assert (kept, RawPayload.objects.count()) == (payloads + 2, payloads + 2)


def test_what_changed_is_seen_and_what_lies_behind_is_not_asked_for_again(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(25)))
    pull(connection)
    bazaar.add(a_record(3, total="30.00", changed=NOW - timedelta(hours=1)), a_record(25, changed=NOW - timedelta(minutes=5)))
    assert pull(connection)[1:3] == (13, 2)
    assert {str(order.stated_total) for order in Order.objects.filter(external_id="3")} == {"30.0000"}
    assert cursor_of(connection).seen_through == NOW - timedelta(minutes=5) - OVERLAP
    assert pull(connection)[1:3] == (1, 0)


def test_a_window_ends_before_the_present_and_what_is_newer_comes_with_the_next(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(a_record(1, changed=NOW - SETTLE - 2 * SECOND), a_record(2, changed=NOW - SECOND))
    assert pull(connection).records == 1
    assert pull(connection, now=NOW + SETTLE).records == 2
    assert numbers() == [1, 2]


@pytest.mark.parametrize("ahead", [timedelta(minutes=10), -timedelta(minutes=10)])
@pytest.mark.parametrize("counts", [True, False])
def test_a_clock_ten_minutes_off_loses_nothing(bazaar: Bazaar, connection: Connection, ahead: timedelta, counts: bool) -> None:
    stream = ORDERS if counts else replace(ORDERS, count=None)
    bazaar.switches.clock = ahead
    there = NOW + ahead
    bazaar.add(a_record(1, changed=there - SETTLE - 2 * SECOND), a_record(2, changed=there - SETTLE + 5 * SECOND))
    assert pull(connection, stream).records == 1
    assert (last_run(connection).until or NOW) - (there - SETTLE) < SECOND
    # Written at a time of the platform's that was past already, and shown late.
    bazaar.add(a_record(3, changed=there - SETTLE - timedelta(minutes=9)))
    assert pull(connection, stream, now=NOW + timedelta(minutes=1)).changed == 2
    assert numbers() == [1, 2, 3]
    assert len(pages_asked(bazaar)) == (3 if counts else 4)


def test_a_platform_that_tells_no_time_is_read_by_our_clock(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.switches.tells_time = False
    bazaar.add(a_record(1))
    assert pull(connection).done
    assert last_run(connection).until == NOW - SETTLE


def test_times_in_the_future_move_the_cursor_no_further_than_the_window(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.switches.tells_time = False
    bazaar.within = lambda query: list(bazaar.orders.values())  # type: ignore[method-assign]
    bazaar.add(a_record(1, changed=datetime(2099, 1, 1, tzinfo=NOW.tzinfo)))
    pull(connection)
    assert cursor_of(connection).seen_through == NOW - SETTLE - OVERLAP


def test_a_run_at_its_limit_ends_as_partial_and_the_next_goes_on_at_its_page(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(45)))
    assert pull(connection, limits=Limits(pages=2))[:3] == (False, 20, 20)
    assert (last_run(connection).status, cursor_of(connection).done, cursor_of(connection).whole) == ("partial", 20, 45)
    # The window stays as it was begun, however late it is gone on with.
    later = NOW + timedelta(hours=1)
    bazaar.add(a_record(45, changed=NOW + timedelta(minutes=1)))
    assert pull(connection, now=later, limits=Limits(records=20))[:3] == (False, 20, 20)
    assert pull(connection, now=later)[:3] == (False, 5, 5)
    assert pages_asked(bazaar) == ["", "10", "20", "30", "40"]
    assert cursor_of(connection).backfilled_at == later
    assert pull(connection, now=later)[:3] == (True, 12, 1)
    assert numbers() == list(range(46))
    assert pull(connection, now=later, limits=Limits(seconds=0))[:3] == (False, 0, 0)


def test_a_cut_at_any_page_resumes_with_no_loss_and_no_double(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(50)))
    for page in range(1, 5):

        def cut(path: str, left: list[int] = [2]) -> None:  # noqa: B006  counted across calls
            if path == "/orders":
                left[0] -= 1
                bazaar.switches.cuts_at = 40 if left[0] < 1 else None

        bazaar.switches.before = cut
        with pytest.raises(RetryLater, match="broke"):
            pull(connection)
        assert (last_run(connection).status, last_run(connection).fault, len(numbers())) == ("failed", "RetryLater", page * 10)
    bazaar.switches.before = lambda path: None
    bazaar.asked.clear()
    pull_all(connection)
    assert pages_asked(bazaar)[0] == "40"
    assert numbers() == list(range(50))
    assert sum(run.changed for run in SyncRun.objects.all()) == 50
    assert not any(check_all(book_of(connection.store)).values())


def test_pages_that_lead_in_a_circle_fail_the_run_and_heal_once_they_do_not(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(25)))
    bazaar.switches.repeats = True
    for _ in range(2):
        with pytest.raises(BadPayload, match="lead in a circle"):
            pull(connection)
    finding = Finding.objects.get(resolved_at=None)
    assert (finding.kind, finding.subject) == ("sync_failed", f"{connection.pk}:orders")
    assert finding.message == "“orders” of North cannot be read: The pages of “orders” lead in a circle: the same one was to be read twice."
    bazaar.switches.repeats = False
    pull_all(connection)
    assert numbers() == list(range(25))
    assert Finding.objects.filter(resolved_at=None).count() == 0


def test_a_circle_that_takes_longer_than_a_run_is_seen_by_the_next(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(25)))
    bazaar.routes["/orders"] = lambda query: {**bazaar.page(query), "next": {"0": "10", "10": "20", "20": "10"}[query.get("after", "0")]}
    ended = []
    for _ in range(4):
        try:
            ended.append(pull(connection, limits=Limits(pages=1)).done)
        except BadPayload:
            ended.append(None)
    # The fourth begins the window anew, as the circle may have been a page's token's alone.
    assert ended == [False, False, False, False]
    assert pages_asked(bazaar) == ["", "10", "20", ""]


def test_a_token_that_has_expired_meanwhile_begins_the_window_anew(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(25)))
    pull(connection, limits=Limits(pages=2))
    bazaar.switches.expired = {"20"}
    bazaar.routes["/orders"] = lambda query: (bazaar.switches.expired.clear(), bazaar.page(query))[1]
    pull_all(connection)
    assert numbers() == list(range(25))
    assert pages_asked(bazaar) == ["", "10", "20", "", "10", "20"]


def test_a_position_of_a_question_that_is_asked_otherwise_now_begins_the_window_anew(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(25)))
    pull(connection, limits=Limits(pages=2))
    bazaar.asked.clear()
    other = replace(ORDERS, request=lambda window: Request(path="/orders", query={**span(window), "limit": "10", "fields": "all"}, size=10))
    pull_all(connection, other)
    assert pages_asked(bazaar)[0] == ""
    assert numbers() == list(range(25))


def test_what_is_too_much_at_once_is_halved_and_slowly_grows_again(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(60)))
    bazaar.switches.most_at_once = 4
    asked: list[int] = []

    def noted(query: dict[str, str]) -> object:
        asked.append(int(query["limit"]))
        return bazaar.page(query)

    bazaar.routes["/orders"] = noted
    pull(connection, limits=Limits(pages=6))
    # 10 is halved to 5 and to 2; after five pages that came well it is 3.
    assert asked == [2, 2, 2, 2, 2, 3]
    bazaar.switches.most_at_once = 1_000
    pull_all(connection)
    assert asked[6:] == [3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 6, 6]
    assert numbers() == list(range(60))


def test_one_that_is_too_big_by_itself_fails_the_run(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.switches.refuse = {"/orders": (413, {})}
    with pytest.raises(Exception, match="so much at once"):
        pull(connection)
    assert [asked.partition("limit=")[2] for asked in bazaar.asked if asked.startswith("/orders")] == ["10", "5", "2", "1"]
    assert last_run(connection).fault == "TooBig"


@pytest.mark.parametrize(
    ("status", "headers", "fault", "asked"),
    [
        (500, {}, RetryLater, 3),
        (503, {"Retry-After": "0"}, RetryLater, 3),
        (503, {"Retry-After": "120"}, RetryLater, 1),
        (429, {"Retry-After": "3600"}, QuotaUsedUp, 1),
        (401, {}, NeedsReauth, 1),
        (403, {}, Denied, 1),
        (404, {}, BadPayload, 1),
    ],
)
def test_a_fault_ends_the_run_with_its_words_and_the_next_run_goes_on(
    bazaar: Bazaar, connection: Connection, status: int, headers: dict[str, str], fault: type[Exception], asked: int
) -> None:
    bazaar.add(*(a_record(number) for number in range(15)))
    bazaar.switches.refuse = {"/orders": (status, headers)}
    with pytest.raises(fault) as raised:
        pull(connection)
    run = last_run(connection)
    assert (run.status, run.fault, run.problem, len(pages_asked(bazaar))) == ("failed", type(raised.value).__name__, str(raised.value), asked)
    connection.refresh_from_db()
    is_accounts = fault in (RetryLater, QuotaUsedUp, NeedsReauth)
    assert connection.problem == (str(raised.value) if is_accounts else "")
    assert Finding.objects.filter(kind="sync_failed", resolved_at=None).count() == (0 if is_accounts else 1)
    wait = int(headers.get("Retry-After", 0))
    assert connection.paused_until == (NOW + timedelta(seconds=wait) if wait else None)
    assert connection.status == ("needs_consent" if fault is NeedsReauth else "active")
    bazaar.switches.refuse = {}
    pull_all(connection)
    connection.refresh_from_db()
    assert (numbers(), connection.problem, connection.paused_until, connection.status) == (list(range(15)), "", None, "active")
    assert Finding.objects.filter(resolved_at=None).count() == 0


def test_a_storm_that_passes_within_seconds_is_not_noticed(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(15)))
    bazaar.switches.refuse, bazaar.switches.refuse_times = {"/orders": (502, {})}, 2
    assert pull(connection).done
    assert numbers() == list(range(15))


def test_small_pages_are_written_together(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(45)))
    assert pull(connection, limits=Limits(at_once=2 * PAGE)).done
    assert (Batch.objects.count(), RawPayload.objects.count(), last_run(connection).pages) == (3, 5, 5)
    assert numbers() == list(range(45))


def test_a_record_that_moves_to_the_next_page_meanwhile_is_told_once_as_it_came_last(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(1, 15)))

    def move(path: str) -> None:
        if len(pages_asked(bazaar)) == 2:
            bazaar.add(a_record(0), {**a_record(10), "total": "7.00"})

    def told(record: Json, context: Context) -> list[Any]:
        day, spend = datetime.fromisoformat(record["placed"]), tenk(Decimal(record["total"]))
        return [
            AdDayFact("bazaar", AdLevel.CAMPAIGN, day.date(), spend, "EUR", campaign_name=record["id"]),
            PayoutFact("bazaar", record["id"], day, "PAID", spend, "EUR"), DisputeFact("bazaar", record["id"], False, spend, "EUR"),
        ]  # fmt: skip

    bazaar.switches.before = move
    assert pull(connection, replace(ORDERS, map=told))[:2] == (True, 15)
    spent = dict(AdDay.objects.values_list("campaign__name", "spend"))
    assert (len(spent), spent["10"], spent["9"]) == (14, Decimal(7), Decimal(a_record(9)["total"]))
    for kept in (Payout, Dispute):
        assert kept.objects.get(external_id="10").amount == Decimal(7)
        assert kept.objects.count() == 14


def test_what_came_before_a_page_that_cannot_be_had_is_written_and_not_asked_for_again(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(45)))

    def refuse_the_third(path: str) -> None:
        if len(pages_asked(bazaar)) == 3:
            bazaar.switches.refuse = {"/orders": (401, {})}

    bazaar.switches.before = refuse_the_third
    with pytest.raises(NeedsReauth):
        pull(connection)
    assert (numbers(), cursor_of(connection).done, last_run(connection).pages) == (list(range(20)), 20, 2)
    bazaar.switches = Switches()
    bazaar.asked.clear()
    Connection.objects.update(status=Connection.Status.ACTIVE)
    assert pull(connection).done
    assert pages_asked(bazaar) == ["20", "30", "40"]
    assert numbers() == list(range(45))


def test_a_stream_without_times_of_change_is_read_whole_each_time(bazaar: Bazaar, connection: Connection) -> None:
    stream = replace(ORDERS, cursor=None)
    bazaar.add(*(a_record(number) for number in range(15)))
    assert pull(connection, stream)[:3] == (True, 15, 15)
    assert pull(connection, stream)[:3] == (True, 15, 0)
    assert cursor_of(connection).seen_through is None


def test_days_that_the_platform_rewrites_are_read_again(bazaar: Bazaar, connection: Connection) -> None:
    stream = replace(ORDERS, restates=timedelta(days=30))
    bazaar.add(a_record(1), a_record(2, changed=NOW - timedelta(hours=1)))
    pull(connection, stream)
    assert pull(connection, stream).records == 2
    assert pull(connection).records == 1


def test_unknown_fields_do_no_harm(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(a_record(1, loyalty={"points": [1, 2, None]}))
    assert pull(connection)[2:4] == (1, 0)


def test_an_empty_platform_is_up_to_date(bazaar: Bazaar, connection: Connection) -> None:
    assert pull(connection)[:3] == (True, 0, 0)
    assert (cursor_of(connection).seen_through, cursor_of(connection).backfilled_at, RawPayload.objects.count()) == (None, NOW, 0)
    bazaar.add(a_record(1, changed=NOW - timedelta(days=300)))
    assert pull(connection)[:3] == (True, 1, 1)
