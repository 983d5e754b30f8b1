"""Record what a payment processor's balance tells."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ledger import accounts, balance
from ledger.charges import ChargeFact, record_charges
from ledger.disputes import record_disputes
from ledger.facts import BalanceFact, DisputeFact, PayoutFact
from ledger.kinds import BalanceMeaning, ChargeKind
from ledger.models import AdDay, BalanceTransaction, Entry, Finding, OrderCharge, Payout, Store
from tests.builders import a_line, a_payment, a_store, an_order, write
from tests.ledger_text import assert_entries

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
AT = datetime(2026, 3, 5, 23, 30, tzinfo=UTC)
M = BalanceMeaning


def a_row(
    type: str, meaning: BalanceMeaning, amount: int, fee: int = 0, *, key: str = "b1", order: str = "1001", payment: str = "p1", payout: str = "",
    currency: str = "EUR",
) -> BalanceFact:  # fmt: skip
    return BalanceFact("shopify_payments", key, AT, type, meaning, amount * 100, fee * 100, currency, order, payment, payout)


def tell(store: Store, *facts: BalanceFact) -> balance.Balanced:
    return balance.record_balance(store, facts, cause_ref="connection:1", now=NOW)


def sell(store: Store, *, fee: str | None = None) -> None:
    write(
        store,
        an_order("1001", lines=[a_line("1", price="100.00", cost="40.00")], payments=[a_payment("100.00", gateway="shopify_payments", fee=fee)]),
    )


def charges() -> list[tuple[str, Decimal, date | None, str]]:
    return [(ChargeKind(row.kind).label, row.amount, row.day, row.reference) for row in OrderCharge.objects.filter(removed_at=None).order_by("pk")]


def fees_booked(store: Store) -> Decimal:
    return sum((entry.amount for entry in Entry.objects.filter(book_id=store.pk, account=accounts.FEES_PAYMENT)), Decimal(0))


def test_a_fee_that_the_order_does_not_state_takes_the_place_of_the_estimate() -> None:
    store = a_store()
    sell(store)
    assert fees_booked(store) == Decimal("-3.20")
    assert tell(store, a_row("CHARGE", M.CHARGE, 10_000, 175)).changed == 1
    assert fees_booked(store) == Decimal("-1.75")
    assert charges() == [("payment fee", Decimal("1.7500"), date(2026, 3, 5), "balance b1")]


def test_a_fee_that_the_order_states_itself_is_not_told_again() -> None:
    store = a_store()
    sell(store, fee="1.75")
    tell(store, a_row("CHARGE", M.CHARGE, 10_000, 175))
    assert (charges(), fees_booked(store)) == ([], Decimal("-1.75"))


def by_file(store: Store, *rows: tuple[ChargeKind, str, str, int, int]) -> None:
    """Tell fees as the processor's own export does."""
    told = [
        ChargeFact(kind, order, reference, fee * 100, "EUR", AT.date(), covers=covers * 100, processor="shopify_payments")
        for kind, order, reference, fee, covers in rows
    ]
    record_charges(store, told, cause_ref="import:1", actor="ann", now=NOW)


@pytest.mark.parametrize("file_first", [True, False])
def test_fees_that_a_file_and_the_balance_tell_are_booked_once(file_first: bool) -> None:
    store = a_store()
    sell(store)

    def file() -> None:
        by_file(
            store, (ChargeKind.PAYMENT_FEE, "1001", "charge 2026-03-05 100", 175, 10_000),
            (ChargeKind.PAYMENT_FEE, "1001", "refund 2026-03-05 -9", -20, 0),
            (ChargeKind.DISPUTE_FEE, "1001", "chargeback fee 2026-03-05 -15", 1_500, 0),
        )  # fmt: skip

    def api() -> None:
        tell(
            store, a_row("CHARGE", M.CHARGE, 10_000, 175), a_row("REFUND", M.REFUND, -900, -20, key="b2"),
            a_row("CHARGEBACK_FEE", M.DISPUTE_FEE, -1_500, key="b3"),
        )  # fmt: skip

    for told in (file, api) if file_first else (api, file):
        told()
    assert_entries(store, "account amount\nfees:dispute -15.00\nfees:payment -1.75\nfees:payment 0.20", only=["fees"], live=True)
    # Stated by the order itself, the charge's fee is booked once still.
    sell(store, fee="1.75")
    assert_entries(store, "account amount\nfees:dispute -15.00\nfees:payment -1.75\nfees:payment 0.20", only=["fees"], live=True)


