"""Recording: replays write nothing, older facts change nothing, changes write only their difference."""

import pytest
from django.db import transaction
from msgspec.structs import replace

from ledger.facts import known_by
from ledger.kinds import FinancialStatus
from ledger.models import Batch, Customer, Entry, Order, OrderLine, Variant
from ledger.record import tell_ids
from tests.builders import a_line, a_refund, a_store, an_edit, an_order, at, write
from tests.ledger_text import assert_entries, assert_statement, entry_rows

pytestmark = pytest.mark.django_db


def test_recording_the_same_facts_again_writes_nothing():
    store = a_store()
    facts = [an_order("1"), an_order("2", then=[a_refund()])]
    first = write(store, *facts)
    again = write(store, *facts)
    assert (first.new, first.changed, first.unchanged, first.entries, first.batches) == (2, 0, 0, 12, (1,))
    assert (again.new, again.changed, again.unchanged, again.entries, again.batches) == (0, 0, 2, 0, ())
    assert Batch.objects.filter(book_id=store.pk).count() == 1


def test_a_change_writes_only_what_differs():
    store = a_store()
    write(store, an_order(updated="2026-03-03 12:00"))
    changed = write(store, an_order(updated="2026-03-10 12:00", then=[a_refund("20.00")]))
    assert (changed.changed, changed.entries) == (1, 2)
    assert_entries(
        store,
        """
        seq account              revision reverses amount
        1   sales:gross          1        no        50.00
        1   cogs:product         1        no       -20.00
        1   fees:payment         1        no        -1.75
        1   stat:orders          1        no            1
        1   stat:units           1        no            1
        2   sales:returns        1        no       -20.00
        2   stat:returned_units  1        no            1
        """,
    )


def test_a_corrected_amount_is_a_reversal_and_a_new_revision():
    store = a_store()
    write(store, an_order(fee="1.00"))
    write(store, an_order(fee="1.20"))
    write(store, an_order(fee="1.00"))
    assert_entries(
        store,
        """
        seq account      revision reverses amount
        1   fees:payment 1        no        -1.00
        2   fees:payment 1        yes        1.00
        2   fees:payment 2        no        -1.20
        3   fees:payment 2        yes        1.20
        3   fees:payment 3        no        -1.00
        """,
        only=("fees",),
    )


def test_an_entry_that_vanished_and_came_back_gets_the_next_revision():
    store = a_store()
    write(store, an_order(tip="3.00"))
    write(store, an_order())
    write(store, an_order(tip="3.00"))
    assert_entries(
        store,
        """
        seq revision reverses amount
        1   1        no         3.00
        2   1        yes       -3.00
        3   2        no         3.00
        """,
        only=("sales:other",),
    )


def test_an_older_fact_changes_nothing():
    store = a_store()
    write(store, an_order(updated="2026-03-10 12:00", then=[a_refund()]))
    late = write(store, an_order(updated="2026-03-03 12:00"))
    assert (late.unchanged, late.entries) == (1, 0)
    assert_entries(store, "account amount\n sales:gross 50.00\n sales:returns -50.00", only=("sales",))


def test_the_newest_of_one_calls_facts_wins_whatever_their_order():
    store = a_store()
    done = write(store, an_order(updated="2026-03-10 12:00", then=[a_refund()]), an_order(updated="2026-03-03 12:00"))
    assert (done.new, done.entries) == (1, 7)
    assert Order.objects.get(store=store).platform_updated_at == at("2026-03-10 12:00")


def test_facts_of_two_platforms_do_not_share_a_call():
    with pytest.raises(ValueError, match="one platform"):
        write(a_store(), an_order("1", platform="shop"), an_order("1", platform="market"))


def test_the_same_number_on_two_platforms_is_two_orders():
    store = a_store()
    write(store, an_order("1", platform="shop"))
    write(store, an_order("1", platform="market"))
    assert_statement(store, "2026-03-03", "gross_sales 100.00\n cogs -40.00\n fees -3.50\n net_profit 56.50\n orders 2\n units 2")


def test_nothing_is_recorded_when_there_are_no_facts():
    done = write(a_store())
    assert (done.new, done.changed, done.unchanged, done.entries) == (0, 0, 0, 0)


def test_order_row_keeps_the_products_base_formulas():
    store = a_store()
    write(store, an_order(lines=2, discount="5.00", shipping="4.90", tax="18.05", shipping_tax="0.93", then=[a_refund("40.00", tax="7.60")]))
    order = Order.objects.get(store=store)
    named = {
        name: str(getattr(order, name)) for name in ("revenue", "cogs", "shipping", "tax", "payment_fees", "other_fees", "fees", "profit", "margin")
    }
    assert named == {
        "revenue": "71.2800", "cogs": "40.0000", "shipping": "4.9000", "tax": "11.3800", "payment_fees": "3.7500", "other_fees": "0.0000",
        "fees": "15.1300", "profit": "11.2500", "margin": "15.7828",
    }  # fmt: skip


def test_margin_of_an_order_without_revenue_is_undefined():
    store = a_store()
    write(store, an_order(discount="50.00"))
    assert Order.objects.get(store=store).margin is None


def test_line_keeps_its_unit_cost_and_the_reason_for_it():
    store = a_store()
    write(store, an_order(lines=[a_line("1", cost="12.00"), a_line("2")]))
    rows = OrderLine.objects.filter(store_id=store.pk).order_by("part").values_list("unit_cost", "cost_source", "cost_percentage")
    assert [(str(cost), source, str(share)) for cost, source, share in rows] == [("12.0000", 1, "None"), ("20.0000", 6, "40.0000")]


