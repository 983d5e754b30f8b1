"""Ad spend is told by day and level, and booked once."""

import pytest

from ledger.advertising.ad_plan import Spent
from ledger.advertising.spending import account_name, look, record_spend, remove
from ledger.audit import check_all
from ledger.book.reposting import repost
from ledger.cause import Cause
from ledger.costs.accruing import accrue
from ledger.facts import AdDayFact
from ledger.kinds import AdLevel, CauseKind
from ledger.models import AdDay, Campaign, Finding, ManualCost, Store
from ledger.rules.rules import change
from tests.builders import a_store, at, book_of, close_through, day, ecb, money
from tests.ledger_text import assert_entries, assert_statement

pytestmark = pytest.mark.django_db

NOW = at("2026-03-20 12:00")
UNDO = Cause(CauseKind.UNDO, "undo of import:1")


def spent(
    amount: str, *, campaign: str = "Brand", id: str = "", when: str = "2026-03-03", platform: str = "meta_ads", account: str = "",
    level: AdLevel = AdLevel.CAMPAIGN, ad_group: str = "", ad: str = "", currency: str = "EUR", estimated: bool = False,
    impressions: int | None = None,
) -> AdDayFact:  # fmt: skip
    """Tell what a campaign spent on 3 March."""
    return AdDayFact(
        platform, level, day(when), money(amount), currency, account, id, campaign if level > AdLevel.ACCOUNT else "", ad_group=ad_group, ad=ad,
        estimated=estimated, impressions=impressions,
    )  # fmt: skip


def tell(store: Store, *facts: AdDayFact, cause_ref: str = "import:1", adopt: bool = False) -> Spent:
    """Record days of ad spend."""
    return record_spend(store, facts, cause_ref=cause_ref, actor="ann", now=NOW, adopt=adopt)


def the_spend(store: Store, table: str) -> None:
    """Compare the live spend of a store with a table, and see that nothing is booked twice."""
    assert_entries(store, table, only=["marketing"], live=True)
    assert [problems for problems in check_all(book_of(store)).values() if problems] == []


def test_a_campaigns_day_is_a_cost_of_that_day_and_campaign() -> None:
    store = a_store()
    assert tell(store, spent("12.34"), spent("5", platform="google_ads", campaign="Search"), spent("1.10", platform="tiktok_ads")) == Spent(
        3, entries=3
    )
    the_spend(store, """
        account               campaign  event_day   amount  how     channel
        marketing:meta_ads    Brand     2026-03-03  -12.34  actual  .
        marketing:google_ads  Search    2026-03-03  -5.00   actual  .
        marketing:tiktok-ads  Brand     2026-03-03  -1.10   actual  .
    """)  # fmt: skip
    assert_statement(store, "2026-03-03", """
        marketing   -18.44
        net_profit  -18.44
    """)  # fmt: skip


def test_a_platform_without_an_account_of_its_own_is_other_ads() -> None:
    assert [account_name(name) for name in ("meta_ads", "amazon_ads", "taboola")] == [
        "marketing:meta_ads", "marketing:amazon-ads", "marketing:other-ads",
    ]  # fmt: skip


def test_the_same_again_changes_nothing() -> None:
    store = a_store()
    tell(store, spent("12.34"))
    assert look(store, [spent("12.34")]) == Spent(unchanged=1)
    assert tell(store, spent("12.34")) == Spent(unchanged=1)
    assert book_of(store).last_seq == 1


def test_a_changed_day_is_restated() -> None:
    store = a_store()
    tell(store, spent("12.34"))
    assert look(store, [spent("12.50")]) == Spent(changed=1)
    assert tell(store, spent("12.50"), cause_ref="import:2") == Spent(changed=1, entries=2)
    assert_entries(store, """
        seq  revision  reverses  amount
        1    1         no        -12.34
        2    1         yes       12.34
        2    2         no        -12.50
    """, only=["marketing"])  # fmt: skip


