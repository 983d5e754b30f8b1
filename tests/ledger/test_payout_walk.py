"""The way from what orders say to what a payout brought: every cent has one cause, and what has none is shown."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ledger.charges.payout_walk import Cause, Elsewhere, Moved, Paid, Row, Walk, walk
from ledger.kinds import BalanceMeaning

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
DAY = date(2026, 3, 10)
CHARGE, REFUND = BalanceMeaning.CHARGE.value, BalanceMeaning.REFUND.value


def a_row(amount: str, order: str = "1", payment: str = "p1") -> Row:
    return Row(DAY, CHARGE if Decimal(amount) >= 0 else REFUND, Decimal(amount), order, payment)


def paid(
    amount: str, order: str = "1", payment: str = "p1", *, days_ago: int = 10, currency: str = "EUR", converted: str | None = "", in_span: bool = True
) -> Paid:  # fmt: skip
    at = NOW - timedelta(days=days_ago)
    value = None if converted is None else Decimal(converted or amount)
    return Paid(order, payment, f"#{order}", at, at.date(), Decimal(amount), currency, value, in_span)


def walked(
    rows: list[Row], payments: list[Paid], *elsewhere: Elsewhere, reported: str, fees: str = "0", others: tuple[Moved, ...] = ()
) -> Walk:  # fmt: skip
    found = walk(rows, payments, elsewhere, others, fees=Decimal(fees), currency="EUR", reported=Decimal(reported), now=NOW)
    assert found.expected + found.explained + found.unexplained == found.reported
    return found


def causes(found: Walk) -> dict[str, Decimal]:
    return {cause.key: cause.amount for cause in found.causes}


def test_what_is_paid_and_given_back_is_expected_and_fees_are_why_less_came() -> None:
    found = walked([a_row("100"), a_row("-20", payment="p2")], [paid("100"), paid("-20", payment="p2")], reported="77.80", fees="2.20")
    assert (found.expected, found.payments, causes(found), found.unexplained) == (Decimal(80), 2, {"fees": Decimal("-2.20")}, 0)


def test_a_payment_of_these_days_is_on_the_way_in_another_payout_not_told_yet_or_missing() -> None:
    payments = [paid("100"), *(paid("10", order=str(n), payment=f"p{n}", days_ago=age) for n, age in ((2, 10), (3, 10), (4, 10), (5, 4)))]
    elsewhere = (Elsewhere("2", "p2", CHARGE, Decimal(10), None), Elsewhere("3", "p3", CHARGE, Decimal(10), 77))
    found = walked([a_row("100")], payments, *elsewhere, reported="100")
    assert (found.expected, causes(found)) == (Decimal(140), dict.fromkeys(("waiting", "elsewhere", "missing", "fresh"), Decimal(-10)))
    assert [(item.number, item.payout) for item in found.items_of("elsewhere")] == [("#3", 77)]
    assert [item.number for item in found.items_of("missing")] == ["#4"]


def test_a_payment_of_other_days_counts_only_where_a_row_tells_it() -> None:
    found = walked([a_row("100")], [paid("100", in_span=False), paid("50", payment="p2", in_span=False)], reported="100")
    assert (found.expected, causes(found)) == (Decimal(100), {})


def test_a_row_of_no_order_is_a_cause_and_listed() -> None:
    found = walked([a_row("100"), a_row("30", order="9", payment="p9"), a_row("5", order="", payment="")], [paid("100")], reported="135")
    assert causes(found) == {"strange": Decimal(35)}
    assert [item.note for item in found.items_of("strange")] == ["order 9", "names no order"]
    known = Row(DAY, CHARGE, Decimal(3), "1", "cash", "#1001")
    assert [item.number for item in walked([known], [], reported="3").items_of("strange")] == ["#1001"]


def test_payments_without_the_processors_ids_are_paired_by_order_and_amount_as_often_as_each_is_there() -> None:
    rows = [a_row("50", payment="p1"), a_row("50", payment="p2"), a_row("-10", payment="p3")]
    payments = [paid("50", payment="file:1"), paid("50", payment="file:2"), paid("50", payment="file:3"), paid("-10", payment="file:4")]
    found = walked(rows, payments, reported="90")
    assert (found.expected, causes(found)) == (Decimal(140), {"missing": Decimal(-50)})


def test_an_amount_that_differs_is_not_explained() -> None:
    found = walked([a_row("99")], [paid("100")], reported="99")
    assert (causes(found), found.unexplained, found.explained) == ({"differs": Decimal(-1)}, Decimal(-1), 0)


def test_what_is_in_no_row_is_not_explained() -> None:
    found = walked([a_row("100")], [paid("100")], reported="110")
    assert (causes(found), found.unexplained) == ({"unread": Decimal(10)}, Decimal(10))


def test_what_a_processors_rate_gives_besides_is_currency_conversion() -> None:
    found = walked([a_row("91.99")], [paid("100", currency="USD", converted="92.03")], reported="91.99")
    assert (found.expected, causes(found)) == (Decimal("92.03"), {"conversion": Decimal("-0.04")})


def test_without_a_rate_a_row_says_what_its_payment_comes_to_and_what_no_row_tells_is_in_no_sum() -> None:
    foreign = [paid("100", currency="USD", converted=None), paid("40", order="2", payment="p2", currency="USD", converted=None)]
    found = walked([a_row("92")], foreign, reported="92")
    assert (found.expected, causes(found), [each.number for each in found.without_rate]) == (Decimal(92), {}, ["#2"])


def test_other_rows_are_causes_by_what_they_are_about() -> None:
    others = (
        Moved(BalanceMeaning.DISPUTE, 1, Decimal(-100), Decimal(15)), Moved(BalanceMeaning.TRANSFER, 2, Decimal(-30), Decimal(0)),
        Moved(BalanceMeaning.FINANCING, 1, Decimal(500), Decimal(0)), Moved(BalanceMeaning.RETURNED, 1, Decimal(60), Decimal(0)),
    )  # fmt: skip
    found = walked([a_row("100")], [paid("100")], reported="513", fees="17", others=others)
    assert causes(found) == {"fees": -17, "dispute": -100, "transfer": -30, "financing": 500, "returned": 60}


AMOUNTS = st.integers(-9_999, 9_999).filter(bool).map(lambda cents: Decimal(cents) / 100)
KEYS = st.tuples(st.sampled_from("123"), st.sampled_from(["p1", "p2", "p3", ""]))


@given(
    st.lists(st.tuples(KEYS, AMOUNTS), max_size=8), st.dictionaries(KEYS, st.tuples(AMOUNTS, st.booleans(), st.booleans()), max_size=8),
    st.lists(st.tuples(KEYS, AMOUNTS), max_size=4), AMOUNTS, AMOUNTS,
)  # fmt: skip
def test_whatever_is_told_expected_and_causes_add_up_to_what_was_reported(
    rows: list[tuple[tuple[str, str], Decimal]], payments: dict[tuple[str, str], tuple[Decimal, bool, bool]],
    others: list[tuple[tuple[str, str], Decimal]], fees: Decimal, reported: Decimal,
) -> None:  # fmt: skip
    found = walked(
        [a_row(f"{amount}", *key) for key, amount in rows],
        [
            paid(f"{amount}", *key, in_span=in_span, currency="USD" if foreign else "EUR", converted=f"{amount / 2}" if foreign else "")
            for key, (amount, in_span, foreign) in payments.items()
        ],
        *(Elsewhere(*key, CHARGE, amount, None) for key, amount in others),
        reported=f"{reported}", fees=f"{fees}",
    )  # fmt: skip
    missed: list[Cause] = [cause for cause in found.causes if cause.amount != sum(item.amount for item in cause.items) and cause.items]
    assert missed == []
