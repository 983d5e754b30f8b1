"""Costs entered by hand that belong to days: spread over real days through today, net of VAT, never edited away."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from django.core.exceptions import ValidationError
from django.db.models import Sum
from django.utils import timezone

from ledger.audit import check_all
from ledger.costs.accruing import accrue, due
from ledger.costs.labels import account_number
from ledger.drafts.manual import periods, spread
from ledger.models import Account, Batch, DayTotal, Entry, Finding, ManualCost, Partner, Store
from ledger.rules.rules import RuleRefused, change
from ledger.rules.undoing import undo
from ledger.stores import today_of
from ledger.tasks import ACCRUE_BOOKS
from profitpeek.jobs import queue
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.builders import a_cost as an_actual_cost
from tests.builders import a_store, an_order, at, book_of, close_through, day, ecb, write
from tests.ledger_text import assert_entries, assert_statement, statement

pytestmark = pytest.mark.django_db

ONCE, DAY, WEEK, MONTH, QUARTER, YEAR = "once", "day", "week", "month", "quarter", "year"


@pytest.fixture
def store() -> Store:
    return a_store(slug="shop")


def a_cost(amount: str, first: str, last: str | None = None, *, basis: str = ONCE, label: str = "rent", **more: object) -> ManualCost:
    """Make an operating cost in euros that is not set yet."""
    usual = {"category": "operating", "currency": "EUR"}
    return ManualCost(
        amount=amount, basis=basis, label=label, effective_from=day(first), effective_to=day(last) if last else None, **{**usual, **more}
    )  # fmt: skip


def of_spend(percentage: str, first: str | None = None, **more: object) -> ManualCost:
    """Make an agency's fee: a percentage of ad spend."""
    return ManualCost(
        category="marketing", label="agency", basis="ad_spend", percentage=percentage, currency="EUR", effective_from=first and day(first), **more
    )  # fmt: skip


def set_costs(store: Store, *add: ManualCost, today: str, remove: tuple[ManualCost, ...] = ()):
    """Change costs at noon of a day."""
    return change(store, add=add, remove=remove, actor="ann@example.com", now=at(f"{today} 12:00"))


def through(store: Store, today: str) -> int:
    """Let a day come, and return how many entries that wrote."""
    return accrue(store, today=day(today), now=at(f"{today} 12:00")).added


def booked(store: Store) -> dict[str, str]:
    """Return what each day costs."""
    by_day = DayTotal.objects.filter(book_id=store.pk, basis=1).values_list("day").annotate(amount=Sum("amount")).order_by("day")
    return {str(on): f"{amount.normalize():f}" for on, amount in by_day if amount}


def of(store: Store, first: str, last: str, key: str = "operating") -> str:
    """Return a statement line of a span of days."""
    return f"{statement(store, first, last).lines[key]:.2f}"


# once


def test_an_influencers_fee_of_500_lands_on_its_tuesday(store: Store) -> None:
    set_costs(store, a_cost("500", "2026-03-03", label="influencer", category="marketing"), today="2026-03-05")
    assert_statement(store, "2026-03-03", "marketing -500.00\n net_profit -500.00")
    assert_entries(
        store, "source part event_day account amount how channel\n influencer 9558 2026-03-03 marketing:influencer -500.00 actual ."
    )  # fmt: skip


def test_a_month_of_rent_ties_exactly_with_the_rounding_on_the_last_day(store: Store) -> None:
    assert spread(10_000_000, 31, 100) == [322_600] * 30 + [322_000]
    set_costs(store, a_cost("1000", "2026-03-01", "2026-03-31"), today="2026-04-10")
    assert of(store, "2026-03-01", "2026-03-31") == "-1000.00"
    assert (booked(store)["2026-03-30"], booked(store)["2026-03-31"]) == ("-32.26", "-32.2")


