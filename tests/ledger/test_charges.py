"""Files charge orders with actual costs: labels, packing, commissions; each once, whatever comes first."""

import pytest

from ledger import accounts
from ledger.audit import check_all
from ledger.book.reposting import repost, withdraw
from ledger.cause import Cause
from ledger.charges.charges import Charged, ChargeFact, attach_waiting, bring, decide, look, record_charges, remove
from ledger.kinds import CauseKind, ChargeKind, ChargeStatus, FinancialStatus, Hold
from ledger.models import Entry, Order, OrderCharge, Partner, ShippingRule, Store
from ledger.orders.drafting import load_terms, shipping_reasons
from ledger.orders.mirror import load
from ledger.rules.rules import change
from tests.builders import a_cost, a_refund, a_store, an_order, at, book_of, day, ecb, money, write
from tests.ledger_text import assert_entries

pytestmark = pytest.mark.django_db
NOW = at("2026-04-01 09:00")
UNDO = Cause(CauseKind.UNDO, "undo of import:7")
LABELS = ("fulfilment:shipping",)


def a_charge(
    order: str = "1001", amount: str = "6.20", *, kind: ChargeKind = ChargeKind.LABEL, reference: str = "T1", currency: str = "EUR",
    on: str | None = None, status: ChargeStatus = ChargeStatus.APPROVED, partner: Partner | None = None,
) -> ChargeFact:  # fmt: skip
    """Tell of a label that cost 6.20, unless the test says otherwise."""
    return ChargeFact(
        kind, order, reference, money(amount), currency, None if on is None else day(on), status, None if partner is None else partner.pk
    )


def tell(store: Store, *facts: ChargeFact, ref: str = "import:7") -> Charged:
    """Record what a file charges orders with."""
    return record_charges(store, facts, cause_ref=ref, actor="ann", now=NOW)


def commission(**more: object) -> ChargeFact:
    """Tell of a commission of 5.00."""
    return a_charge(**{"amount": "5.00", "kind": ChargeKind.COMMISSION, "reference": "N1", **more})  # type: ignore[arg-type]


def why_shipping(store: Store) -> str:
    """Say why shipping the store's only order costs what it costs."""
    orders = load(store.pk, [Order.objects.get(store=store).pk])
    return next(iter(shipping_reasons(orders, load_terms(store, orders)).values()))


def sound(store: Store) -> bool:
    """Tell whether every invariant of the store's book holds."""
    return not any(check_all(book_of(store)).values())


def test_a_label_beats_shipping_rules_and_what_the_customer_paid():
    store = a_store()
    write(store, an_order(shipping="4.90"))
    change(store, add=[ShippingRule(position=1, name="flat", amount=3)], actor="ann", now=NOW)
    done = tell(store, a_charge("#1001", "6.20"))
    assert done == Charged(matched=1, added=1, entries=2)
    assert_entries(
        store,
        """
        seq day        account             reverses amount how
        1   2026-03-03 fulfilment:shipping no        -4.90 estimated
        2   2026-03-03 fulfilment:shipping yes        4.90 estimated
        2   2026-03-03 fulfilment:shipping no        -6.20 actual
        """,
        only=LABELS,
    )
    assert why_shipping(store) == "label cost from a file"
    assert str(Order.objects.get(store=store).shipping) == "6.2000"
    assert sound(store)


def test_each_kind_goes_to_its_account_and_a_gift_to_none():
    store = a_store()
    ann = Partner.objects.create(store=store, name="Ann", kind=Partner.Kind.INFLUENCER)
    ben = Partner.objects.create(store=store, name="Ben", kind=Partner.Kind.AFFILIATE)
    write(store, an_order(customer="x"))
    tell(
        store, a_charge(), a_charge(amount="0.80", kind=ChargeKind.FULFILMENT), commission(partner=ann), commission(reference="N2", partner=ben),
        commission(reference="N3", amount="1.00"), a_charge(kind=ChargeKind.GIFT, amount="50.00"),
    )  # fmt: skip
    assert_entries(
        store,
        """
        account              amount how
        fulfilment:shipping   -6.20 actual
        fulfilment:other      -0.80 actual
        marketing:influencer  -5.00 actual
        marketing:affiliate   -5.00 actual
        marketing:affiliate   -1.00 actual
        """,
        only=("fulfilment", "marketing"),
    )
    order = Order.objects.get(store=store)
    assert (str(order.shipping), str(order.marketing_costs), str(order.cogs)) == ("7.0000", "11.0000", "20.0000")
    assert sound(store)


def test_a_charge_has_its_own_day_and_else_the_orders():
    store = a_store()
    write(store, an_order())
    tell(store, a_charge(on="2026-03-09"), a_charge(reference="T2", amount="1.00"))
    assert_entries(store, "day order_day amount\n 2026-03-09 2026-03-03 -6.20\n 2026-03-03 2026-03-03 -1.00", only=LABELS)


