"""What an address asks for: ranges, what they are compared with, the steps beside them, and what is refused."""

import re
from decimal import Decimal

import pytest
from django.template.loader import render_to_string

from dashboards.delta import Delta, Good
from dashboards.forms.addresses import Reading, ScopeForm
from dashboards.forms.presets import presets, range_name, scope_bar
from dashboards.forms.scope import Compare, Match, Scope
from ledger.models import Store
from ledger.periods import By, Period
from tests.builders import a_line, a_store, an_order, day, write
from tests.dashboards.people import signed_in, text_of
from tests.dashboards.scopes import a_scope, span


@pytest.mark.parametrize(
    ("shown", "today", "before"),
    [
        (("2026-03-01", "2026-03-31"), "2026-06-01", ("2026-02-01", "2026-02-28")),  # a month: the month before
        (("2026-02-01", "2026-02-28"), "2026-06-01", ("2026-01-01", "2026-01-31")),
        (("2026-03-01", "2026-03-15"), "2026-03-15", ("2026-02-01", "2026-02-15")),  # month to date: as much of the month before
        (("2026-03-01", "2026-03-15"), "2026-06-01", ("2026-02-14", "2026-02-28")),  # the same days later on: as many days before
        (("2026-03-01", "2026-03-30"), "2026-03-30", ("2026-02-01", "2026-02-28")),
        (("2026-04-01", "2026-05-10"), "2026-05-10", ("2026-01-01", "2026-02-10")),  # quarter to date
        (("2026-01-01", "2026-11-25"), "2026-11-25", ("2025-01-01", "2025-11-25")),  # year to date
        (("2025-12-01", "2026-11-25"), "2026-11-25", ("2024-12-01", "2025-11-25")),  # twelve months
        (("2026-02-01", "2026-03-31"), "2026-06-01", ("2025-12-01", "2026-01-31")),
        (("2026-03-10", "2026-03-16"), "2026-06-01", ("2026-03-03", "2026-03-09")),
        (("2026-03-10", "2026-03-10"), "2026-03-10", ("2026-03-09", "2026-03-09")),
    ],
)
def test_the_period_before_is_as_long_or_follows_the_calendar(shown: tuple[str, str], today: str, before: tuple[str, str]) -> None:
    assert a_scope(*shown, today=today, compare=Compare.PREVIOUS).compared == span(*before)


def test_quarters_and_years_follow_the_fiscal_year() -> None:
    scope = a_scope("2026-02-01", "2026-03-10", today="2026-03-10", fiscal_month=2, compare=Compare.PREVIOUS)
    assert scope.compared == span("2025-11-01", "2025-12-10")
    assert (scope.earlier, scope.later) == (span("2025-11-01", "2026-01-31"), None)


@pytest.mark.parametrize(
    ("shown", "before"),
    [
        (("2026-03-10", "2026-03-16"), ("2025-03-10", "2025-03-16")),
        (("2024-02-29", "2024-02-29"), ("2023-02-28", "2023-02-28")),
        (("2024-02-01", "2024-02-29"), ("2023-02-01", "2023-02-28")),  # whole months stay whole
        (("2025-02-01", "2025-02-28"), ("2024-02-01", "2024-02-29")),
        (("2025-02-10", "2025-02-28"), ("2024-02-10", "2024-02-28")),
    ],
)
def test_a_year_before_has_the_same_dates(shown: tuple[str, str], before: tuple[str, str]) -> None:
    assert a_scope(*shown, compare=Compare.YEAR).compared == span(*before)


@pytest.mark.parametrize(
    ("compare", "shown", "before"),
    [
        (Compare.YEAR, ("2026-03-10", "2026-03-16"), ("2025-03-11", "2025-03-17")),
        (Compare.PREVIOUS, ("2026-03-10", "2026-03-16"), ("2026-03-03", "2026-03-09")),
        (Compare.PREVIOUS, ("2026-03-01", "2026-03-31"), ("2026-01-25", "2026-02-24")),
    ],
)
def test_matched_weekdays_begin_on_the_same_day_of_the_week(compare: Compare, shown: tuple[str, str], before: tuple[str, str]) -> None:
    compared = a_scope(*shown, compare=compare, match=Match.WEEKDAY).compared
    assert compared == span(*before)
    assert compared.first.weekday() == day(shown[0]).weekday()