def test_of_two_fees_of_one_amount_the_one_that_the_balance_does_not_tell_stays_the_files() -> None:
    store = a_store()
    half = [a_payment("50.00", external_id="p1", gateway="shopify_payments"), a_payment("50.00", external_id="p2", gateway="shopify_payments")]
    write(store, an_order("1001", lines=[a_line("1", price="100.00", cost="40.00")], payments=half))
    by_file(store, *((ChargeKind.PAYMENT_FEE, "1001", f"charge 2026-03-05 50{number}", 100, 5_000) for number in ("", " (2)")))
    assert fees_booked(store) == Decimal("-2.00")
    tell(store, a_row("CHARGE", M.CHARGE, 5_000, 100))
    assert fees_booked(store) == Decimal("-2.00")
    tell(store, a_row("CHARGE", M.CHARGE, 5_000, 100, key="b2", payment="p2"))
    assert fees_booked(store) == Decimal("-2.00")


def test_the_same_again_writes_nothing_and_a_payout_that_is_told_later_moves_no_entry() -> None:
    store = a_store()
    sell(store)
    tell(store, a_row("CHARGE", M.CHARGE, 10_000, 175))
    assert tell(store, a_row("CHARGE", M.CHARGE, 10_000, 175)) == (0, 1, 0)
    assert tell(store, a_row("CHARGE", M.CHARGE, 10_000, 175, payout="77")) == (1, 0, 0)
    assert BalanceTransaction.objects.get().payout_ref == "77"


def test_days_are_the_stores_own() -> None:
    store = a_store(zone="Europe/Berlin")
    tell(store, a_row("CHARGE", M.CHARGE, 10_000, 175))
    assert BalanceTransaction.objects.get().day == date(2026, 3, 6)


def test_what_is_told_before_its_order_waits_for_it() -> None:
    store = a_store()
    tell(store, a_row("CHARGE", M.CHARGE, 10_000, 175))
    sell(store)
    assert fees_booked(store) == Decimal("-1.75")


def test_a_chargeback_and_its_fee_are_charges_and_one_that_is_won_comes_back() -> None:
    store = a_store()
    sell(store, fee="1.75")
    tell(
        store, a_row("DISPUTE_WITHDRAWAL", M.DISPUTE, -10_000), a_row("CHARGEBACK_FEE", M.DISPUTE_FEE, -1_500, key="b2"),
        a_row("DISPUTE_REVERSAL", M.DISPUTE, 10_000, key="b3"),
    )  # fmt: skip
    assert charges() == [
        ("chargeback", Decimal(100), date(2026, 3, 5), "chargeback 2026-03-05 -100"),
        ("dispute fee", Decimal(15), date(2026, 3, 5), "balance b2"),
        ("chargeback", Decimal(-100), date(2026, 3, 5), "chargeback won 2026-03-05 100"),
    ]


def test_a_label_is_a_cost_of_its_order_unless_a_file_tells_of_the_orders_labels() -> None:
    store = a_store()
    sell(store, fee="1.75")
    tell(store, a_row("SHIPPING_LABEL", M.LABEL, -690))
    assert_entries(store, "account amount\nfulfilment:shipping -6.90", only=["fulfilment"], live=True)
    label = ChargeFact(ChargeKind.LABEL, "1001", "TRACK1", 71_000, "EUR")
    record_charges(store, [label], cause_ref="import:1", actor="ann", now=NOW)
    assert_entries(store, "account amount\nfulfilment:shipping -7.10", only=["fulfilment"], live=True)


