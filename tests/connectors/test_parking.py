"""Records that cannot be understood are kept apart, sealed and with the reason, and the run goes on; in the end they are read after all."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import override_settings
from msgspec import structs

from connectors import registry
from connectors.faults import BadPayload, RetryLater
from connectors.models import Connection, ParkedRecord, RawPayload
from connectors.reading import recording
from connectors.reading.checking import check
from connectors.reading.paged import Limits
from connectors.reading.parking import body_of, detail_of
from connectors.reading.replaying import replay
from connectors.spec import Json, Request, Send
from ledger.facts import AdDayFact, BalanceFact, LineFact, OrderFact, PayoutFact
from ledger.kinds import AdLevel, BalanceMeaning
from ledger.models import Finding, Order, Store
from ledger.sealing import unseal
from tests.connectors.bazaar import NOW, ORDERS, Bazaar, a_record, connector
from tests.connectors.connecting import cursor_of, last_run, pull, pull_all

pytestmark = pytest.mark.django_db
REFUNDED = replace(ORDERS, complete=lambda record, send: {**record, **send(Request(path=f"/orders/{record['id']}/refunds")).json()})


def without(record: Json, name: str) -> Json:
    return {key: value for key, value in record.items() if key != name}


def orders() -> list[str]:
    return sorted(Order.objects.values_list("external_id", flat=True), key=int)


def test_a_record_without_a_field_is_parked_and_the_run_goes_on(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(a_record(1), without(a_record(2), "total"), a_record(3))
    assert pull(connection)[:4] == (True, 3, 2, 1)
    assert (orders(), last_run(connection).parked) == (["1", "3"], 1)
    row = ParkedRecord.objects.get()
    assert (row.stream, row.external_id, row.reason, row.attempts, row.first_at) == ("orders", "2", "The order has no 'total'.", 1, NOW)
    assert body_of(row) == without(a_record(2), "total")
    assert b"MUG" not in bytes(row.body)
    finding = Finding.objects.get(kind="records_parked", resolved_at=None)
    assert finding.subject == f"{connection.pk}:orders"
    assert finding.message == (
        "1 record of “orders” from North is in no figure: this version does not understand it. The latest, 2: The order has no 'total'."
    )
    # Read again within the overlap: parked once, and counted.
    pull(connection)
    assert ParkedRecord.objects.get().attempts == 2


def test_a_parked_record_that_comes_again_whole_is_parked_no_more(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(a_record(1), without(a_record(2), "total"))
    pull(connection)
    bazaar.add(a_record(2))
    assert pull(connection)[2:4] == (1, 0)
    assert (ParkedRecord.objects.count(), Finding.objects.filter(resolved_at=None).count(), orders()) == (0, 0, ["1", "2"])


def test_a_record_without_even_an_id_is_parked_under_a_digest(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.orders["x"] = without(a_record(1), "id")
    pull(connection)
    assert ParkedRecord.objects.get().external_id.startswith("digest:")
    pull(connection)
    assert ParkedRecord.objects.get().attempts == 2


def test_a_record_parked_under_a_digest_is_parked_no_more_once_its_id_is_understood(
    bazaar: Bazaar, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    bazaar.orders["x"] = {**without(a_record(1), "id"), "key": "1"}
    pull(connection)
    assert ParkedRecord.objects.get().external_id.startswith("digest:")
    learnt = replace(
        ORDERS, identity=lambda record: str(record["key"]), map=lambda record, context: ORDERS.map({**record, "id": record["key"]}, context)
    )
    monkeypatch.setitem(registry.CONNECTORS, "bazaar", connector(learnt))
    assert replay(connection, now=NOW) == (1, 0)
    assert (ParkedRecord.objects.count(), orders(), Finding.objects.filter(resolved_at=None).count()) == (0, ["1"], 0)


def test_a_mapper_that_breaks_parks_the_record_and_what_it_said_is_sealed_and_in_no_log(
    bazaar: Bazaar, connection: Connection, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(record: Json, context: object) -> list[object]:
        return [int(record["note"])] if record["id"] == "2" else ORDERS.map(record, context)  # type: ignore[arg-type,return-value]

    bazaar.add(a_record(1), a_record(2, note="a gift for Ann"))
    assert pull(connection, replace(ORDERS, map=broken))[:4] == (True, 2, 1, 1)
    row = ParkedRecord.objects.get()
    assert re.fullmatch(r"It broke what reads it: ValueError at test_parking\.py:\d+\.", row.reason)
    assert detail_of(row) == "invalid literal for int() with base 10: 'a gift for Ann'"
    assert b"Ann" not in bytes(row.detail or b"")
    said = caplog.text + "".join(capsys.readouterr())
    assert "sync.mapper_failed" in said
    assert "Ann" not in said + Finding.objects.get(kind="records_parked").message


@pytest.mark.parametrize(
    ("strange", "reason"),
    [
        ({"number": 5}, "OrderFact.number is not what the ledger takes: expected `str`, got `int`."),
        ({"lines": (LineFact("1", 1, 200_000, sku=77),)}, "OrderFact.lines[0].sku is not what the ledger takes: expected `str`, got `int`."),
        ({"stated_total": Decimal(20)}, "OrderFact.stated_total is not what the ledger takes: expected `int | null`, got `str`."),
        ({"stated_total": 200_000.0}, "OrderFact.stated_total is not what the ledger takes: expected `int | null`, got `float`."),
        ({"discount_codes": ({},)}, "OrderFact.discount_codes[0] is not what the ledger takes: expected `str`, got `object`."),
        (
            {"placed_at": NOW.replace(tzinfo=None)},
            "OrderFact.placed_at is not what the ledger takes: expected `datetime` with a timezone component.",
        ),
        ({"grams": 2**70}, "It was made into values that the ledger does not take: can't serialize ints < -2**63 or > 2**64 - 1."),
        ({"sales": object()}, "It was made into values that the ledger does not take: Encoding objects of type object is unsupported."),
    ],
)
def test_a_fact_of_a_wrong_type_parks_its_record_alone(bazaar: Bazaar, connection: Connection, strange: dict[str, Any], reason: str) -> None:
    def wrong(record: Json, context: Any) -> list[Any]:
        return [structs.replace(fact, **strange) if record["id"] == "2" else fact for fact in ORDERS.map(record, context)]

    bazaar.add(a_record(1), a_record(2), a_record(3))
    assert pull(connection, replace(ORDERS, map=wrong))[:4] == (True, 3, 2, 1)
    assert (orders(), ParkedRecord.objects.get().reason) == (["1", "3"], reason)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (
            {"placed": "1889-12-31T10:00:00+00:00"},
            "It was placed on 1889-12-31, and days before 1990 are on no page. Correct the date where it comes from.",
        ),
        ({"placed": "1990-01-01T10:00:00+00:00"}, "It was placed on 1990-01-01, and days before 1990 are on no page."),
        ({"placed": "2026-11-28T10:00:00+00:00"}, "It was placed on 2026-11-28, which has not come yet. It is tried again until it has."),
        ({"placed": "2101-01-01T10:00:00+00:00", "changed": "2101-01-01T10:00:00+00:00"}, "It was placed on 2101-01-01, which has not come yet."),
        (
            {"refunds": [{"id": "r", "at": "2062-11-05T00:00:00+00:00", "amount": "1.00"}]},
            "A sale or return of it is dated on 2062-11-05, which has not come yet.",
        ),
        (
            {"refunds": [{"id": "r", "at": "0026-11-05T00:00:00+00:00", "amount": "1.00"}]},
            "A sale or return of it is dated on 0026-11-05, and days before 1990 are on no page.",
        ),
    ],
)
def test_what_is_dated_on_no_page_is_parked_with_what_to_do(bazaar: Bazaar, connection: Connection, told: Json, reason: str) -> None:
    bazaar.orders |= {"1": a_record(1), "2": {**a_record(2), **told}}
    everything = replace(ORDERS, cursor=None, items=lambda answer: list(bazaar.orders.values()))
    assert pull(connection, everything)[:4] == (True, 2, 1, 1)
    assert ParkedRecord.objects.get().reason.startswith(reason)
    assert orders() == ["1"]


def test_rows_of_a_balance_and_payouts_are_held_to_days_that_pages_show_alone() -> None:
    payout = PayoutFact("shopify_payments", "1", NOW + timedelta(days=5), "SCHEDULED", 10, "EUR")
    row = BalanceFact("shopify_payments", "1", NOW + timedelta(days=40), "CHARGE", BalanceMeaning.CHARGE, 10, 1, "EUR")
    check(payout, now=NOW)
    check(row, now=NOW)
    ancient = NOW.replace(year=1066)
    for fact in (structs.replace(payout, issued_at=ancient), structs.replace(row, at=ancient)):
        with pytest.raises(BadPayload, match="It is dated on 1066-11-25, and days before 1990 are on no page"):
            check(fact, now=NOW)
    day = AdDayFact("meta_ads", AdLevel.ACCOUNT, NOW.date() + timedelta(days=3), 10, "EUR")
    with pytest.raises(BadPayload, match="It is dated on 2026-11-28, which has not come yet"):
        check(day, now=NOW)


def test_an_order_of_tomorrow_is_taken_when_its_day_has_come(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(a_record(1, placed=(NOW + timedelta(days=5)).isoformat(), changed=NOW - timedelta(days=1)))
    assert pull(connection).parked == 1
    assert replay(connection, now=NOW + timedelta(days=2)) == (0, 1)
    assert replay(connection, now=NOW + timedelta(days=3)) == (1, 0)
    assert orders() == ["1"]


def test_a_platform_whose_clock_is_ahead_tells_of_its_own_present(bazaar: Bazaar, connection: Connection) -> None:
    ahead = NOW + timedelta(days=40)
    bazaar.switches.clock = timedelta(days=40)
    bazaar.add(a_record(1, placed=ahead.isoformat(), changed=ahead))
    everything = replace(ORDERS, cursor=None, items=lambda answer: list(bazaar.orders.values()))
    assert pull(connection, everything)[:4] == (True, 1, 1, 0)


def test_what_is_no_fact_at_all_parks_its_record_alone(bazaar: Bazaar, connection: Connection) -> None:
    def wrong(record: Json, context: Any) -> Any:
        return [record] if record["id"] == "2" else ORDERS.map(record, context)

    bazaar.add(a_record(1), a_record(2), a_record(3))
    assert pull(connection, replace(ORDERS, map=wrong))[:4] == (True, 3, 2, 1)
    assert (orders(), ParkedRecord.objects.get().reason) == (["1", "3"], "It was made into a dict, which the ledger does not take.")


def test_what_a_door_of_the_ledger_breaks_over_is_parked_alone(bazaar: Bazaar, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug of ours that one record in a thousand meets holds up no other."""
    (door,) = (door for door in recording.DOORS if door.type is OrderFact)

    def write(store: Store, facts: Sequence[Any], told: recording.Told) -> recording.Counts:
        if any(fact.external_id == "2" for fact in facts):
            raise AttributeError("'NoneType' object has no attribute 'rate'")
        return door.write(store, facts, told)

    monkeypatch.setattr(recording, "DOORS", (replace(door, write=write),))
    bazaar.add(*(a_record(number) for number in range(8)))
    assert pull(connection)[1:4] == (8, 7, 1)
    row = ParkedRecord.objects.get()
    assert (row.external_id, row.reason) == ("2", "The ledger cannot hold it: AttributeError.")
    assert detail_of(row) == "'NoneType' object has no attribute 'rate'"