def test_counts_that_change_move_no_money() -> None:
    store = a_store()
    tell(store, spent("12.34", impressions=10))
    assert tell(store, spent("12.34", impressions=11)) == Spent(changed=1)


def test_levels_tell_the_same_money_and_one_is_booked() -> None:
    store = a_store()
    ads = [spent("4.00", level=AdLevel.AD, ad_group="Women", ad=name) for name in ("a", "b")]
    tell(store, *ads)
    the_spend(store, """
        source         campaign  amount
        Brand/Women/a  Brand     -4.00
        Brand/Women/b  Brand     -4.00
    """)  # fmt: skip
    tell(store, spent("9.00"))
    the_spend(store, """
        source  campaign  amount
        Brand   Brand     -9.00
    """)  # fmt: skip


def test_of_two_levels_that_tell_the_same_the_coarser_is_booked() -> None:
    store = a_store()
    tell(store, spent("8.00", level=AdLevel.AD_GROUP, ad_group="Women"), spent("8.00"))
    the_spend(store, """
        source  amount
        Brand   -8.00
    """)  # fmt: skip


def test_a_level_that_misses_a_campaign_does_not_hide_it() -> None:
    store = a_store()
    tell(store, spent("8.00"))
    tell(store, *(spent("8.00", level=AdLevel.AD, campaign=name, ad_group="g", ad="a") for name in ("Brand", "Shoes")))
    the_spend(store, """
        source     campaign  amount
        Brand/g/a  Brand     -8.00
        Shoes/g/a  Shoes     -8.00
    """)  # fmt: skip


def test_the_accounts_total_books_what_its_campaigns_do_not_tell() -> None:
    store = a_store()
    tell(store, spent("8.00"), spent("10.00", level=AdLevel.ACCOUNT))
    the_spend(store, """
        source    campaign  amount
        Brand     Brand     -8.00
        meta_ads  .         -2.00
    """)  # fmt: skip
    tell(store, spent("10.00"))
    the_spend(store, """
        source  campaign  amount
        Brand   Brand     -10.00
    """)  # fmt: skip


def test_facts_of_one_call_about_the_same_are_added_up() -> None:
    store = a_store()
    tell(store, spent("3.00", impressions=5), spent("4.00", impressions=6))
    assert list(AdDay.objects.values_list("spend", "impressions")) == [(7, 11)]


def test_two_currencies_of_one_thing_are_refused() -> None:
    with pytest.raises(ValueError, match="in EUR and in USD"):
        tell(a_store(), spent("3.00"), spent("4.00", currency="USD"))


def test_a_campaign_that_was_told_by_name_is_the_one_that_is_told_by_id() -> None:
    store = a_store()
    tell(store, spent("3.00"))
    assert tell(store, spent("3.00", id="123")) == Spent(unchanged=1)
    assert tell(store, spent("4.00")) == Spent(changed=1, entries=2)
    assert tell(store, spent("4.00", id="123", campaign="Brand, renamed")) == Spent(unchanged=1)
    assert list(Campaign.objects.values_list("external_id", "name")) == [("123", "Brand, renamed")]


def test_foreign_spend_takes_its_days_rate() -> None:
    store = a_store()
    ecb(("USD", "2026-03-03", "1.25"))
    tell(store, spent("10.00", currency="USD"))
    the_spend(store, """
        amount  original  currency  rate  rate_day    how
        -8.00   -10.00    USD       0.8   2026-03-03  actual
    """)  # fmt: skip