def test_advertising_is_ad_spend_of_its_day_added_up_and_never_twice() -> None:
    store = a_store()
    first = a_row("SHOP_CASH_CAMPAIGN_BILLING_DEBIT", M.ADVERTISING, -2_700, order="")
    second = a_row("SHOP_CASH_CAMPAIGN_BILLING_DEBIT", M.ADVERTISING, -300, key="b2", order="")
    tell(store, first)
    tell(store, second)
    tell(store, first, second)
    assert list(AdDay.objects.values_list("platform", "day", "spend")) == [("shop_campaigns", date(2026, 3, 5), Decimal(30))]


def test_what_is_in_no_figure_is_a_finding_with_its_sum() -> None:
    store = a_store()
    tell(
        store, a_row("CUSTOMS_DUTY", M.COST, -1_200), a_row("CUSTOMS_DUTY", M.COST, -300, key="b2"), a_row("MOON_DUST", M.UNKNOWN, 500, key="b3"),
        a_row("REFERRAL_FEE", M.FEE, -100, key="b4", order=""), a_row("TRANSFER", M.PAYOUT, -9_000, key="b5", order=""),
        a_row("LENDING_DEBIT", M.FINANCING, -4_000, key="b6", order=""),
    )  # fmt: skip
    found = Finding.objects.filter(kind="balance_to_look_at").order_by("subject")
    assert [(each.subject, each.money) for each in found] == [
        ("shopify_payments CUSTOMS_DUTY EUR", Decimal(-15)), ("shopify_payments MOON_DUST EUR", Decimal(5)),
        ("shopify_payments REFERRAL_FEE EUR", Decimal(-1)),
    ]  # fmt: skip
    assert found[0].message.startswith("2 rows “customs duty” of shopify payments moved its balance by -15.00 EUR in all and are in no figure")


def test_a_dispute_is_a_finding_until_it_is_answered() -> None:
    store = a_store()
    asked = DisputeFact("shopify_payments", "5", True, 100_0000, "EUR", "#1001", datetime(2026, 3, 31, tzinfo=UTC))
    assert (record_disputes(store, [asked], now=NOW), record_disputes(store, [asked], now=NOW)) == (1, 0)
    (found,) = Finding.objects.filter(kind="dispute_open")
    assert (found.message, found.money) == (
        "A customer's bank disputes a payment of 100.00 EUR for order #1001. Answer it where the payment was taken until 31 March 2026, "
        "or the money is lost.",
        Decimal(100),
    )
    assert record_disputes(store, [DisputeFact("shopify_payments", "5", False, 100_0000, "EUR")], now=NOW) == 1
    found.refresh_from_db()
    assert found.resolved_at == NOW


def test_a_payout_is_held_against_its_rows_until_they_tie() -> None:
    store = a_store()
    payout = PayoutFact("shopify_payments", "77", AT, "PAID", 98_2500, "EUR")
    assert balance.record_payouts(store, [payout], now=NOW) == 1
    assert balance.record_payouts(store, [payout], now=NOW) == 0
    tell(store, a_row("CHARGE", M.CHARGE, 9_000, 175, payout="77"))
    (found,) = Finding.objects.filter(kind="payout_differs")
    assert (found.expected, found.actual, found.resolved_at) == ("98.2500 EUR", "88.2500 EUR", None)
    tell(store, a_row("CHARGE", M.CHARGE, 1_000, key="b2", payout="77"), a_row("TRANSFER", M.PAYOUT, -9_825, key="b3", payout="77"))
    found.refresh_from_db()
    assert found.resolved_at == NOW
    assert Payout.objects.get().amount == Decimal("98.25")