def test_the_same_row_again_changes_nothing():
    store = a_store()
    write(store, an_order())
    tell(store, a_charge())
    entries = Entry.objects.count()
    assert tell(store, a_charge("#1001"), ref="import:8") == Charged(matched=1, unchanged=1)
    assert (Entry.objects.count(), OrderCharge.objects.get().cause_ref) == (entries, "import:7")


def test_a_changed_amount_posts_the_difference():
    store = a_store()
    write(store, an_order())
    tell(store, a_charge())
    assert tell(store, a_charge(amount="7.00"), ref="import:8") == Charged(matched=1, changed=1, entries=2)
    assert_entries(
        store,
        """
        seq revision reverses amount
        2   1        no        -6.20
        3   1        yes        6.20
        3   2        no        -7.00
        """,
        only=LABELS,
    )


@pytest.mark.parametrize(
    ("status", "booked"),
    [(ChargeStatus.PENDING, False), (ChargeStatus.APPROVED, True), (ChargeStatus.PAID, True), (ChargeStatus.DENIED, False)],
)
def test_only_what_is_approved_or_paid_is_booked(status: ChargeStatus, booked: bool) -> None:
    store = a_store()
    write(store, an_order())
    tell(store, commission(status=status))
    assert_entries(store, "account amount" + ("\n marketing:affiliate -5.00" if booked else ""), only=("marketing",))


def test_a_commission_is_posted_on_approval_and_reversed_on_denial():
    store = a_store()
    write(store, an_order())
    tell(store, commission(status=ChargeStatus.PENDING))
    ids = [OrderCharge.objects.get().pk]
    for status in (ChargeStatus.APPROVED, ChargeStatus.PAID, ChargeStatus.DENIED):
        decide(store, ids, status, actor="ann")
    assert_entries(store, "seq reverses amount\n 2 no -5.00\n 3 yes 5.00", only=("marketing",))
    assert OrderCharge.objects.get().status == ChargeStatus.DENIED
    assert sound(store)


def test_what_a_person_decided_stands_until_the_file_tells_another_status():
    store = a_store()
    write(store, an_order())
    tell(store, commission(status=ChargeStatus.PENDING))
    decide(store, [OrderCharge.objects.get().pk], ChargeStatus.APPROVED, actor="ann")
    assert tell(store, commission(status=ChargeStatus.PENDING)).unchanged == 1
    assert OrderCharge.objects.get().status == ChargeStatus.APPROVED
    assert tell(store, commission(status=ChargeStatus.DENIED)).entries == 1
    assert OrderCharge.objects.get().status == ChargeStatus.DENIED


def test_a_credit_without_its_label_leaves_the_estimate():
    store = a_store()
    write(store, an_order(shipping="4.90"))
    tell(store, a_charge(amount="-0.80", reference="adjusted"))
    assert_entries(store, "amount how\n -4.90 estimated\n 0.80 actual", only=LABELS, live=True)
    tell(store, a_charge(amount="6.20"))
    assert_entries(store, "amount how\n 0.80 actual\n -6.20 actual", only=LABELS, live=True)


def test_a_label_the_platform_states_is_not_counted_twice():
    store = a_store()
    write(store, an_order())
    tell(store, a_charge())
    write(store, an_order(costs=[a_cost(accounts.FULFILMENT_SHIPPING, "-5.00")]))
    assert_entries(store, "amount\n -5.00", only=LABELS, live=True)
    assert why_shipping(store) == "stated label cost; the one from a file is left out"
    assert tell(store, a_charge()).left_out == 1
    write(store, an_order())
    assert_entries(store, "amount\n -6.20", only=LABELS, live=True)


def test_a_label_was_paid_even_when_the_order_does_not_count():
    store = a_store()
    write(store, an_order("1", status=FinancialStatus.VOIDED), an_order("2", cancelled="2026-03-04 12:00", shipped=False), an_order("3", test=True))
    tell(store, a_charge("1"), a_charge("2"), a_charge("3"))
    assert_entries(store, "source amount\n 1 -6.20\n 2 -6.20", only=LABELS)


def test_a_charge_waits_for_its_order_and_belongs_to_it_when_it_arrives():
    store = a_store()
    write(store, an_order("900"))
    assert tell(store, a_charge("1001")) == Charged(unmatched=(0,), added=1)
    assert tell(store, a_charge("#1001")) == Charged(unmatched=(0,), unchanged=1)
    assert write(store, an_order("1001"), an_order("1002")).entries == 11
    assert_entries(store, "source amount\n 1001 -6.20", only=LABELS)
    assert OrderCharge.objects.get().order_id == Order.objects.get(external_id="1001").pk
    assert sound(store)


