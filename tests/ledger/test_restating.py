"""Restating after changes of costs: what they reach is drafted again, once, and nothing else is looked at."""

from decimal import Decimal

import pytest
from django.db import connection, transaction

from ledger.accounts import COGS_PRODUCT
from ledger.book import reposting
from ledger.book.reposting import costs_changed, is_restating, repost, restate
from ledger.cause import Cause
from ledger.drafts import DRAFT_VERSION
from ledger.kinds import CauseKind, FinancialStatus
from ledger.models import Batch, CogsRule, CostDefaults, CostOverride, FeeRule, Order, OrderLine, ProfitGoal, Store, Variant, VariantCost
from ledger.models.rules import Rule
from ledger.restating.cogs import restate_cogs
from ledger.rules import reach
from ledger.rules.rules import change
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.builders import a_cost, a_line, a_refund, a_store, an_edit, an_order, at, book_of, close_through, day, ecb, write
from tests.ledger_text import assert_entries

pytestmark = pytest.mark.django_db

NOW = at("2026-03-20 09:00")
RULE = Cause(CauseKind.RULE, "costs")


@pytest.fixture
def store() -> Store:
    """Return a store that sold a mug on the third of March, a cap on the fourth, both on the fifth."""
    store = a_store(slug="shop")
    mug, cap = a_line("1", variant="mug"), a_line("2", variant="cap")
    for number, lines in (("3", [mug]), ("4", [cap]), ("5", [mug, cap])):
        write(store, an_order(number, lines=lines, when=f"2026-03-0{number} 12:00"))
    return store


def make(store: Store, *add: Rule) -> None:
    change(store, add=add, actor="ann@example.com", now=NOW)


def looked_at(store: Store) -> tuple[int, list[tuple[int, int]]]:
    """Restate, and return the entries that wrote with the progress that was told."""
    told: list[tuple[int, int]] = []
    return restate(store, cause=RULE, progress=lambda done, whole: told.append((done, whole))), told


def mug_cost(goods: str) -> VariantCost:
    return VariantCost(variant=Variant.objects.get(external_id="mug"), goods=goods, currency="EUR")


def test_only_what_a_change_reaches_is_looked_at(store: Store) -> None:
    make(store, mug_cost("7.00"))
    assert looked_at(store) == (4, [(2, 2)])
    make(store, CogsRule(percentage=30, effective_from=day("2026-03-05")))
    assert looked_at(store) == (2, [(1, 1)])
    make(store, FeeRule(gateway="paypal", percentage=5))
    assert looked_at(store) == (0, [])
    assert not is_restating(store)


def test_a_change_that_reaches_orders_and_moves_nothing_writes_nothing(store: Store) -> None:
    make(store, CogsRule(percentage=40, effective_to=day("2026-03-04")))
    assert looked_at(store) == (0, [(2, 2)])
    assert set(OrderLine.objects.filter(order_id=Order.objects.get(number="#3").pk).values_list("cost_source", flat=True)) == {5}


def test_changes_in_quick_succession_are_one_run(store: Store) -> None:
    make(store, mug_cost("7.00"))
    make(store, mug_cost("8.00"))
    make(store, CogsRule(percentage=30, effective_to=day("2026-03-03")))
    assert book_of(store).costs_version == 3
    assert looked_at(store) == (4, [(2, 2)])
    assert book_of(store).restated_version == 3
    assert looked_at(store) == (0, [])


def test_what_is_no_kept_change_reaches_every_order(store: Store) -> None:
    CostDefaults.objects.update(cogs_percentage=Decimal(50))
    costs_changed(store)
    make(store, mug_cost("7.00"))
    assert looked_at(store) == (8, [(3, 3)])


def test_orders_drafted_by_an_older_version_are_all_drafted_again(store: Store) -> None:
    Order.objects.filter(number="#4").update(draft_version=0)
    make(store, mug_cost("7.00"))
    assert looked_at(store) == (4, [(3, 3)])
    assert set(Order.objects.values_list("draft_version", flat=True)) == {DRAFT_VERSION}


def test_a_profit_goal_moves_no_order(store: Store) -> None:
    make(store, ProfitGoal(amount=100))
    assert not Job.objects.exists()
    assert not is_restating(store)


def test_a_change_made_while_another_is_restated_is_left_to_the_next_run(store: Store) -> None:
    make(store, mug_cost("7.00"))
    restate(store, cause=RULE, progress=lambda done, whole: make(store, CogsRule(percentage=30, effective_to=day("2026-03-04"))))
    assert (book_of(store).restated_version, is_restating(store)) == (1, True)
    assert looked_at(store) == (2, [(2, 2)])
    assert repost(store, cause=RULE) == 0


@pytest.mark.django_db(transaction=True)
def test_the_background_job_restates(store: Store) -> None:
    make(store, mug_cost("7.00"))
    make(store, mug_cost("9.00"))
    job = Job.objects.get(state="waiting")
    run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.whole, is_restating(store)) == ("done", 2, 2, False)
    assert repost(store, cause=RULE) == 0


def by_sets(store: Store) -> tuple[int, list[str]]:
    """Restate every order by sets, and return the entries written and the orders left to be drafted one by one."""
    ids = list(Order.objects.filter(store=store).order_by("pk").values_list("pk", flat=True))
    with transaction.atomic():
        done = restate_cogs(store, ids, cause=RULE)
    return done.posting.added, list(Order.objects.filter(pk__in=done.left).order_by("pk").values_list("number", flat=True))