def test_what_the_ledger_cannot_hold_is_parked_alone(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number, **({"name": "#" + "9" * 300} if number == 5 else {})) for number in range(8)))
    assert pull(connection)[1:4] == (8, 7, 1)
    assert orders() == ["0", "1", "2", "3", "4", "6", "7"]
    row = ParkedRecord.objects.get()
    assert row.external_id == "5"
    assert row.reason.startswith("The ledger cannot hold it: ")


@pytest.mark.parametrize(
    ("strange", "said"),
    [
        (
            {"lines": [{"id": "1", "sku": "MUG", "title": "Mug", "quantity": 10**12, "price": "20.00"}]},
            "The ledger cannot hold it: error. 'i' format",
        ),
        ({"lines": a_record(1)["lines"] * 2}, "The ledger cannot hold it: ValueError. “1” is told twice"),
        ({"changed": "2026-11-05T00:00:00"}, "OrderFact.updated_at is not what the ledger takes: expected `datetime` with a timezone"),
    ],
    ids=["a number too large for its column", "two lines of one name", "a time without a zone"],
)
def test_one_strange_record_keeps_back_no_other(bazaar: Bazaar, connection: Connection, strange: Json, said: str) -> None:
    bazaar.add(a_record(1), {**a_record(2), **strange}, a_record(3))
    assert pull(connection)[:4] == (True, 3, 2, 1)
    assert orders() == ["1", "3"]
    row = ParkedRecord.objects.get()
    assert f"{row.reason} {detail_of(row)}".startswith(said)