def test_vat_that_is_got_back_is_no_cost(store: Store) -> None:
    set_costs(store, a_cost("119", "2026-03-03", includes_vat=True, vat_percentage="19"), today="2026-03-05")
    set_costs(store, a_cost("10", "2026-03-04", includes_vat=True, vat_percentage="19"), today="2026-03-05")
    # 10 ÷ 1.19 = 8.4033…
    assert booked(store) == {"2026-03-03": "-100", "2026-03-04": "-8.4"}


def test_a_credit_lowers_the_costs(store: Store) -> None:
    set_costs(store, a_cost("-31", "2026-03-01", "2026-03-02"), today="2026-03-05")
    assert booked(store) == {"2026-03-01": "15.5", "2026-03-02": "15.5"}


# again and again


@pytest.mark.parametrize(
    ("basis", "first", "starts"),
    [
        (DAY, "2026-02-28", ["2026-02-28", "2026-03-01", "2026-03-02"]),
        (WEEK, "2026-02-25", ["2026-02-25", "2026-03-04", "2026-03-11"]),
        (MONTH, "2026-01-01", ["2026-01-01", "2026-02-01", "2026-03-01"]),
        (MONTH, "2026-01-15", ["2026-01-15", "2026-02-15", "2026-03-15"]),
        (MONTH, "2026-01-31", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        (MONTH, "2024-01-30", ["2024-01-30", "2024-02-29", "2024-03-30"]),
        (QUARTER, "2025-11-30", ["2025-11-30", "2026-02-28", "2026-05-30"]),
        (YEAR, "2024-02-29", ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
    ],
)
def test_periods_are_counted_from_the_first_day(basis: str, first: str, starts: list[str]) -> None:
    found = [span for span, _ in zip(periods(basis, day(first)), starts, strict=False)]
    assert [str(start) for start, _ in found] == starts
    assert [(after - last).days for (_, last), (after, _) in pairwise(found)] == [1] * (len(starts) - 1)


@pytest.mark.parametrize(
    ("first", "months"),
    [
        ("2026-01-01", [("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28"), ("2026-03-01", "2026-03-31")]),
        ("2026-01-15", [("2026-01-15", "2026-02-14"), ("2026-02-15", "2026-03-14"), ("2026-03-15", "2026-04-14")]),
        ("2026-01-31", [("2026-01-31", "2026-02-27"), ("2026-02-28", "2026-03-30"), ("2026-03-31", "2026-04-29")]),
    ],
)
def test_an_app_of_99_a_month_ties_in_each_of_its_months(store: Store, first: str, months: list[tuple[str, str]]) -> None:
    set_costs(store, a_cost("99", first, basis=MONTH, label="app"), today="2026-04-30")
    assert [of(store, *month) for month in months] == ["-99.00"] * 3


def test_a_month_that_is_not_over_has_cost_its_days_so_far(store: Store) -> None:
    # 99 ÷ 31 = 3.19…; the last day takes what is left
    set_costs(store, a_cost("99", "2026-03-01", basis=MONTH, label="app"), today="2026-03-10")
    assert booked(store) == {f"2026-03-{number:02}": "-3.19" for number in range(1, 11)}
    through(store, "2026-03-31")
    assert booked(store)["2026-03-31"] == "-3.3"


def test_a_period_that_is_cut_short_counts_its_days(store: Store) -> None:
    set_costs(store, a_cost("310", "2026-03-01", "2026-04-10", basis=MONTH), today="2026-05-01")
    # April has 30 days: 10.33 a day
    assert (of(store, "2026-03-01", "2026-03-31"), of(store, "2026-04-01", "2026-05-01")) == ("-310.00", "-103.30")


def test_1200_a_year_is_1200_in_a_leap_year_and_any_other(store: Store) -> None:
    set_costs(store, a_cost("1200", "2023-03-01", basis=YEAR), today="2025-02-28")
    assert (of(store, "2023-03-01", "2024-02-29"), of(store, "2024-03-01", "2025-02-28")) == ("-1200.00", "-1200.00")
    # 1200 ÷ 366 = 3.278… and 1200 ÷ 365 = 3.287…; the last days take what is left
    assert (booked(store)["2023-03-01"], booked(store)["2024-02-29"], booked(store)["2025-02-28"]) == ("-3.28", "-2.8", "-2.44")


def test_a_week_and_a_quarter(store: Store) -> None:
    set_costs(
        store, a_cost("70", "2026-03-02", "2026-03-15", basis=WEEK), a_cost("900", "2026-04-01", basis=QUARTER),
        a_cost("2.50", "2026-07-01", basis=DAY), today="2026-07-02",
    )  # fmt: skip
    assert [of(store, *span) for span in (("2026-03-02", "2026-03-15"), ("2026-04-01", "2026-06-30"))] == ["-140.00", "-900.00"]
    # 900 ÷ 92 = 9.78…
    assert booked(store)["2026-07-02"] == "-12.28"


# through today


def test_days_that_have_not_come_cost_nothing_yet(store: Store) -> None:
    set_costs(store, a_cost("31", "2026-03-01", "2026-03-31"), a_cost("5", "2026-03-03", basis=DAY, label="stall"), today="2026-03-02")
    assert booked(store) == {"2026-03-01": "-1", "2026-03-02": "-1"}
    assert through(store, "2026-03-02") == 0
    assert through(store, "2026-03-03") == 2
    assert booked(store) == {"2026-03-01": "-1", "2026-03-02": "-1", "2026-03-03": "-6"}


def test_where_nothing_is_due_nothing_is_drafted_or_written(store: Store) -> None:
    set_costs(store, a_cost("31", "2026-03-01", "2026-03-31"), a_cost("5", "2026-02-01", "2026-02-28", basis=DAY), today="2026-03-20")
    batches = Batch.objects.count()
    assert due(store, today=day("2026-03-20")) == []
    assert [cost.amount for cost in due(store, today=day("2026-03-21"))] == [31]
    assert (through(store, "2026-03-20"), Batch.objects.count()) == (0, batches)


def test_today_is_the_stores_day(store: Store) -> None:
    east = a_store(slug="east", zone="Asia/Tokyo")
    for one in (store, east):
        change(one, add=[a_cost("1", "2026-03-01", basis=DAY)], actor="ann", now=at("2026-03-02 20:00"))
    assert [list(booked(one)) for one in (store, east)] == [["2026-03-01", "2026-03-02"], ["2026-03-01", "2026-03-02", "2026-03-03"]]


def test_days_that_an_earlier_version_booked_ahead_are_taken_back(store: Store) -> None:
    set_costs(store, a_cost("31", "2026-03-01", "2026-03-31"), today="2026-03-31")
    assert through(store, "2026-03-02") == 29
    assert booked(store) == {"2026-03-01": "-1", "2026-03-02": "-1"}


@pytest.mark.django_db(transaction=True)
def test_the_hourly_job_books_each_store_that_has_something_due(store: Store) -> None:
    set_costs(store, a_cost("10", "2026-03-01", basis=DAY), today="2026-03-01")
    set_costs(a_store(slug="settled"), a_cost("10", "2026-03-01", "2026-03-02"), today="2026-03-05")
    run(queue.submit(ACCRUE_BOOKS))
    accruals = Job.objects.filter(kind="accrue-costs-of-a-book", state="waiting")
    waiting = accruals.get()
    assert waiting.subject == "Shop"
    run(waiting.pk)
    assert list(booked(store))[-1] == str(today_of(store, timezone.now()))
    run(queue.submit(ACCRUE_BOOKS))
    assert not accruals.exists()


def test_a_cost_taken_back_leaves_nothing_and_an_undone_change_puts_it_back(store: Store) -> None:
    set_costs(store, a_cost("31", "2026-03-01", "2026-03-31"), today="2026-04-01")
    gone = set_costs(store, remove=tuple(ManualCost.objects.all()), today="2026-04-02")
    assert booked(store) == {}
    undo(gone, actor="bob@example.com", now=at("2026-04-03 12:00"))
    assert of(store, "2026-03-01", "2026-03-31") == "-31.00"
    assert not any(check_all(book_of(store)).values())


def test_closed_days_keep_their_figures_and_the_correction_is_booked_on_the_first_open_one(store: Store) -> None:
    close_through(store, "2026-03-02")
    set_costs(store, a_cost("4", "2026-03-01", "2026-03-04"), today="2026-03-10")
    assert booked(store) == {"2026-03-03": "-3", "2026-03-04": "-1"}


# other currencies


def test_a_foreign_cost_is_spread_in_its_currency_and_converted_at_each_days_rate(store: Store) -> None:
    ecb(("USD", "2026-03-03", "1.25"), ("USD", "2026-03-04", "1.28"))
    set_costs(store, a_cost("20", "2026-03-03", "2026-03-04", currency="USD"), today="2026-03-04")
    assert_entries(
        store,
        """
        event_day  amount original currency rate   rate_day
        2026-03-03 -8.00  -10.00   USD      0.8    2026-03-03
        2026-03-04 -7.81  -10.00   USD      0.78125 2026-03-04
        """,
    )


def test_a_cost_without_its_rate_is_refused_whole(store: Store) -> None:
    with pytest.raises(RuleRefused, match="There is no exchange rate from USD to EUR on 2026-03-01"):
        set_costs(store, a_cost("31", "2026-03-01", basis=MONTH, currency="USD"), today="2026-03-02")
    assert (ManualCost.objects.count(), Entry.objects.count()) == (0, 0)


def test_days_that_come_without_a_rate_wait_and_are_told(store: Store) -> None:
    ecb(("USD", "2026-03-02", "1.25"))
    set_costs(store, a_cost("10", "2026-03-02", basis=DAY, currency="USD"), today="2026-03-02")
    through(store, "2026-03-10")
    assert list(booked(store)) == [f"2026-03-{number:02}" for number in range(2, 10)]
    finding = Finding.objects.get(resolved_at=None)
    assert (finding.kind, finding.subject) == ("cost_rate_missing", "USD")
    assert "around 2026-03-10: such days of “operating:rent: 10 USD every day” are in no figure" in finding.message
    ecb(*(("USD", f"2026-03-{number:02}", "1.25") for number in range(3, 11)))
    through(store, "2026-03-10")
    assert list(booked(store))[-1] == "2026-03-10"
    assert {entry.estimated for entry in Entry.objects.filter(book_id=store.pk, event_day="2026-03-09", revision=2, reverses=False)} == {False}
    assert not Finding.objects.filter(resolved_at=None).exists()


# a percentage of ad spend


def test_an_agencys_fee_follows_the_ad_spend_of_each_day(store: Store) -> None:
    set_costs(
        store, a_cost("100", "2026-03-02", "2026-03-03", category="marketing", label="meta_ads"),
        a_cost("10.05", "2026-03-03", category="marketing", label="tiktok-ads"), a_cost("7", "2026-03-03", category="marketing", label="flyers"),
        of_spend("10"), today="2026-03-05",
    )  # fmt: skip
    assert_entries(
        store,
        """
        event_day  account          amount how
        2026-03-02 marketing:agency -5.00  estimated
        2026-03-03 marketing:agency -6.00  estimated
        """,
        only=["marketing:agency"],
    )
    assert not any(check_all(book_of(store)).values())


def test_the_fee_follows_spend_that_is_told_later_and_spend_that_is_taken_back(store: Store) -> None:
    set_costs(store, of_spend("10", "2026-03-02"), today="2026-03-05")
    ads = [a_cost("100", first, category="marketing", label="meta_ads") for first in ("2026-03-01", "2026-03-02", "2026-03-06")]
    set_costs(store, *ads, today="2026-03-05")
    assert of(store, "2026-03-01", "2026-03-06", "marketing") == "-210.00"
    assert through(store, "2026-03-06") == 2
    assert of(store, "2026-03-01", "2026-03-06", "marketing") == "-320.00"
    set_costs(store, remove=(ManualCost.objects.get(effective_from="2026-03-02", basis="once"),), today="2026-03-06")
    assert of(store, "2026-03-01", "2026-03-06", "marketing") == "-210.00"


def test_the_fee_of_one_channel_is_of_that_channels_spend(store: Store) -> None:
    write(store, an_order("1", channel="pos"))
    spent = {"category": "marketing", "label": "meta_ads"}
    set_costs(
        store, a_cost("100", "2026-03-02", channel="pos", **spent), a_cost("50", "2026-03-02", **spent), of_spend("10", channel="pos"),
        of_spend("1", channel="never"), today="2026-03-05",
    )  # fmt: skip
    assert_entries(store, "channel account amount\n pos marketing:agency -10.00", only=["marketing:agency"])


def test_spend_that_arrives_with_orders_is_followed_within_the_hour(store: Store) -> None:
    set_costs(store, of_spend("10"), today="2026-03-05")
    write(store, an_order("1", costs=[an_actual_cost(40, "-8.00")]))
    assert through(store, "2026-03-05") == 1
    assert_entries(store, "event_day account amount\n 2026-03-03 marketing:agency -0.80", only=["marketing:agency"])


# what is refused


@pytest.mark.parametrize(
    ("wrong", "field", "told"),
    [
        ({"effective_to": date(2029, 3, 6)}, "effective_to", "at most 1100 days"),
        ({"effective_to": date(2026, 2, 1)}, "effective_to", "The last day lies before the first."),
        ({"effective_from": None}, "effective_from", "Give the first day it covers."),
        ({"effective_from": date(1999, 12, 31)}, "effective_from", "Costs are booked from 1 January 2000 on."),
        ({"amount": None}, "amount", "Give the amount."),
        ({"amount": "1.005"}, "amount", "Give at most 2 decimals: EUR has no smaller unit."),
        ({"includes_vat": True}, "vat_percentage", "Give the VAT percentage"),
        ({"basis": "order"}, "category", "Operating costs do not belong to single orders."),
        ({"basis": "ad_spend", "category": "marketing", "label": "meta_ads", "percentage": "10"}, "label", "holds the ad spend itself"),
        ({"basis": "ad_spend", "category": "marketing"}, "percentage", "Give the percentage"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field(store: Store, wrong: dict, field: str, told: str) -> None:
    cost = a_cost("100", "2026-03-01")
    cost.store = store
    for name, value in wrong.items():
        setattr(cost, name, value)
    with pytest.raises(ValidationError) as refused:
        cost.full_clean(exclude=["added_by"])
    assert any(told in message for message in refused.value.message_dict[field])


@pytest.mark.parametrize(("amount", "told"), [("1000", "1000"), ("1000.0000", "1000"), ("0.50", "0.5"), ("100", "100")])
def test_a_cost_is_named_by_its_amount(amount: str, told: str) -> None:
    assert (
        str(ManualCost(category="operating", label="rent", amount=Decimal(amount), currency="EUR"))
        == f"operating:rent: {told} EUR once, spread over its days"
    )


def test_a_partner_of_another_store_is_refused(store: Store) -> None:
    stranger = Partner.objects.create(store=a_store(slug="other"), name="Ann", kind="influencer")
    with pytest.raises(RuleRefused, match="“Ann” is no partner of Shop"):
        set_costs(store, a_cost("5", "2026-03-01", partner=stranger), today="2026-03-02")


# accounts


def test_a_label_keeps_its_number_and_a_number_its_label() -> None:
    rent, salaries = account_number("operating:rent"), account_number("operating:salaries")
    assert (account_number("operating:rent"), account_number("marketing:influencer")) == (rent, 44)
    Account.objects.filter(number=salaries).delete()
    assert account_number("operating:apps") not in (rent, salaries)


def test_a_round_amount_is_told_whole() -> None:
    assert [str(a_cost(amount, "2026-03-01")) for amount in (Decimal(3650), Decimal("99.5000"))] == [
        "operating:rent: 3650 EUR once, spread over its days", "operating:rent: 99.5 EUR once, spread over its days",
    ]  # fmt: skip