def test_variants_are_made_once_and_shared():
    store = a_store()
    write(store, an_order("1", lines=[a_line("1", variant="mug")]), an_order("2", lines=[a_line("9", variant="mug")]))
    write(store, an_order("3", lines=[a_line("1", variant="mug"), a_line("2", variant=None)]))
    assert [variant.external_id for variant in Variant.objects.filter(store=store)] == ["mug"]


def test_new_customer_counts_on_the_day_of_the_first_order():
    store = a_store()
    write(store, an_order("1", customer="ann"), an_order("2", customer="ann", when="2026-03-04 12:00"))
    assert_entries(store, "source day account amount\n ann 2026-03-03 stat:new_customers 1", only=("stat:new_customers",))
    customer = Customer.objects.get(store=store)
    assert (customer.order_count, customer.first_order_at) == (2, at("2026-03-03 12:00"))


def test_new_customer_moves_when_an_earlier_order_arrives_late():
    store = a_store()
    write(store, an_order("2", customer="ann", when="2026-03-04 12:00"))
    write(store, an_order("1", customer="ann", when="2026-03-01 12:00"))
    assert_entries(
        store,
        """
        seq day        reverses amount
        1   2026-03-04 no            1
        2   2026-03-04 yes          -1
        2   2026-03-01 no            1
        """,
        only=("stat:new_customers",),
    )


def test_order_that_changes_hands_recounts_both_customers():
    store = a_store()
    write(store, an_order(customer="ann"))
    write(store, an_order(customer="bob"))
    assert_entries(store, "source amount\n bob 1", only=("stat:new_customers",), live=True)
    assert sorted(Customer.objects.filter(store=store).values_list("order_count", flat=True)) == [0, 1]


def test_an_unpaid_order_makes_no_new_customer():
    store = a_store()
    write(store, an_order(customer="ann", status=FinancialStatus.PENDING))
    assert_entries(store, "source amount", only=("stat",))


def test_parts_stay_when_events_are_added_before_others():
    store = a_store()
    write(store, an_order(then=[an_edit("10.00", external_id="b", when="2026-03-06 12:00")]))
    done = write(
        store, an_order(then=[an_edit("5.00", external_id="a", when="2026-03-05 12:00"), an_edit("10.00", external_id="b", when="2026-03-06 12:00")])
    )
    assert_entries(
        store,
        """
        seq part day        amount
        1   1    2026-03-03  50.00
        1   2    2026-03-06  10.00
        2   3    2026-03-05   5.00
        """,
        only=("sales:gross",),
    )
    assert done.entries == 3


def test_a_file_does_not_override_what_a_platform_told_with_its_time_of_change() -> None:
    store = a_store()
    write(store, an_order(updated="2026-03-03 12:00"))
    of_a_file = write(store, an_order(then=[a_refund()]))
    assert (of_a_file.changed, of_a_file.unchanged) == (0, 1)
    assert str(Order.objects.get(store=store).revenue) == "50.0000"


def test_a_platform_overrides_a_file_and_posts_the_difference() -> None:
    store = a_store()
    write(store, an_order(shipping="5.00"))
    told = write(store, an_order(updated="2026-03-03 12:00", shipping="4.00"))
    assert told.changed == 1
    assert_entries(store, "amount reverses\n 5.00 no\n -5.00 yes\n 4.00 no", only=["sales:shipping"])


def test_an_order_known_by_its_number_is_the_one_of_that_number_whose_id_is_told() -> None:
    store = a_store()
    by_number = replace(an_order("1001"), external_id=known_by("#1001"))
    write(store, by_number)
    assert write(store, an_order("1001", updated="2026-03-03 12:00")).changed == 1
    assert write(store, by_number).unchanged == 1
    assert list(Order.objects.filter(store=store).values_list("external_id", "number")) == [("1001", "#1001")]
    assert Entry.objects.filter(book_id=store.pk, reverses=True).count() == 0


def test_a_number_told_later_joins_the_order_whose_id_is_known() -> None:
    store = a_store()
    write(store, an_order("1001"), an_order("1002"))
    done = write(store, replace(an_order("1001", shipping="5.00"), external_id=known_by("#1001")))
    assert (done.new, done.changed, Order.objects.filter(store=store).count()) == (0, 1, 2)
    assert str(Order.objects.get(store=store, external_id="1001").revenue) == "55.0000"


def test_an_id_can_be_told_alone() -> None:
    store = a_store()
    write(store, replace(an_order("1001"), external_id=known_by("#1001")), an_order("1002"))
    with transaction.atomic():
        tell_ids(store, [an_order("1001"), an_order("1002")])
    assert sorted(Order.objects.filter(store=store).values_list("external_id", flat=True)) == ["1001", "1002"]


def test_entries_of_an_estimated_sale_are_estimated() -> None:
    store = a_store()
    write(store, an_order(tax="9.50", then=[replace(a_refund(tax="9.50", restocked=True), estimated=True)]))
    rows = {(row["day"], row["account"]): row["how"] for row in entry_rows(store) if row["day"] == "2026-03-10"}
    assert rows == {
        ("2026-03-10", "sales:returns"): "estimated", ("2026-03-10", "memo:tax"): "estimated",
        ("2026-03-10", "cogs:product"): "estimated", ("2026-03-10", "stat:returned_units"): "estimated",
    }  # fmt: skip