@pytest.mark.parametrize(
    ("shown", "today", "earlier", "later"),
    [
        (("2026-03-01", "2026-03-31"), "2026-04-10", ("2026-02-01", "2026-02-28"), ("2026-04-01", "2026-04-10")),
        (("2026-03-01", "2026-03-10"), "2026-03-10", ("2026-02-01", "2026-02-28"), None),
        (("2026-01-01", "2026-03-31"), "2026-12-31", ("2025-10-01", "2025-12-31"), ("2026-04-01", "2026-06-30")),
        (("2026-03-10", "2026-03-16"), "2026-03-17", ("2026-03-03", "2026-03-09"), ("2026-03-17", "2026-03-23")),
        (("2026-03-10", "2026-03-16"), "2026-03-16", ("2026-03-03", "2026-03-09"), None),
        (("1990-01-03", "1990-01-09"), "2026-03-16", None, ("1990-01-10", "1990-01-16")),
    ],
)
def test_the_steps_beside_a_range_adjoin_it(
    shown: tuple[str, str], today: str, earlier: tuple[str, str] | None, later: tuple[str, str] | None
) -> None:
    scope = a_scope(*shown, today=today)
    assert (scope.earlier, scope.later) == (earlier and span(*earlier), later and span(*later))


def test_a_range_with_today_in_it_is_partial() -> None:
    assert [a_scope("2026-03-01", "2026-03-10", today=today).is_partial for today in ("2026-02-28", "2026-03-01", "2026-03-10", "2026-03-11")] == [
        False, True, True, False,
    ]  # fmt: skip


def test_the_query_names_what_is_shown_and_only_what_was_chosen() -> None:
    scope = a_scope("2026-03-01", "2026-03-31", By.WEEK, basis="order")
    assert scope.query() == "from=2026-03-01&to=2026-03-31&by=week&basis=order"
    compared = a_scope("2026-03-01", "2026-03-31", compare=Compare.YEAR, match=Match.WEEKDAY)
    assert compared.query(period=span("2026-01-01", "2026-01-31"), by=By.DAY) == (
        "from=2026-01-01&to=2026-01-31&by=day&basis=event&compare=year&match=weekday"
    )


def test_presets_end_today_and_mark_the_one_shown() -> None:
    offered = presets(a_scope("2026-02-01", "2026-02-28", By.DAY, today="2026-03-31"))
    assert [(one.label, one.query.removesuffix("&basis=event")) for one in offered] == [
        ("Today", "from=2026-03-31&to=2026-03-31&by=day"),
        ("Yesterday", "from=2026-03-30&to=2026-03-30&by=day"),
        ("Last 7 days", "from=2026-03-25&to=2026-03-31&by=day"),
        ("Last 28 days", "from=2026-03-04&to=2026-03-31&by=day"),
        ("Last 30 days", "from=2026-03-02&to=2026-03-31&by=day"),
        ("Last 90 days", "from=2026-01-01&to=2026-03-31&by=week"),
        ("Month to date", "from=2026-03-01&to=2026-03-31&by=day"),
        ("Last month", "from=2026-02-01&to=2026-02-28&by=day"),
        ("Quarter to date", "from=2026-01-01&to=2026-03-31&by=week"),
        ("Year to date", "from=2026-01-01&to=2026-03-31&by=month"),
        ("This year", "from=2026-01-01&to=2026-12-31&by=month"),
        ("Last 12 months", "from=2025-04-01&to=2026-03-31&by=month"),
    ]
    assert [one.label for one in offered if one.is_shown] == ["Last month"]


def test_presets_of_a_fiscal_year_say_so() -> None:
    offered = {one.label: one.query for one in presets(a_scope("2026-02-01", "2026-02-28", today="2026-03-10", fiscal_month=2))}
    assert offered["Fiscal year to date"] == "from=2026-02-01&to=2026-03-10&by=month&basis=event"
    assert offered["This fiscal year"] == "from=2026-02-01&to=2027-01-31&by=month&basis=event"
    assert offered["Fiscal quarter to date"] == "from=2026-02-01&to=2026-03-10&by=week&basis=event"


def marked(first: str, last: str, by: By, today: str) -> list[str]:
    """Return the presets that are marked for a range."""
    return [one.label for one in presets(a_scope(first, last, by, today=today)) if one.is_shown]


def test_a_preset_is_marked_whenever_its_days_are_shown_however_they_are_cut() -> None:
    assert marked("2026-02-01", "2026-02-28", By.WEEK, "2026-03-31") == ["Last month"]
    assert marked("2026-02-01", "2026-02-27", By.DAY, "2026-03-31") == []
    january = [marked("2026-01-01", "2026-01-20", by, "2026-01-20") for by in (By.DAY, By.WEEK, By.MONTH, By.YEAR)]
    assert january == [["Month to date"], ["Quarter to date"], ["Year to date"], ["Month to date"]]


READING = Reading(by=By.MONTH)
BOOKED = span("2025-11-20", "2026-02-20")


def asked(query: dict[str, str], *, reading: Reading = READING, booked: Period | None = BOOKED, store: Store | None = None) -> ScopeForm:
    """Read an address on the last day of March 2026."""
    return ScopeForm(query, store=store or Store(), today=day("2026-03-31"), zone="Europe/Berlin", reading=reading, booked=lambda basis: booked)


