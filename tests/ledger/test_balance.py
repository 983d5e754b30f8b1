"""Record what a payment processor's balance tells."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from msgspec import structs

from ledger import accounts
from ledger.charges import balance
from ledger.charges.charges import ChargeFact, record_charges
from ledger.charges.disputes import record_disputes
from ledger.facts import BalanceFact, DisputeFact, PayoutFact
from ledger.kinds import BalanceMeaning, ChargeKind
from ledger.models import AdDay, BalanceTransaction, Dispute, Entry, Finding, OrderCharge, Payment, Payout, Store
from ledger.stores import move_zone
from tests.builders import a_line, a_payment, a_store, an_order, money, write
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


@pytest.mark.parametrize("moves", [date(2026, 3, 5), date(2026, 3, 6), date(2026, 3, 7)])
def test_a_fee_is_of_the_day_of_its_payment_also_when_the_store_moves_that_night(moves: date) -> None:
    store = a_store(zone="Europe/Berlin")
    move_zone(store, "Pacific/Honolulu", from_day=moves)
    payment = structs.replace(a_payment("100.00", gateway="shopify_payments"), processed_at=AT)
    write(store, an_order("1001", lines=[a_line("1", price="100.00", cost="40.00")], payments=[payment]))
    tell(store, a_row("CHARGE", M.CHARGE, 10_000, 175))
    assert BalanceTransaction.objects.get().day == Payment.objects.get().day


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
        ("chargeback", Decimal(100), date(2026, 3, 5), "balance b1"),
        ("dispute fee", Decimal(15), date(2026, 3, 5), "balance b2"),
        ("chargeback", Decimal(-100), date(2026, 3, 5), "balance b3"),
    ]


def chargebacks(store: Store) -> list[tuple[date, Decimal]]:
    """Return the chargebacks that stand in the book, by day."""
    found = Entry.objects.filter(book_id=store.pk, account=accounts.SALES_CHARGEBACKS)
    left: dict[tuple[date, int], Decimal] = {}
    for entry in found:
        key = entry.event_day, entry.part
        left[key] = left.get(key, Decimal(0)) + entry.amount
    return sorted((day, amount) for (day, _), amount in left.items() if amount)


def file_of(*days: date, amount: int = 5_000) -> list[tuple[ChargeKind, str, date, int]]:
    """Name chargebacks as the processor's file does."""
    return [(ChargeKind.CHARGEBACK, f"chargeback {day} -50{f' ({n})' if n else ''}", day, amount) for n, day in enumerate(days)]


def by_dated_file(store: Store, *days: date) -> None:
    told = [
        ChargeFact(kind, "1001", reference, amount * 100, "EUR", day, processor="shopify_payments") for kind, reference, day, amount in file_of(*days)
    ]
    record_charges(store, told, cause_ref="import:1", actor="ann", now=NOW)


DAY, NEXT = date(2026, 3, 5), date(2026, 3, 6)


@pytest.mark.parametrize("file_first", [True, False])
@pytest.mark.parametrize(
    ("by_balance", "by_file", "booked"),
    [
        (2, [DAY, DAY], [DAY, DAY]),
        (2, [DAY], [DAY, DAY]),
        (1, [DAY, DAY], [DAY, DAY]),
        # the file tells days of another time zone
        (2, [NEXT, NEXT], [DAY, DAY]),
        (1, [NEXT], [DAY]),
        (1, [date(2026, 3, 20)], [DAY, date(2026, 3, 20)]),
    ],
)
def test_chargebacks_of_one_amount_count_as_often_as_they_happened(
    *, file_first: bool, by_balance: int, by_file: list[date], booked: list[date]
) -> None:
    store = a_store()
    sell(store, fee="1.75")
    rows = [a_row("DISPUTE_WITHDRAWAL", M.DISPUTE, -5_000, key=f"b{number}") for number in range(by_balance)]
    doors = [lambda: by_dated_file(store, *by_file), lambda: tell(store, *rows)]
    for door in doors if file_first else reversed(doors):
        door()
    assert chargebacks(store) == [(day, Decimal(-50)) for day in booked]


def test_chargebacks_of_following_days_that_a_file_tells_a_day_later_are_none_of_them_told_twice() -> None:
    store = a_store()
    sell(store, fee="1.75")
    tell(
        store, a_row("DISPUTE_WITHDRAWAL", M.DISPUTE, -5_000),
        structs.replace(a_row("DISPUTE_WITHDRAWAL", M.DISPUTE, -5_000, key="b2"), at=AT.replace(day=6)),
    )  # fmt: skip
    by_dated_file(store, NEXT, date(2026, 3, 7))
    assert chargebacks(store) == [(DAY, Decimal(-50)), (NEXT, Decimal(-50))]


@pytest.mark.parametrize(("zone", "expected"), [("Pacific/Kiritimati", NEXT), ("Pacific/Pago_Pago", DAY), ("Asia/Kolkata", NEXT)])
def test_a_chargeback_counts_on_the_stores_own_day_once_whoever_tells_it(zone: str, expected: date) -> None:
    store = a_store(zone=zone)
    sell(store, fee="1.75")
    tell(store, a_row("DISPUTE_WITHDRAWAL", M.DISPUTE, -5_000))
    assert chargebacks(store) == [(expected, Decimal(-50))]
    by_dated_file(store, DAY)
    assert chargebacks(store) == [(expected, Decimal(-50))]