def test_spend_without_a_rate_waits_and_is_booked_when_the_rate_is_there() -> None:
    store = a_store()
    assert look(store, [spent("10.00", currency="USD")]) == Spent(1, held=1)
    assert tell(store, spent("10.00", currency="USD")) == Spent(1, held=1)
    the_spend(store, "amount")
    assert list(Finding.objects.filter(book=store.pk, resolved_at=None).values_list("kind", "subject")) == [("ad_rate_missing", "USD")]
    ecb(("USD", "2026-03-03", "1.25"))
    accrue(store, today=day("2026-03-20"), now=NOW)
    the_spend(store, """
        amount  original
        -8.00   -10.00
    """)  # fmt: skip
    assert not Finding.objects.filter(book=store.pk, resolved_at=None).exists()


def test_a_repost_replaces_a_stand_in_rate() -> None:
    store = a_store()
    ecb(("USD", "2026-02-27", "1.00"), ("USD", "2026-03-10", "1.10"))
    tell(store, spent("10.00", currency="USD"))
    the_spend(store, """
        amount  how
        -10.00  estimated
    """)  # fmt: skip
    ecb(("USD", "2026-03-03", "1.25"))
    repost(store, cause=Cause(CauseKind.RULE, "repost"))
    the_spend(store, """
        amount  how
        -8.00   actual
    """)  # fmt: skip


def test_what_is_spread_is_estimated_and_gives_way_to_what_is_told_exactly() -> None:
    store = a_store()
    tell(store, spent("5.00", estimated=True))
    the_spend(store, """
        amount  how
        -5.00   estimated
    """)  # fmt: skip
    tell(store, spent("6.00"), cause_ref="import:2")
    assert tell(store, spent("5.00", estimated=True), cause_ref="import:3") == Spent(kept_exact=1)
    the_spend(store, """
        amount  how
        -6.00   actual
    """)  # fmt: skip


def test_what_is_taken_back_leaves_no_cost() -> None:
    store = a_store()
    tell(store, spent("5.00"))
    tell(store, spent("6.00", when="2026-03-04"), cause_ref="import:2")
    assert remove(store, cause_ref="import:1", cause=UNDO, now=NOW).added == 1
    the_spend(store, """
        event_day   amount
        2026-03-04  -6.00
    """)  # fmt: skip
    assert tell(store, spent("5.00")) == Spent(1, entries=1)


def test_a_closed_day_is_corrected_on_the_first_open_one() -> None:
    store = a_store()
    tell(store, spent("5.00"))
    close_through(store, "2026-03-10")
    tell(store, spent("6.00"))
    assert_entries(store, """
        day         event_day   amount
        2026-03-03  2026-03-03  -5.00
        2026-03-11  2026-03-03  5.00
        2026-03-11  2026-03-03  -6.00
    """, only=["marketing"])  # fmt: skip


def test_a_percentage_of_ad_spend_follows_what_is_told() -> None:
    store = a_store()
    share = ManualCost(category="marketing", label="agency", basis=ManualCost.Basis.AD_SPEND, percentage=10, currency="EUR")
    change(store, add=[share], actor="ann", now=NOW)
    tell(store, spent("50.00"), spent("7.00", platform="taboola"))
    the_spend(store, """
        account                amount  how
        marketing:meta_ads     -50.00  actual
        marketing:other-ads    -7.00   actual
        marketing:agency       -5.70   estimated
    """)  # fmt: skip
    tell(store, spent("60.00"))
    the_spend(store, """
        account                amount  how
        marketing:meta_ads     -60.00  actual
        marketing:other-ads    -7.00   actual
        marketing:agency       -6.70   estimated
    """)  # fmt: skip


def test_the_audit_finds_a_day_that_is_booked_at_two_levels() -> None:
    store = a_store()
    tell(store, spent("8.00"), spent("8.00", level=AdLevel.AD_GROUP, ad_group="g", campaign="Shoes"))
    AdDay.objects.filter(level=AdLevel.CAMPAIGN).update(spend=11)
    problems = check_all(book_of(store))["ad_spend_is_booked_once"]
    assert [(problem.subject, problem.expected, problem.actual) for problem in problems] == [("ad spend meta_ads 2026-03-03", "11.0000", "8.0000")]