def scope_of(query: dict[str, str], *, reading: Reading = READING, booked: Period | None = BOOKED) -> Scope:
    """Return what an address asks for, which is something."""
    return asked(query, reading=reading, booked=booked).dated_scope()


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"from": "2025-04-01", "to": "2026-03-31"}, "Last 12 months"), ({}, "4 months up to the last day with entries"),
        ({"from": "2026-02-03", "to": "2026-02-20"}, ""), ({"by": "day"}, "1 month up to the last day with entries"),
    ],
)  # fmt: skip
def test_the_range_shown_has_a_name(query: dict[str, str], name: str) -> None:
    scope = scope_of(query)
    assert range_name(scope, presets(scope)) == name


def test_a_page_may_show_so_many_days_up_to_the_last_with_entries_or_today() -> None:
    reading = Reading(days=30)
    assert scope_of({}, reading=reading).period == span("2026-01-22", "2026-02-20")
    assert scope_of({}, reading=reading, booked=None).period == span("2026-03-02", "2026-03-31")
    scope = scope_of({}, reading=reading)
    assert range_name(scope, presets(scope)) == "30 days up to the last day with entries"


@pytest.mark.parametrize(
    ("first", "by"), [("2026-03-31", By.DAY), ("2025-12-29", By.DAY), ("2025-12-28", By.WEEK), ("2024-12-31", By.MONTH), ("2001-01-01", By.YEAR)]
)
def test_days_are_cut_as_suits_their_number_where_the_page_says_nothing(first: str, by: By) -> None:
    assert scope_of({"from": first, "to": "2026-03-31"}, reading=Reading(offered=frozenset())).by == by


def test_nothing_is_compared_by_itself_where_nothing_is_booked() -> None:
    assert scope_of({"from": "2026-02-01", "to": "2026-02-28"}).compared == span("2026-01-01", "2026-01-31")
    assert scope_of({"from": "2025-11-01", "to": "2025-11-30"}).compare == Compare.NONE
    assert scope_of({"from": "2025-11-01", "to": "2025-11-30", "compare": "previous"}).compared == span("2025-10-01", "2025-10-31")


def test_the_form_keeps_what_was_chosen_and_leaves_the_rest_to_the_page() -> None:
    left = asked({"from": "2026-02-01", "to": "2026-02-28"}).shown()
    chosen = asked({"from": "2026-02-01", "to": "2026-02-28", "compare": "none"}).shown()
    assert [form["compare"].value() for form in (left, chosen)] == ["", "none"]
    assert [form["compare_from"].value() for form in (left, chosen)] == [None, None]
    mine = asked({"from": "2026-02-01", "to": "2026-02-28", "compare_from": "2025-12-01", "compare_to": "2025-12-28"}).shown()
    assert [mine[name].value() for name in ("compare", "compare_from", "compare_to")] == ["custom", "2025-12-01", "2025-12-28"]


def test_days_to_compare_with_can_be_given() -> None:
    scope = scope_of({"from": "2026-02-01", "to": "2026-02-28", "compare_from": "2025-12-01", "compare_to": "2025-12-28"})
    assert (scope.compare, scope.compared) == (Compare.CUSTOM, span("2025-12-01", "2025-12-28"))
    assert scope.query() == (
        "from=2026-02-01&to=2026-02-28&by=month&basis=event&compare=custom&compare_from=2025-12-01&compare_to=2025-12-28"
    )  # fmt: skip
    ignored = scope_of({"from": "2026-02-01", "to": "2026-02-28", "compare": "none", "compare_from": "2025-12-01", "compare_to": "2025-12-28"})
    assert (ignored.compare, ignored.compared) == (Compare.NONE, None)