def test_what_sets_cannot_do_exactly_is_left_alone() -> None:
    store = a_store(slug="shop")
    ecb(("USD", "2026-03-03", "1.25"))
    cup, back = [a_line("1", quantity=2, variant="cup")], {"quantity": 1, "restocked": True}
    write(
        store,
        an_order("plain", lines=cup, then=[a_refund(**back)]),
        an_order("unpaid", lines=cup, status=FinancialStatus.PENDING),
        an_order("stated", lines=[a_line("1", cost="3.00", variant="imported")]),
        an_order("foreign", lines=cup, currency="USD"),
        an_order("held", lines=cup, currency="JPY"),
        an_order("foreign cost", lines=[a_line("1", variant="imported")]),
        an_order("set by hand", lines=cup),
        an_order("too much back", lines=cup, then=[a_refund(quantity=3, restocked=True)]),
        an_order("sold again", lines=cup, then=[a_refund(**back, when="2026-03-04 12:00"), an_edit()]),
        an_order("taken out", lines=cup, then=[an_edit("-50.00", quantity=-1)]),
        an_order("a cost of goods", lines=cup, costs=[a_cost(COGS_PRODUCT, "-1.00")]),
    )
    make(
        store, CogsRule(percentage=10), VariantCost(variant=Variant.objects.get(external_id="imported"), goods=5, currency="USD"),
        CostOverride(order_id=Order.objects.get(number="#set by hand").pk, line="1", unit_cost=1, currency="EUR"),
    )  # fmt: skip
    left = ["#a cost of goods", "#foreign", "#foreign cost", "#held", "#set by hand", "#sold again", "#too much back"]
    assert by_sets(store) == (8, left)
    assert by_sets(store) == (0, left)
    assert restate(store, cause=RULE) == 18
    assert repost(store, cause=RULE) == 0


def test_sets_round_half_to_even_and_give_back_what_was_booked() -> None:
    store = a_store()
    goods = [a_line("1", price="0.10"), a_line("2", price="0.30"), a_line("3", price="0.30", quantity=4)]
    back = [a_refund("0.30", line="3", restocked=True, external_id=f"r{9 - n}", when=f"2026-03-1{n} 12:00") for n in range(3)]
    write(store, an_order(lines=goods, then=back))
    make(store, CogsRule(percentage=5))
    assert by_sets(store) == (11, [])
    assert_entries(
        store,
        """
        day        variant amount how
        2026-03-03 v2      -0.02 estimated
        2026-03-03 v3      -0.06 estimated
        2026-03-10 v3       0.02 estimated
        2026-03-11 v3       0.01 estimated
        2026-03-12 v3       0.01 estimated
        """,
        only=["cogs"], live=True,
    )  # fmt: skip


def test_sets_correct_closed_days_on_the_first_open_one_in_a_batch_of_their_own(store: Store) -> None:
    close_through(store, "2026-03-04")
    make(store, CogsRule(percentage=30))
    assert by_sets(store) == (8, [])
    assert_entries(
        store,
        """
        seq day        event_day  revision reverses amount
        4   2026-03-05 2026-03-05 1        yes       20.00
        4   2026-03-05 2026-03-05 1        yes       20.00
        4   2026-03-05 2026-03-05 2        no       -15.00
        4   2026-03-05 2026-03-05 2        no       -15.00
        5   2026-03-05 2026-03-03 1        yes       20.00
        5   2026-03-05 2026-03-03 2        no       -15.00
        5   2026-03-05 2026-03-04 1        yes       20.00
        5   2026-03-05 2026-03-04 2        no       -15.00
        1   2026-03-03 2026-03-03 1        no       -20.00
        2   2026-03-04 2026-03-04 1        no       -20.00
        3   2026-03-05 2026-03-05 1        no       -20.00
        3   2026-03-05 2026-03-05 1        no       -20.00
        """,
        only=["cogs"],
    )
    batches = Batch.objects.filter(book_id=store.pk, seq__gte=4).order_by("seq").values_list("cause", "cause_ref", "entries")
    assert list(batches) == [(CauseKind.RULE, "costs", 4), (CauseKind.CORRECTION, "closed period; costs", 4)]


def test_an_order_that_is_gone_meanwhile_is_passed_over(store: Store) -> None:
    make(store, CogsRule(percentage=30))
    with transaction.atomic():
        done = restate_cogs(store, [1, 2, *Order.objects.values_list("pk", flat=True)], cause=RULE)
    assert (done.posting.added, done.left) == (8, [])


def test_a_gateway_that_is_named_with_spaces_is_reached(store: Store) -> None:
    write(store, an_order("6", gateway="PayPal\t"))
    make(store, FeeRule(gateway="paypal", percentage=10))
    assert looked_at(store) == (2, [(1, 1)])


def test_a_variant_that_arrives_late_under_an_early_number_has_its_products_percentage(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('ledger_variant', 'id'))")
        (early,) = cursor.fetchone()
    write(store, an_order("6", lines=[a_line("3", variant="newest")]))
    mugs = Variant.objects.get(external_id="mug").product
    make(store, CogsRule(product=mugs, percentage=10), CogsRule(percentage=50))

    def arrive(done: int, whole: int) -> None:
        if done == 1:
            Variant.objects.create(pk=early, store=store, product=mugs, platform="shop", external_id="early")
            write(store, an_order("7", lines=[a_line("4", variant="early")]))

    monkeypatch.setattr(reach, "READ_AHEAD", 1)
    monkeypatch.setattr(reposting, "SET_CHUNK", 1)
    restate(store, cause=RULE, progress=arrive)
    assert Order.objects.get(number="#7").cogs == 5
    assert repost(store, cause=RULE) == 0
