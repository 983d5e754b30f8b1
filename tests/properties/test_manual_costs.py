"""Whatever costs were entered by hand, taken back and put back, day after day, a book ends as if only the last ones had ever been."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.audit import audit
from ledger.book.reposting import repost
from ledger.cause import Cause
from ledger.costs.accruing import accrue
from ledger.kinds import CauseKind
from ledger.models import CostChange, ManualCost, Partner, PartnerCode, Product, Store
from ledger.models.rules import Rule
from ledger.record import record
from ledger.rules import rules
from ledger.rules.rules import RuleRefused, change
from ledger.rules.undoing import undo
from tests.builders import SYNC, a_store, at, book_of, day, ecb
from tests.ledger_text import entry_rows
from tests.properties import examples
from tests.properties.histories import FIRST, Step, Story, stories, take

pytestmark = pytest.mark.django_db

COLUMNS = ("source", "part", "event_day", "order_day", "account", "channel", "country", "variant", "amount", "how", "original", "currency", "rate")
LAST = at("2026-03-31 12:00")
some = examples.some(12)


@dataclass(frozen=True)
class Cost:
    """A cost as drawn: what it is about, by names, and its days after the first."""

    basis: str
    category: str
    label: str
    cents: int
    currency: str
    vat: int
    about: str
    partner: str
    first: int | None
    days: int | None


@dataclass(frozen=True)
class Code:
    """A discount code of a partner as drawn."""

    code: str
    partner: str
    first: int | None
    days: int | None


@dataclass(frozen=True)
class Days:
    """Some days that pass, at whose end what is due is booked."""

    count: int


_costs = st.builds(
    Cost, st.sampled_from(ManualCost.Basis.values), st.sampled_from(["marketing", "fulfilment", "fees"]),
    st.sampled_from(["rent", "meta_ads", "tiktok-ads"]), st.integers(-500, 99_999), st.sampled_from(["EUR", "EUR", "USD"]),
    st.sampled_from([0, 0, 19]),
    st.sampled_from(["", "", "mug", "pos", "online"]), st.sampled_from(["", "", "Ann", "Bob"]), st.integers(0, 12), st.none() | st.integers(0, 20),
)  # fmt: skip
_maybe = st.none() | st.integers(0, 12)
_codes = st.builds(Code, st.sampled_from(["ONE", "TWO"]), st.sampled_from(["Ann", "Bob"]), _maybe, _maybe)
_told = st.builds(Step, st.just("record"), st.integers(0, 3), st.integers(0, 3))
_withdrawn = st.builds(Step, st.just("withdraw"), st.integers(0, 3))
_undone = st.builds(Step, st.just("undo"))
_passed = st.builds(Days, st.integers(1, 9))
histories = st.lists(st.one_of(_told, _told, _costs, _costs, _costs, _codes, _passed, _withdrawn, _undone), min_size=2, max_size=10)
used_codes = st.lists(st.sampled_from([(), ("ONE",), ("TWO",), ("ONE", "TWO")]), min_size=4, max_size=4)


@pytest.fixture(autouse=True)
def rates() -> None:
    """Know a rate for every working day of March."""
    ecb(*(("USD", f"2026-03-{n:02}", f"1.{n:02}37") for n in range(1, 32) if day(f"2026-03-{n:02}").weekday() < 5))


def a_shop() -> Store:
    """Open a store that knows two partners."""
    store = a_store()
    Partner.objects.bulk_create([Partner(store=store, name=name, kind="affiliate") for name in ("Ann", "Bob")])
    return store


def span(first: int | None, days: int | None) -> dict[str, object]:
    """Return the days a drawn rule holds."""
    starts = None if first is None else FIRST.date() + timedelta(days=first)
    return {"effective_from": starts, "effective_to": None if starts is None or days is None else starts + timedelta(days=days)}


def rule_of(store: Store, drawn: Cost | Code) -> Rule:
    """Make a drawn rule for a store."""
    if isinstance(drawn, Code):
        return PartnerCode(partner=Partner.objects.get(store=store, name=drawn.partner), code=drawn.code, **span(drawn.first, drawn.days))
    of_orders = drawn.basis in ManualCost.OF_ORDERS
    share = drawn.basis in ManualCost.SHARES
    return ManualCost(
        basis=drawn.basis, category=drawn.category if of_orders else "marketing", label="agency" if drawn.basis == "ad_spend" else drawn.label,
        amount=None if share else Decimal(drawn.cents) / 100, percentage=Decimal(abs(drawn.cents) % 100) if share else None, currency=drawn.currency,
        includes_vat=drawn.vat > 0, vat_percentage=drawn.vat, channel=drawn.about if drawn.about in ("pos", "online") else "",
        product=Product.objects.filter(store=store, external_id="mug").first() if drawn.about == "mug" and of_orders else None,
        partner=Partner.objects.filter(store=store, name=drawn.partner).first(), **span(drawn.first, drawn.days),
    )  # fmt: skip


def restated(store: Store) -> None:
    """Draft every order again, as the worker would."""
    repost(store, cause=Cause(CauseKind.RULE, "rules"))


def play(store: Store, told: tuple[Story, ...], steps: list[Step | Cost | Code | Days]) -> None:
    """Live through a history: orders told, costs set and undone, days that pass."""
    now = FIRST
    for step in steps:
        if isinstance(step, Days):
            now += timedelta(days=step.count)
            accrue(store, today=now.date(), now=now)
        elif isinstance(step, Cost | Code):
            change(store, add=[rule_of(store, step)], actor="ann", now=now)
            restated(store)
        elif step.kind == "undo":
            latest = CostChange.objects.filter(store=store).order_by("-pk").first()
            try:
                if latest is not None:
                    undo(latest, actor="ann", now=now)
                    restated(store)
            except RuleRefused:
                pass
        else:
            order = step.order % len(told)
            take(store, told, Step(step.kind, order, step.version % len(told[order])))


def in_another(store: Store, rule: Rule) -> Rule:
    """Return the same rule for what another store calls the same."""
    same = rules.copy_of(rule)
    if getattr(rule, "product_id", None):
        same.product = Product.objects.get(store=store, external_id="mug")
    if getattr(rule, "partner_id", None):
        same.partner = Partner.objects.get(store=store, name=rule.partner.name)
    return same


def live_rows(store: Store) -> list[tuple[str, ...]]:
    """Return what is live, by names rather than numbers."""
    return sorted(tuple(row[name] for name in COLUMNS) for row in entry_rows(store, live=True))


@some
@given(stories, used_codes, histories)
def test_a_book_ends_as_if_only_the_last_costs_had_ever_been(told: tuple[Story, ...], codes: list, steps: list) -> None:
    told = tuple(tuple(msgspec.structs.replace(fact, discount_codes=codes[number]) for fact in story) for number, story in enumerate(told))
    last = [story[-1] for story in told]
    lived, fresh = a_shop(), a_shop()
    play(lived, told, steps)
    record(lived, last, cause=SYNC)
    accrue(lived, today=LAST.date(), now=LAST)
    # The fresh store must know the products before a cost can be about them; these are taken back at once.
    record(fresh, last, cause=SYNC)
    take(fresh, told, Step("withdraw", 0))
    standing = [in_another(fresh, rule) for kind in (ManualCost, PartnerCode) for rule in rules.live(kind, lived)]
    if standing:
        change(fresh, add=standing, actor="ann", now=LAST)
    restated(fresh)
    record(fresh, last, cause=SYNC)
    accrue(fresh, today=LAST.date(), now=LAST)
    assert live_rows(lived) == live_rows(fresh)
    assert {name: problems for name, problems in audit(book_of(lived)).items() if problems} == {}