@pytest.mark.parametrize(
    ("query", "field", "problem"),
    [
        ({"compare": "never"}, "id_compare", "Compare with previous, year, custom or none."),
        ({"match": "moon"}, "id_match", "Compared days match by date or by weekday."),
        ({"compare": "custom"}, "id_compare_from", "Give both the first and the last day to compare with."),
        ({"compare_from": "2025-12-01"}, "id_compare_to", "Give both the first and the last day to compare with."),
        (
            {"compare_from": "2025-12-02", "compare_to": "2025-12-01"}, "id_compare_to",
            "The days to compare with end (2025-12-01) before they start (2025-12-02).",
        ),
        ({"compare_to": "2025-13-01"}, "id_compare_to", "Give the last day to compare with as year-month-day, such as 2025-12-31."),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "", "The span ends (2026-03-01) before it starts (2026-03-02)."),
        ({"from": "x", "compare": "none"}, "id_from", "Give the first day as year-month-day, such as 2026-01-31."),
        ({"by": "fortnight"}, "id_by", "Columns are by day, week, month, quarter or year."),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused_in_words_and_the_default_shown(query: dict[str, str], field: str, problem: str) -> None:
    form = asked(query)
    assert form.problems() == [(field, problem)]
    assert form.dated_scope().period == span("2025-11-01", "2026-02-20")


def test_every_field_that_was_refused_is_named() -> None:
    form = asked({"from": "x", "compare": "custom"})
    assert [field for field, _ in form.problems()] == ["id_from", "id_compare_from"]


def test_what_a_page_does_not_offer_is_not_read() -> None:
    scope = scope_of({"by": "fortnight", "basis": "x", "compare": "y"}, reading=Reading(offered=frozenset(), days=90))
    assert (scope.query(), scope.compared) == ("from=2025-11-23&to=2026-02-20", None)


def test_an_empty_book_shows_nothing_unless_days_are_named() -> None:
    assert asked({}, booked=None).scope() is None
    assert scope_of({"from": "2026-01-01", "to": "2026-01-31"}, booked=None).period == span("2026-01-01", "2026-01-31")
    with pytest.raises(ValueError, match="shows nothing of an empty book"):
        asked({}, booked=None).dated_scope()


@pytest.mark.django_db
def test_the_bar_links_to_the_steps_and_keeps_what_else_is_in_the_address() -> None:
    form = asked({"from": "2026-02-01", "to": "2026-02-28"})
    bar = scope_bar(form, form.dated_scope(), kept={"tab": "costs"})
    assert bar.earlier is not None
    assert bar.earlier.query == "from=2026-01-01&to=2026-01-31&by=month&basis=event&tab=costs"
    assert [one.query.endswith("&tab=costs") for one in bar.presets] == [True] * 12
    page = render_to_string("parts/scope.html", {"bar": bar})
    assert '<input type="hidden" name="tab" value="costs">' in page
    assert "Days are those of Europe/Berlin." in page


def delta(now: str | None, before: str | None, good: Good = Good.MORE, kind: str = "money") -> Delta:
    """Compare two figures written as texts."""
    return Delta(None if now is None else Decimal(now), None if before is None else Decimal(before), good, kind)


@pytest.mark.parametrize(
    ("compared", "said"),
    [
        (delta("150", "100"), "↑ +50.0\u00a0% better"),
        (delta("50", "100"), "↓ −50.0\u00a0% worse"),
        (delta("-40", "-30"), "↑ +33.3\u00a0% worse"),  # a cost grew
        (delta("-20", "-40"), "↓ −50.0\u00a0% better"),
        (delta("40", "30", Good.LESS), "↑ +33.3\u00a0% worse"),
        (delta("10", "0"), "↑ n/a better"),
        (delta("10", "-5"), "↑ n/a better"),
        (delta("-10", "5"), "↓ n/a worse"),
        (delta("0", "8"), "↓ −100.0\u00a0% worse"),
        (delta("7", "7"), "0.0\u00a0%"),
        (delta("0", "0"), "unchanged"),
        (delta("-1954.29", "-1954.28"), "hardly changed"),
        (delta("0.0281", "0.0279", kind="percent"), "hardly changed"),
        (delta("12", "10", Good.NEITHER), "↑ +20.0\u00a0%"),
        (delta("0.250", "0.229", kind="percent"), "↑ +2.1\u00a0points better"),
        (delta(None, "10"), "— no figure"),
        (delta("10", None), "— no figure"),
    ],
)
def test_a_change_has_an_arrow_a_sign_and_a_word(compared: Delta, said: str) -> None:
    written = render_to_string("parts/delta.html", {"delta": compared, "currency": "EUR"})
    assert text_of_fragment(written) == said


def text_of_fragment(html: str) -> str:
    """Return the words of a piece of a page."""
    return re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def test_why_there_is_no_percentage_is_said() -> None:
    assert [delta(*pair).why_no_share for pair in (("1", "0"), ("1", "-1"), ("2", "1"), (None, "1"))] == [
        "it was zero before", "it changed its sign", "", "",
    ]  # fmt: skip
    assert delta("1", "0").change == Decimal(1)


@pytest.mark.django_db
def test_the_page_says_what_its_figures_rest_on() -> None:
    store = a_store(slug="shop", zone="Europe/Berlin")
    write(store, an_order("1", lines=[a_line("1", price="50.00", cost="20.00")], fee="1.00"), an_order("2", currency="USD"))
    page = text_of(signed_in(store).get("/shop/pnl?from=2026-03-01&to=2026-03-31"))
    assert "Some orders are held through batch 1, recorded" in page
    assert "1 order held for a missing exchange rate" in page
    assert "0.0 % of the money that moved is estimated" in page