def test_a_fee_that_is_told_late_counts_on_its_payments_own_day_and_removes_the_estimate() -> None:
    store = a_store()
    sell(store)
    assert_entries(
        store, "account event_day amount how\nfees:payment 2026-03-03 -3.20 estimated", only=["fees"], live=True
    )  # fmt: skip
    tell(store, structs.replace(a_row("CHARGE", M.CHARGE, 10_000, 175), at=AT.replace(day=17)))
    assert_entries(store, "account event_day amount how\nfees:payment 2026-03-03 -1.75 actual", only=["fees"], live=True)


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


def a_payout(amount: str, *, key: str = "77", status: str = "PAID", issued: datetime = AT, currency: str = "EUR") -> PayoutFact:
    return PayoutFact("shopify_payments", key, issued, status, money(amount), currency)


def open_findings(*kinds: str) -> list[tuple[str, Decimal | None]]:
    found = Finding.objects.filter(kind__in=kinds or ("payout_differs", "payout_failed"), resolved_at=None)
    return [(each.subject, each.money) for each in found.order_by("subject")]


def test_a_payout_is_held_against_its_rows_until_they_tie() -> None:
    store = a_store()
    assert balance.record_payouts(store, [a_payout("98.25")], now=NOW) == 1
    assert balance.record_payouts(store, [a_payout("98.25")], now=NOW) == 0
    assert open_findings() == []
    tell(store, a_row("CHARGE", M.CHARGE, 9_000, 175, payout="77"))
    (found,) = Finding.objects.filter(kind="payout_differs")
    assert (found.expected, found.actual, found.money, found.resolved_at) == ("98.25 EUR", "88.25 EUR", Decimal(10), None)
    tell(
        store, a_row("REFUND", M.REFUND, -200, key="b2", payout="77"), a_row("RESERVED_FUNDS", M.TRANSFER, 1_200, key="b4", payout="77"),
        a_row("TRANSFER", M.PAYOUT, -9_825, key="b3", payout="77"),
    )  # fmt: skip
    found.refresh_from_db()
    assert found.resolved_at == NOW
    kept = Payout.objects.get()
    assert (kept.amount, kept.told, kept.difference, kept.rows) == (Decimal("98.25"), Decimal("98.25"), Decimal(0), 3)
    assert (kept.charges, kept.refunds, kept.others, kept.fees) == (Decimal(90), Decimal(-2), Decimal(12), Decimal("1.75"))
    assert (kept.first_at, kept.last_at) == (AT, AT)


def test_a_payout_without_any_row_is_told_once_rows_of_later_days_are_read() -> None:
    store = a_store()
    balance.record_payouts(store, [a_payout("98.25")], now=NOW)
    tell(store, structs.replace(a_row("CHARGE", M.CHARGE, 9_000, 175), at=AT.replace(day=9)))
    balance.record_payouts(store, [a_payout("98.25")], now=NOW)
    assert open_findings() == [("shopify_payments payout 77", Decimal("98.25"))]


def test_a_row_that_moves_to_another_payout_is_counted_in_one_of_them() -> None:
    store = a_store()
    balance.record_payouts(store, [a_payout("88.25"), a_payout("88.25", key="78")], now=NOW)
    tell(store, a_row("CHARGE", M.CHARGE, 9_000, 175, payout="77"))
    tell(store, a_row("CHARGE", M.CHARGE, 9_000, 175, payout="78"))
    assert list(Payout.objects.order_by("external_id").values_list("rows", "told")) == [(0, Decimal(0)), (1, Decimal("88.25"))]


def test_a_payout_that_failed_is_a_finding_until_a_later_one_reaches_the_bank() -> None:
    store = a_store()
    tell(
        store, a_row("CHARGE", M.CHARGE, 9_000, 175, payout="77"), a_row("TRANSFER", M.PAYOUT, -8_825, key="b2", payout="77"),
        a_row("TRANSFER_FAILURE", M.RETURNED, 8_825, key="b3", payout="77"),
    )  # fmt: skip
    balance.record_payouts(store, [a_payout("88.25", status="FAILED")], now=NOW)
    assert open_findings() == [("shopify_payments payout 77", Decimal("88.25"))]
    assert Finding.objects.get(kind="payout_failed").message.startswith(
        "Shopify Payments’s payout of 88.25 EUR of 5 March 2026 did not reach your bank (failed)."
    )
    tell(store, a_row("TRANSFER_FAILURE", M.RETURNED, 8_825, key="b3", payout="78"))
    balance.record_payouts(store, [a_payout("88.25", key="78", issued=AT.replace(day=9))], now=NOW)
    assert open_findings() == []
    assert list(Payout.objects.values_list("difference", flat=True)) == [Decimal(0), Decimal(0)]


def test_disputes_are_kept_as_they_were_told_last() -> None:
    store = a_store()
    asked = DisputeFact("shopify_payments", "5", True, 100_0000, "EUR", "#1001", NOW, "NEEDS_RESPONSE", "CHARGEBACK", "FRAUDULENT", AT)
    assert record_disputes(store, [asked], now=NOW) == 1
    assert record_disputes(store, [structs.replace(asked, wants_answer=False, status="WON", decided_at=NOW)], now=NOW) == 1
    kept = Dispute.objects.get()
    assert (kept.status, kept.wants_answer, kept.opened_at, kept.decided_at) == ("WON", False, AT, NOW)
