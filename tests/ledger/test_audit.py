"""The audit is silent about a sound book and finds each kind of damage."""

import pytest
from django.db import connection

from ledger import audit
from ledger.models import Finding, ManualCost, Store
from ledger.rules.rules import change
from tests.builders import a_refund, a_store, an_order, at, book_of, day, ecb, write

pytestmark = pytest.mark.django_db


def _store_with_a_history() -> Store:
    store = a_store()
    ecb(("USD", "2026-03-03", "1.25"), ("USD", "2026-03-10", "1.3"))
    write(store, an_order("1", lines=2, discount="5.00", tax="18.05", shipping="4.90", customer="ann", updated="2026-03-03 12:00"))
    write(store, an_order("2", currency="USD", customer="ann", then=[a_refund("20.00", restocked=True)]))
    write(store, an_order("1", lines=2, discount="6.00", tax="18.05", shipping="4.90", customer="ann", updated="2026-03-05 12:00"))
    return store


def _tamper(table: str, trigger: str, sql: str, *values: object) -> None:
    """Damage a table as only somebody with the database's password could."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        cursor.execute(sql, values)
        assert cursor.rowcount > 0
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")


def _damage_entries(sql: str, *values: object) -> None:
    _tamper("ledger_entry", "entry_refuses_change", sql, *values)


def _execute(sql: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        assert cursor.rowcount > 0


def _broken(store: Store) -> set[str]:
    return {name for name, problems in audit.audit(book_of(store)).items() if problems}


def test_a_sound_book_has_no_problem_and_no_finding():
    store = _store_with_a_history()
    assert audit.audit(book_of(store)) == {check.__name__: [] for check in audit.INVARIANTS}
    assert not Finding.objects.filter(book_id=store.pk).exists()


def test_an_empty_book_is_sound():
    assert _broken(a_store()) == set()


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("ledger_daytotal", "amount"),
        ("ledger_daytotal", "estimated_amount"),
        ("ledger_countrydaytotal", "amount"),
        ("ledger_productdaytotal", "units"),
    ],
)
@pytest.mark.parametrize("basis", [1, 2])
def test_a_total_that_moved_alone_is_found(table, column, basis):
    store = _store_with_a_history()
    _execute(f"UPDATE {table} SET {column} = {column} + 1 WHERE book_id = %s AND basis = %s", store.pk, basis)
    assert "totals_equal_entries" in _broken(store)


def test_a_total_that_is_missing_is_found():
    store = _store_with_a_history()
    _execute("DELETE FROM ledger_daytotal WHERE book_id = %s AND basis = 1 AND account = 1", store.pk)
    assert _broken(store) == {"totals_equal_entries"}


def test_a_total_without_entries_is_found():
    store = _store_with_a_history()
    _execute(
        "INSERT INTO ledger_daytotal (book_id, basis, day, account, channel, amount, estimated_amount) VALUES (%s, 1, '2026-01-01', 1, 1, 5, 0)",
        store.pk,
    )
    assert _broken(store) == {"totals_equal_entries"}


def test_an_entry_whose_amount_was_changed_is_found():
    store = _store_with_a_history()
    _damage_entries("UPDATE ledger_entry SET amount = amount + 1 WHERE book_id = %s AND account = 4", store.pk)
    assert _broken(store) == {"totals_equal_entries", "orders_tie_to_their_own_totals", "order_columns_equal_entries"}


def test_product_totals_that_lost_a_variant_are_found():
    store = _store_with_a_history()
    _execute("DELETE FROM ledger_productdaytotal WHERE book_id = %s", store.pk)
    assert _broken(store) == {"totals_equal_entries", "dimensions_agree"}


def test_an_order_that_does_not_tie_to_its_stated_total_is_found():
    store = a_store()
    write(store, an_order(stated_total="60.00", stated_refunded="0"))
    assert _broken(store) == {"orders_tie_to_their_own_totals"}


def test_an_order_that_ties_to_its_stated_totals_is_sound():
    store = a_store()
    write(store, an_order(tax="9.50", stated_total="59.50", stated_refunded="11.90", then=[a_refund("10.00", tax="1.90", line=None)]))
    assert _broken(store) == set()


@pytest.mark.parametrize(
    "change", ["event_day = event_day + 1", "estimated = NOT estimated", "variant = NULL", "order_day = order_day - 1", "channel = 2"]
)
def test_a_reversal_that_does_not_mirror_its_target_is_found(change):
    store = _store_with_a_history()
    _damage_entries(f"UPDATE ledger_entry SET {change} WHERE book_id = %s AND reverses AND account = 2", store.pk)
    assert "reversals_mirror_their_target" in _broken(store)


def test_a_reversal_of_another_amount_is_found():
    store = _store_with_a_history()
    _damage_entries("UPDATE ledger_entry SET amount = amount + 1 WHERE book_id = %s AND reverses AND account = 30", store.pk)
    assert "reversals_mirror_their_target" in _broken(store)


def test_a_reversal_without_target_is_found():
    store = _store_with_a_history()
    _damage_entries("DELETE FROM ledger_entry WHERE book_id = %s AND account = 2 AND seq = 1 AND NOT reverses", store.pk)
    assert "reversals_mirror_their_target" in _broken(store)


def test_two_live_revisions_are_found():
    store = _store_with_a_history()
    _damage_entries("DELETE FROM ledger_entry WHERE book_id = %s AND account = 30 AND reverses", store.pk)
    assert "one_live_revision" in _broken(store)


def test_a_missing_batch_is_found():
    store = _store_with_a_history()
    _tamper("ledger_batch", "batch_refuses_change", "DELETE FROM ledger_batch WHERE book_id = %s AND seq = 2", store.pk)
    assert _broken(store) == {"sequence_is_whole"}


def test_a_batch_that_says_another_count_is_found():
    store = _store_with_a_history()
    _tamper("ledger_batch", "batch_refuses_change", "UPDATE ledger_batch SET entries = entries + 1 WHERE book_id = %s AND seq = 2", store.pk)
    assert _broken(store) == {"sequence_is_whole"}


def test_time_that_went_back_is_found():
    store = _store_with_a_history()
    _tamper("ledger_batch", "batch_refuses_change", "UPDATE ledger_batch SET recorded_at = '2020-01-01' WHERE book_id = %s AND seq = 2", store.pk)
    assert _broken(store) == {"sequence_is_whole"}


def test_a_last_number_that_is_not_the_last_batch_is_found():
    store = _store_with_a_history()
    _execute("UPDATE ledger_book SET last_seq = 9 WHERE store_id = %s", store.pk)
    assert _broken(store) == {"sequence_is_whole"}


@pytest.mark.parametrize("column", ["revenue", "cogs", "shipping", "tax", "payment_fees", "other_fees", "marketing_costs"])
def test_an_order_column_that_moved_alone_is_found(column):
    store = _store_with_a_history()
    _execute(f"UPDATE ledger_order SET {column} = {column} + 1 WHERE store_id = %s AND external_id = '1'", store.pk)
    assert _broken(store) == {"order_columns_equal_entries"}


def test_entries_of_an_order_that_is_gone_are_found():
    store = _store_with_a_history()
    _execute("DELETE FROM ledger_order WHERE store_id = %s AND external_id = '2'", store.pk)
    assert "entries_have_their_sources" in _broken(store)


def test_entries_of_a_variant_that_is_gone_are_found():
    store = _store_with_a_history()
    _execute("DELETE FROM ledger_variant WHERE store_id = %s AND external_id = 'v2'", store.pk)
    assert _broken(store) == {"entries_have_their_sources"}


def test_entries_on_an_account_that_is_gone_are_found():
    store = _store_with_a_history()
    days = {"effective_from": day("2026-03-01"), "effective_to": day("2026-03-31")}
    rent = ManualCost(category="operating", label="rent", basis="once", amount=31, currency="EUR", **days)
    change(store, add=[rent], actor="ann", now=at("2026-04-01 12:00"))
    assert _broken(store) == set()
    _execute("DELETE FROM ledger_account WHERE name = 'operating:rent'")
    assert _broken(store) == {"entries_have_their_sources"}


def test_a_customer_who_counts_wrong_is_found():
    store = _store_with_a_history()
    _execute("UPDATE ledger_customer SET order_count = 5 WHERE store_id = %s", store.pk)
    assert _broken(store) == {"customers_count_their_orders"}


def test_a_finding_is_opened_once_and_resolved_when_it_holds_again():
    store = _store_with_a_history()
    for _ in range(2):
        _execute("UPDATE ledger_customer SET order_count = 5 WHERE store_id = %s", store.pk)
        assert _broken(store) == {"customers_count_their_orders"}
    assert Finding.objects.filter(book_id=store.pk, resolved_at=None).count() == 1
    _execute("UPDATE ledger_customer SET order_count = 2 WHERE store_id = %s", store.pk)
    assert _broken(store) == set()
    assert Finding.objects.filter(book_id=store.pk, resolved_at=None).count() == 0