def test_an_order_is_found_by_its_platforms_id_too():
    store = a_store()
    write(store, an_order("1001", platform="shop"))
    write(store, an_order("77", platform="market"))
    Order.objects.filter(external_id="77").update(number="M-5")
    assert tell(store, a_charge("77"), a_charge("M-5", reference="T2")).matched == 2


def test_a_number_that_two_orders_have_is_ambiguous_and_waits():
    store = a_store()
    write(store, an_order("1001", platform="shop"))
    write(store, an_order("1001", platform="market"))
    assert tell(store, a_charge("1001")) == Charged(ambiguous=(0,), added=1)
    write(store, an_order("1001", platform="shop", tip="1.00"))
    assert_entries(store, "amount", only=LABELS)
    bring(store, {OrderCharge.objects.get().pk: Order.objects.get(platform="market").pk}, cause=Cause(CauseKind.MANUAL, "charges"))
    assert_entries(store, "amount\n -6.20", only=LABELS)


def test_a_withdrawn_and_revived_order_keeps_its_charges():
    store = a_store()
    write(store, an_order())
    tell(store, a_charge())
    withdraw(store, [Order.objects.get().pk], cause=UNDO, now=NOW)
    assert_entries(store, "account amount", live=True)
    write(store, an_order())
    assert_entries(store, "amount\n -6.20", only=LABELS, live=True)
    assert OrderCharge.objects.get().order_id == Order.objects.get().pk
    assert sound(store)


def test_charges_of_a_withdrawn_order_go_to_the_order_that_stands_for_it():
    store = a_store()
    write(store, an_order("1001", platform="file"))
    tell(store, a_charge())
    write(store, an_order("1001", platform="shop"))
    withdraw(store, [Order.objects.get(platform="file").pk], cause=UNDO, now=NOW)
    assert attach_waiting(store, cause=UNDO) == 1
    assert OrderCharge.objects.get().order_id == Order.objects.get(platform="shop").pk
    assert_entries(store, "amount\n -6.20", only=LABELS, live=True)


def test_a_replaced_order_keeps_its_charges():
    store = a_store()
    write(store, an_order())
    tell(store, a_charge())
    write(store, an_order(then=[a_refund()]))
    repost(store, cause=Cause(CauseKind.RULE, "repost"))
    assert_entries(store, "seq amount\n 2 -6.20", only=LABELS)


def test_a_charge_in_another_currency_waits_with_its_order_for_a_rate():
    store = a_store()
    write(store, an_order())
    assert tell(store, a_charge(currency="USD", on="2026-03-09")).held == 1
    assert Order.objects.get().hold == Hold.RATE_MISSING
    assert_entries(store, "account amount", live=True)
    ecb(("USD", "2026-03-09", "1.2400"))
    repost(store, cause=Cause(CauseKind.RULE, "repost"))
    assert_entries(store, "amount original currency\n -5.00 -6.20 USD", only=LABELS, live=True)


def test_removing_a_files_charges_reverses_them():
    store = a_store()
    write(store, an_order("1", shipping="4.90"), an_order("2"))
    tell(store, a_charge("1"), a_charge("2"), a_charge("3"))
    tell(store, a_charge("2", "7.00"), ref="import:8")
    remove(store, cause_ref="import:7", cause=UNDO, now=NOW)
    assert_entries(store, "source amount how\n 1 -4.90 estimated\n 2 -7.00 actual", only=LABELS, live=True)
    assert write(store, an_order("3")).entries == 5
    assert sound(store)


def test_a_removed_charge_comes_back_as_a_new_one():
    store = a_store()
    write(store, an_order())
    tell(store, a_charge())
    remove(store, cause_ref="import:7", cause=UNDO, now=NOW)
    assert tell(store, a_charge()) == Charged(matched=1, added=1, entries=1)
    assert_entries(store, "amount\n -6.20", only=LABELS, live=True)


def test_looking_says_what_would_be_and_writes_nothing():
    store = a_store()
    write(store, an_order("1"))
    tell(store, a_charge("1"))
    assert look(store, [a_charge("1"), a_charge("2"), a_charge("1", reference="T2")]) == Charged(matched=2, unmatched=(1,), added=2, unchanged=1)
    assert OrderCharge.objects.count() == 1


def test_two_facts_of_one_charge_do_not_share_a_call():
    with pytest.raises(ValueError, match="the same charge"):
        tell(a_store(), a_charge("1"), a_charge("#1"))


def test_another_stores_order_is_not_charged():
    store, other = a_store(), a_store()
    write(other, an_order())
    assert tell(store, a_charge()).unmatched == (0,)
    write(other, an_order("1001", tip="1.00"))
    assert OrderCharge.objects.get().order_id is None
