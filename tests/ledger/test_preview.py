"""What a review says of a change is what saving it and restating bring."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from ledger.book.reposting import repost, restate
from ledger.cause import Cause
from ledger.kinds import CauseKind
from ledger.models import (
    CogsRule,
    CostChange,
    CostOverride,
    Entry,
    FeeRule,
    ManualCost,
    Order,
    ProfitGoal,
    ProposedChange,
    ShippingRule,
    Store,
    Variant,
    VariantCost,
)
from ledger.models.rules import Rule
from ledger.periods import By, cut
from ledger.rules import preview, proposals
from ledger.rules.rules import RuleRefused, change
from ledger.statements import profit
from tests.builders import a_line, a_payment, a_refund, a_store, an_order, at, book_of, close_through, day, ecb, write

pytestmark = pytest.mark.django_db

NOW = at("2026-05-20 09:00")


def sold(store: Store) -> None:
    """Write orders of three months: discounted, foreign, refunded, paid in different ways."""
    mug, cap = a_line("1", variant="mug"), a_line("2", price="30.00", quantity=2, variant="cap")
    write(
        store,
        an_order("1", lines=[mug, cap], discount="7.00", tax="9.90", shipping="4.90", when="2026-02-27 10:00"),
        an_order("2", lines=[mug], then=[a_refund(line="1", restocked=True, when="2026-04-02 10:00")]),
        an_order("3", lines=[cap], currency="USD", country="US", when="2026-03-31 23:00"),
        an_order("4", lines=[mug, cap], payments=[a_payment("110.00", gateway="PayPal", when="2026-04-05 10:00")], when="2026-04-04 10:00"),
        an_order("5", lines=[mug], test=True), an_order("6", lines=[cap], when="2026-05-01 10:00", gateway="cash"),
    )  # fmt: skip


@pytest.fixture
def store() -> Store:
    days = (day("2026-02-27") + timedelta(days=n) for n in range(80))
    ecb(*(("USD", str(on), f"1.{on.day:02}") for on in days if on.weekday() < 5))
    store = a_store(slug="shop")
    sold(store)
    ads = ManualCost(category="marketing", label="meta_ads", basis="day", amount="20", currency="EUR", effective_from=day("2026-04-01"))
    fee = ManualCost(category="marketing", label="agency", basis="ad_spend", percentage="10", currency="EUR")
    change(store, add=[ads, fee], actor="ann", now=NOW)
    return store


def propose(store: Store, *add: Rule, **more: object) -> ProposedChange:
    return proposals.propose(store, add=add, actor="ann", origin="/admin/", now=NOW, **more)


def by_month(store: Store) -> dict[str, Decimal]:
    """Return net profit by month of the year, as the P&L has it."""
    return {str(each.period.first): each.net_profit for each in profit(book_of(store), cut(day("2026-01-01"), day("2026-12-31"), By.MONTH))}


def entries_of(store: Store) -> tuple[int, int]:
    """Return how many entries a book has, and how many of them reverse others."""
    rows = Entry.objects.filter(book_id=store.pk)
    return rows.count(), rows.filter(reverses=True).count()


def check(proposed: ProposedChange) -> dict[str, object]:
    """Work out what a proposal would do, do it, and hold one against the other; return what was told."""
    store = proposed.store
    book, before, entries = book_of(store), by_month(store), entries_of(store)
    told = preview.effect_of(proposed, now=NOW)
    assert (book_of(store).last_seq, book_of(store).costs_version, by_month(store)) == (book.last_seq, book.costs_version, before)
    proposals.apply(proposed, actor="ann", now=NOW)
    restate(store, cause=Cause(CauseKind.RULE, "rules"))
    after, written = by_month(store), entries_of(store)
    assert {row["month"]: Decimal(row["difference"]) for row in told["months"] if Decimal(row["difference"])} == {
        month: after[month] - before[month] for month in after if after[month] != before[month]
    }
    assert {row["month"]: (Decimal(row["before"]), Decimal(row["after"])) for row in told["months"]} == {
        row["month"]: (before[row["month"]], after[row["month"]]) for row in told["months"]
    }
    assert (told["entries"], told["reversals"]) == (written[0] - entries[0], written[1] - entries[1])
    return told


def mug() -> Variant:
    return Variant.objects.get(external_id="mug")


SPAN = {"effective_from": day("2026-03-01"), "effective_to": day("2026-04-04")}
RULES: dict[str, Callable[[], Rule]] = {
    "store COGS": lambda: CogsRule(percentage="35"),
    "product COGS in a span": lambda: CogsRule(product=mug().product, percentage="10", **SPAN),
    "variant cost": lambda: VariantCost(variant=mug(), goods="7.77", currency="EUR", effective_from=day("2026-03-02")),
    "variant cost in dollars": lambda: VariantCost(variant=mug(), goods="7.77", currency="USD"),
    "fee of a gateway": lambda: FeeRule(gateway="paypal", percentage="3.49", fixed="0.49"),
    "fee in dollars": lambda: FeeRule(currency="USD", percentage="5", fixed="0.30"),
    "shipping": lambda: ShippingRule(position=1, name="abroad", countries="US", amount="12"),
    "one-off cost": lambda: ManualCost(category="marketing", label="influencer", amount="500", currency="EUR", effective_from=day("2026-03-10")),
    "an app every month": lambda: ManualCost(
        category="operating",
        label="app",
        basis="month",
        amount="99",
        currency="EUR",
        effective_from=day("2026-02-15"),
    ),
    "ad spend, which a share follows": lambda: ManualCost(category="marketing", label="meta_ads", amount="500", currency="EUR", **SPAN),
    "a share of ad spend": lambda: ManualCost(category="marketing", label="studio", basis="ad_spend", percentage="5", currency="EUR"),
    "packing per order": lambda: ManualCost(category="fulfilment", label="packing", basis="order", amount="1.10", currency="USD", **SPAN),
    "commission on revenue": lambda: ManualCost(category="marketing", label="affiliate", basis="revenue", percentage="8", currency="EUR"),
    "rent in dollars": lambda: ManualCost(category="operating", label="rent", amount="100", currency="USD", **SPAN),
}


@pytest.mark.parametrize("name", RULES)
def test_what_is_told_is_what_comes(store: Store, name: str) -> None:
    told = check(propose(store, RULES[name]()))
    assert told["entries"] > 0


@pytest.mark.parametrize("name", RULES)
def test_what_is_told_of_an_undo_is_what_comes(store: Store, name: str) -> None:
    change(store, add=[CogsRule(percentage="50"), FeeRule(percentage="1"), ShippingRule(position=1, name="all", amount="1")], actor="ann", now=NOW)
    made = change(store, add=[RULES[name]()], actor="ann", now=NOW)
    restate(store, cause=Cause(CauseKind.RULE, "rules"))
    told = check(proposals.propose_undo(made, actor="ann", origin="/admin/", now=NOW))
    assert told["entries"] > 0


@pytest.mark.parametrize("name", RULES)
def test_corrections_of_closed_days_are_told_where_they_are_booked(store: Store, name: str) -> None:
    close_through(store, "2026-03-31")
    told = check(propose(store, RULES[name]()))
    corrections = [row for row in told["months"] if row["month"] < "2026-04-01"]
    assert corrections == []
    late = name not in ("fee of a gateway", "a share of ad spend")
    assert (told["corrections"] > 0, told["correction_day"]) == ((True, "2026-04-01") if late else (False, None))


def test_the_figures_of_a_change_are_these(store: Store) -> None:
    told = preview.effect_of(propose(store, CogsRule(percentage="30", effective_from=day("2026-04-01"))), now=NOW)
    assert {name: told[name] for name in ("reached", "changed", "entries", "reversals", "corrections", "first", "last", "held")} == {
        "reached": 2, "changed": 2, "entries": 6, "reversals": 3, "corrections": 0, "first": "2026-04-04", "last": "2026-05-01", "held": {},
    }  # fmt: skip
    assert told["months"] == [
        {"month": "2026-04-01", "before": "-627.4900", "after": "-616.4900", "difference": "11.0000"},
        {"month": "2026-05-01", "before": "-404.0000", "after": "-398.0000", "difference": "6.0000"},
    ]
    assert told["orders"] == [
        {"number": "#4", "day": "2026-04-04", "before": "62.5100", "after": "73.5100", "difference": "11.0000"},
        {"number": "#6", "day": "2026-05-01", "before": "36.0000", "after": "42.0000", "difference": "6.0000"},
    ]
    assert (told["bytes"], told["bytes_per_entry"], told["measured"]) == (6 * 170, 170, False)


def test_rules_that_move_no_entry_say_so(store: Store) -> None:
    told = check(propose(store, ProfitGoal(amount="1000")))
    assert (told["entries"], told["months"], told["orders"], told["first"]) == (0, [], [], None)
    told = check(propose(store, CogsRule(percentage="30", effective_from=day("2026-06-01"))))
    assert (told["reached"], told["entries"]) == (0, 0)
    told = check(propose(store, CogsRule(percentage="40")))
    assert (told["reached"], told["changed"], told["entries"]) == (6, 0, 0)


def test_orders_that_would_wait_for_a_rate_are_counted(store: Store) -> None:
    told = preview.effect_of(propose(store, VariantCost(variant=mug(), goods="1", currency="GBP")), now=NOW)
    assert told["held"] == {"GBP": 3}


@pytest.mark.parametrize("rule", [CogsRule(percentage="30"), ShippingRule(name="all", position=1, amount="3")], ids=["by sets", "one by one"])
def test_orders_are_looked_at_chunk_by_chunk_under_the_same_rules(store: Store, rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    proposed = propose(store, rule)
    whole = preview.effect_of(proposed, now=NOW)
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(preview, "CHUNK", 2)
    monkeypatch.setattr(preview, "SET_CHUNK", 2)
    assert preview.effect_of(proposed, now=NOW, progress=lambda done, of: seen.append((done, of))) == whole
    assert seen == [(2, 6), (4, 6), (6, 6)]


def test_nothing_of_a_trial_stays(store: Store) -> None:
    proposed = propose(store, CogsRule(percentage="30"), VariantCost(variant=mug(), goods="1", currency="EUR"))
    preview.effect_of(proposed, now=NOW)
    assert (CostChange.objects.count(), CogsRule.objects.count(), VariantCost.objects.count()) == (1, 0, 0)


def test_what_cannot_be_made_any_more_is_refused(store: Store) -> None:
    change(store, add=[CogsRule(percentage="50")], actor="ann", now=NOW)
    rule = CogsRule.objects.get()
    proposed = proposals.propose(store, remove=[rule], actor="ann", origin="/admin/", now=NOW)
    change(store, remove=[rule], actor="ann", now=NOW)
    with pytest.raises(RuleRefused, match="not there any more"):
        preview.effect_of(proposed, now=NOW)


def test_an_override_that_is_only_tried_is_drafted_by_itself(store: Store) -> None:
    order = Order.objects.get(number="#4")
    told = check(propose(store, CostOverride(order_id=order.pk, line="1", unit_cost="1", currency="EUR")))
    assert (told["reached"], told["entries"], [row["number"] for row in told["orders"]]) == (1, 2, ["#4"])
    told = check(propose(store, CogsRule(percentage="30"), CostOverride(order_id=order.pk, line="2", unit_cost="1", currency="EUR")))
    assert told["reached"] == 6


def test_what_was_only_looked_at_is_not_what_is_restated_by(store: Store) -> None:
    looked, made = propose(store, CogsRule(percentage="30")), CogsRule(percentage="20")
    preview.effect_of(looked, now=NOW)
    change(store, add=[made], actor="ann", now=NOW)
    preview.effect_of(looked, now=NOW)
    restate(store, cause=Cause(CauseKind.RULE, "rules"))
    assert repost(store, cause=Cause(CauseKind.RULE, "rules")) == 0
    assert Order.objects.get(number="#6").cogs == 12
