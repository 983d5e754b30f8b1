"""Posting: batches in one sequence, totals that move with the entries, reposts, undo and explanations."""

from decimal import Decimal

import pytest
from django.db import transaction

from ledger.book.explain import changes
from ledger.book.reposting import costs_changed, is_restating, repost, withdraw
from ledger.book.totals import recompute
from ledger.cause import Cause
from ledger.drafts.entry import EntryDraft
from ledger.kinds import Basis, CauseKind
from ledger.models import Batch, CogsRule, CostDefaults, Order, OrderLine
from ledger.posting import NOTHING, CostsMoved, hold_book, post
from ledger.rules.rules import change
from tests.builders import SYNC, a_line, a_refund, a_store, an_order, at, book_of, write
from tests.ledger_text import assert_entries, assert_statement, assert_totals, statement

pytestmark = pytest.mark.django_db

RULE = Cause(CauseKind.RULE, "costs:2", "ann@example.com")


def test_late_refund_restates_its_own_day_not_today():
    store = a_store()
    write(store, an_order(updated="2026-03-03 12:00"))
    write(store, an_order("2", when="2026-03-20 12:00"))
    write(store, an_order(updated="2026-03-21 12:00", then=[a_refund(when="2026-03-10 12:00")]))
    assert_entries(store, "seq day account amount\n 3 2026-03-10 sales:returns -50.00", only=("sales:returns",))
    assert_statement(store, "2026-03-10", "returns -50.00\n net_profit -50.00\n returned_units 1")
    assert_statement(store, "2026-03-20", "gross_sales 50.00\n cogs -20.00\n fees -1.75\n net_profit 28.25\n orders 1\n units 1")


def test_totals_carry_day_account_channel_and_the_estimated_part():
    store = a_store()
    goods = [a_line("1", cost="15.00"), a_line("2")]
    write(store, an_order("1", lines=goods, then=[a_refund()]), an_order("2", channel="pos"))
    assert_totals(
        store,
        """
        day        account             channel amount estimated
        2026-03-03 sales:gross         online  100.00      0.00
        2026-03-03 sales:gross         pos      50.00      0.00
        2026-03-03 cogs:product        online  -35.00    -20.00
        2026-03-03 cogs:product        pos     -20.00    -20.00
        2026-03-03 fees:payment        online   -3.20     -3.20
        2026-03-03 fees:payment        pos      -1.75     -1.75
        2026-03-03 stat:orders         online       1         0
        2026-03-03 stat:orders         pos          1         0
        2026-03-03 stat:units          online       2         0
        2026-03-03 stat:units          pos          1         0
        2026-03-10 sales:returns       online  -50.00      0.00
        2026-03-10 stat:returned_units online       1         0
        """,
    )


def test_order_basis_counts_everything_on_the_orders_day():
    store = a_store()
    write(store, an_order(then=[a_refund("20.00")]))
    assert_totals(
        store,
        """
        day        account             amount
        2026-03-03 sales:gross          50.00
        2026-03-03 sales:returns       -20.00
        2026-03-03 cogs:product        -20.00
        2026-03-03 fees:payment         -1.75
        2026-03-03 stat:orders              1
        2026-03-03 stat:units               1
        2026-03-03 stat:returned_units      1
        """,
        basis=Basis.ORDER,
    )


def test_rebuilt_totals_are_the_same():
    store = a_store()
    write(store, an_order(then=[a_refund("20.00")]))
    table = "day account amount\n 2026-03-03 sales:gross 50.00\n 2026-03-10 sales:returns -20.00"
    with transaction.atomic():
        hold_book(store.pk)
        assert recompute(store.pk) == 31
    assert_totals(store, table, only=("sales",))


def test_a_changed_rule_restates_the_day_it_belongs_to():
    store = a_store()
    write(store, an_order())
    CostDefaults.objects.update(cogs_percentage=Decimal(50))
    costs_changed(store)
    assert is_restating(store)
    assert repost(store, cause=RULE) == 2
    assert not is_restating(store)
    assert_entries(
        store,
        """
        seq day        revision reverses amount
        1   2026-03-03 1        no       -20.00
        2   2026-03-03 1        yes       20.00
        2   2026-03-03 2        no       -25.00
        """,
        only=("cogs",),
    )
    assert repost(store, cause=RULE) == 0


