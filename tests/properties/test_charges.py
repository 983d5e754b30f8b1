"""Whatever comes first, orders or what files charge them with, a book ends the same."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.audit import audit
from ledger.charges.charge_rows import of_cause
from ledger.charges.charges import ChargeFact, attach_waiting, record_charges, remove
from ledger.kinds import ChargeKind, ChargeStatus
from ledger.models import OrderCharge, Store
from ledger.record import record
from tests.builders import SYNC, a_store, book_of, day, ecb
from tests.ledger_text import entry_rows
from tests.properties import examples
from tests.properties.histories import FIRST, UNDO, Step, Story, stories, take

pytestmark = pytest.mark.django_db

COLUMNS = ("source", "event_day", "order_day", "account", "channel", "country", "variant", "amount", "how", "original", "currency", "rate")
"""All but the part, which is the charge's own number."""
some = examples.some(12)

_facts = st.builds(
    ChargeFact, st.sampled_from(ChargeKind), st.integers(0, 4).map(lambda number: f"o{number}"), st.sampled_from(["a", "b"]),
    st.integers(-500, 900).map(lambda cents: cents * 100), st.sampled_from(["EUR", "EUR", "USD"]),
    st.none() | st.integers(0, 9).map(lambda days: FIRST.date() + timedelta(days=days)), st.sampled_from(ChargeStatus),
    covers=st.integers(0, 3).map(lambda units: units * 25 * 10_000), processor=st.sampled_from(["", "stripe", "paypal"]),
)  # fmt: skip
_told = st.builds(Step, st.just("record"), st.integers(0, 3), st.integers(0, 3))
_withdrawn = st.builds(Step, st.just("withdraw"), st.integers(0, 3))
_removed = st.builds(Step, st.just("remove"), number=st.integers(0, 3))
histories = st.lists(st.one_of(_told, _told, _facts, _facts, _facts, _withdrawn, _removed), min_size=2, max_size=10)


@pytest.fixture(autouse=True)
def rates() -> None:
    """Know a rate for every day that orders and charges fall on."""
    ecb(*(("USD", f"2026-03-{n:02}", f"1.{n:02}37") for n in range(1, 32) if day(f"2026-03-{n:02}").weekday() < 5))


def play(store: Store, told: tuple[Story, ...], steps: list[Step | ChargeFact]) -> None:
    """Live through a history: orders told and withdrawn, charges told and taken back."""
    for number, step in enumerate(steps):
        if isinstance(step, ChargeFact):
            record_charges(store, [step], cause_ref=f"import:{number}", actor="", now=FIRST)
        elif step.kind == "remove":
            remove(store, cause_ref=f"import:{step.number}", cause=UNDO, now=FIRST)
        else:
            order = step.order % len(told)
            take(store, told, Step(step.kind, order, step.version % len(told[order])))


def standing(store: Store) -> list[ChargeFact]:
    """Return the charges that stand as facts."""
    rows = OrderCharge.objects.filter(store=store, removed_at=None).order_by("pk")
    return [
        ChargeFact(
            ChargeKind(row.kind), row.order_ref, row.reference, int(row.amount * 10_000), row.currency, row.day, ChargeStatus(row.status),
            covers=int(row.covers * 10_000), processor=row.processor,
        )
        for row in rows
    ]  # fmt: skip


def live_rows(store: Store) -> list[tuple[str, ...]]:
    """Return what is live, by names rather than numbers."""
    return sorted(tuple(row[name] for name in COLUMNS) for row in entry_rows(store, live=True))


@some
@given(stories, histories)
def test_a_book_ends_as_if_its_orders_came_first_and_its_charges_once(told: tuple[Story, ...], steps: list[Step | ChargeFact]) -> None:
    lived, fresh = a_store(), a_store()
    play(lived, told, steps)
    last = [story[-1] for story in told]
    record(lived, last, cause=SYNC)
    record(fresh, last, cause=SYNC)
    record_charges(fresh, standing(lived), cause_ref="import:99", actor="", now=FIRST)
    assert live_rows(lived) == live_rows(fresh)
    assert attach_waiting(lived, cause=UNDO) == 0
    assert {name: problems for name, problems in audit(book_of(lived)).items() if problems} == {}
    assert of_cause(fresh.pk, "import:99") == sorted(OrderCharge.objects.filter(store=fresh).values_list("pk", flat=True))