def test_more_than_one_in_a_hundred_fail_the_run_and_nothing_of_that_page_is_taken(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(*(a_record(number) for number in range(10)), *(without(a_record(number), "total") for number in range(10, 20)))
    with pytest.raises(BadPayload, match="10 of 20 records could not be understood") as raised:
        pull(connection)
    assert (last_run(connection).fault, last_run(connection).parked, ParkedRecord.objects.count()) == ("BadPayload", 0, 0)
    assert (len(orders()), cursor_of(connection).done) == (10, 10)
    assert str(raised.value).endswith("The latest, 19: The order has no 'total'.")
    # The page is kept all the same, for whoever mends it.
    assert RawPayload.objects.count() == 2
    bazaar.add(*(a_record(number) for number in range(10, 20)))
    pull_all(connection)
    assert len(orders()) == 20


def test_a_few_bad_records_fail_no_run_however_few_it_reads(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(a_record(0), *(without(a_record(number), "total") for number in range(1, 6)))
    assert pull(connection)[:4] == (True, 6, 1, 5)


def test_parked_records_are_read_after_all_once_a_version_understands_them(
    bazaar: Bazaar, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    bazaar.add(a_record(1), without(a_record(2), "total"), without(a_record(3), "name"))
    pull(connection)
    assert replay(connection, now=NOW) == (0, 2)
    learnt = replace(ORDERS, map=lambda record, context: ORDERS.map({"total": "0.00", **record}, context))
    monkeypatch.setitem(registry.CONNECTORS, "bazaar", connector(learnt))
    assert replay(connection, now=NOW) == (1, 1)
    assert orders() == ["1", "2"]
    row = ParkedRecord.objects.get()
    assert (row.external_id, row.attempts) == ("3", 3)
    with override_settings(FIELD_KEYS=["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]):
        assert replay(connection, now=NOW) == (0, 1)
    assert ParkedRecord.objects.get().reason == "It is sealed with a key that is no longer in FIELD_KEYS."


def test_fields_about_persons_are_cut_before_anything_is_kept(bazaar: Bazaar, connection: Connection) -> None:
    buyer = {"email": "ann@example.com", "ships_to": [{"address": "1 Elm Street", "country": "DE"}]}
    bazaar.add(a_record(1, buyer=buyer), without(a_record(2, buyer=buyer), "total"))
    pull(connection)
    kept = zlib.decompress(unseal(bytes(RawPayload.objects.get().body)))
    parked = zlib.decompress(unseal(bytes(ParkedRecord.objects.get().body)))
    for body in (kept, parked):
        assert b"Elm" not in body
        assert b"ann@" not in body
        assert b'"country":"DE"' in body


def test_the_token_stands_in_no_log_no_run_and_no_archive(bazaar: Bazaar, connection: Connection, caplog: pytest.LogCaptureFixture) -> None:
    bazaar.add(a_record(1))
    pull(connection)
    bazaar.switches.refuse = {"": (500, {})}
    with pytest.raises(RetryLater):
        pull(connection)
    assert bazaar.tokens[-1] == "bazaar-token-7"
    everywhere = [caplog.text, repr(connection), str(last_run(connection).__dict__), str(cursor_of(connection).__dict__)]
    everywhere += [zlib.decompress(unseal(bytes(row.body))).decode() for row in RawPayload.objects.all()]
    assert not any("bazaar-token-7" in text for text in everywhere)


def test_what_does_not_fit_into_a_page_is_fetched_for_each_record(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(a_record(1), a_record(2))
    bazaar.refunds["2"] = [{"id": "r1", "at": NOW.isoformat(), "amount": "5.00"}]
    assert pull(connection, REFUNDED)[:3] == (True, 2, 2)
    assert str(Order.objects.get(external_id="2").revenue) == "15.0000"
    assert last_run(connection).requests == 4


def test_a_record_whose_rest_is_not_to_be_understood_is_parked_alone(bazaar: Bazaar, connection: Connection) -> None:
    bazaar.add(a_record(1), a_record(2))
    bazaar.switches.refuse = {"/orders/1/refunds": (404, {})}
    assert pull(connection, REFUNDED)[:4] == (True, 2, 1, 1)
    assert (ParkedRecord.objects.get().external_id, ParkedRecord.objects.get().reason) == ("1", "Bazaar has no such page.")


def test_a_page_that_takes_long_to_complete_is_written_in_parts_and_gone_on_with(
    bazaar: Bazaar, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.reading.paged.SLICE_SECONDS", 0.0)
    bazaar.add(*(a_record(number) for number in range(10)))
    calls = []

    def complete(record: Json, send: Send) -> Json:
        calls.append(record["id"])
        if len(calls) == 4:
            bazaar.switches.refuse = {"": (429, {"Retry-After": "60"})}
        return REFUNDED.complete(record, send)  # type: ignore[misc]

    slow = replace(REFUNDED, complete=complete)
    with pytest.raises(RetryLater):
        pull(connection, slow)
    assert (orders(), cursor_of(connection).done, last_run(connection).pages) == (["0", "1", "2"], 3, 0)
    bazaar.switches.refuse = {}
    assert pull(connection, slow, limits=Limits(records=1))[:2] == (False, 1)
    assert pull(connection, slow).records == 6
    assert calls == ["0", "1", "2", "3", "3", "4", "5", "6", "7", "8", "9"]
    assert len(orders()) == 10