def test_a_products_percentage_beats_the_stores_and_the_stores_the_default():
    store = a_store()
    write(store, an_order(lines=3))
    mug = OrderLine.objects.get(store_id=store.pk, external_id="1").variant.product
    change(store, add=[CogsRule(percentage=30), CogsRule(percentage="12.5", product=mug)], actor="ann@example.com", now=at("2026-03-20 09:00"))
    repost(store, cause=RULE)
    table = "variant amount how\n v1 -6.25 estimated\n v2 -15.00 estimated\n v3 -15.00 estimated"
    assert_entries(store, table, only=("cogs",), live=True)


def test_undone_import_leaves_no_live_entry_and_comes_back_under_the_same_order():
    store = a_store()
    write(store, an_order(customer="ann"), cause=Cause(CauseKind.IMPORT, "import:7"))
    pk = Order.objects.get(store=store).pk
    withdraw(store, [pk], cause=Cause(CauseKind.UNDO, "import:7"), now=at("2026-03-30 12:00"))
    assert_entries(store, "account amount", live=True)
    assert_statement(store, "2026-03-03", "")
    write(store, an_order(customer="ann"))
    assert Order.objects.get(store=store).pk == pk
    assert_statement(store, "2026-03-03", "gross_sales 50.00\n cogs -20.00\n fees -1.75\n net_profit 28.25\n orders 1\n units 1\n new_customers 1")


def test_batches_are_numbered_without_a_gap_and_time_never_goes_back():
    store = a_store()
    for number in range(1, 4):
        write(store, an_order(str(number)))
    rows = list(Batch.objects.filter(book_id=store.pk).order_by("seq"))
    assert [(row.seq, row.entries, row.cause, row.cause_ref) for row in rows] == [(1, 5, 1, "sync:1"), (2, 5, 1, "sync:1"), (3, 5, 1, "sync:1")]
    assert [row.recorded_at for row in rows] == sorted(row.recorded_at for row in rows)
    assert (book_of(store).last_seq, book_of(store).last_recorded_at) == (3, rows[-1].recorded_at)


def test_posting_refuses_drafts_made_before_a_cost_rule_changed():
    store = a_store()
    version = costs_changed(store)
    with pytest.raises(CostsMoved):
        post(store.pk, {}, cause=SYNC, costs_version=version - 1)
    assert post(store.pk, {}, cause=SYNC, costs_version=version) == NOTHING


def test_changes_between_two_views_add_up_to_their_difference():
    store = a_store()
    write(store, an_order(updated="2026-03-03 12:00"))
    write(store, an_order(updated="2026-03-10 12:00", then=[a_refund("20.00")]))
    CostDefaults.objects.update(cogs_percentage=Decimal(50))
    repost(store, cause=RULE)
    told = [
        (c.seq, c.cause, c.cause_ref, c.actor, c.account, str(c.added), str(c.reversed), str(c.amount))
        for c in changes(book_of(store), after=1, through=3)
    ]
    assert told == [
        (2, "sync", "sync:1", "", "sales:returns", "-20.0000", "0", "-20.0000"),
        (2, "sync", "sync:1", "", "stat:returned_units", "1.0000", "0", "1.0000"),
        (3, "rule", "costs:2", "ann@example.com", "cogs:product", "-25.0000", "20.0000", "-5.0000"),
    ]
    before, after = (statement(store, "2026-03-01", "2026-03-31", as_of=seq).net_profit for seq in (1, 3))
    assert (str(before), str(after)) == ("28.2500", "3.2500")


def test_reversal_is_the_mirror_of_its_draft():
    entry = EntryDraft(1, 1, 9558, 500_000, False, 9558, 1, 0)
    assert entry.mirrored() == EntryDraft(1, 1, 9558, -500_000, False, 9558, 1, 0)
    assert entry.mirrored().mirrored() == entry
