"""The costs page: what it says about coverage, what to mend and whom it lets mend it; and restating, shown until it is done."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from dashboards.forms.addresses import ScopeForm
from dashboards.forms.presets import presets
from dashboards.pages.costs_page import bars
from dashboards.pages.notices import restating
from dashboards.views.costs import READING
from ledger import findings
from ledger.book.reposting import repost
from ledger.cause import Cause
from ledger.cost_checks.run import check_costs
from ledger.costs.coverage import covered
from ledger.costs.fixes import fixes
from ledger.kinds import CauseKind
from ledger.models import (
    Book,
    BundlePart,
    CogsRule,
    FeeRule,
    Finding,
    ManualCost,
    Membership,
    Partner,
    ProfitGoal,
    ShippingRule,
    Store,
    Variant,
    VariantCost,
)
from ledger.models.rules import Rule
from ledger.periods import Period
from ledger.rules import rules
from profitpeek.jobs.models import Job
from tests.builders import a_line, a_store, an_order, at, day, write
from tests.dashboards.people import a_person, browser_of, signed_in, text_of

pytestmark = pytest.mark.django_db

MARCH = "/shop/costs?from=2026-03-01&to=2026-03-31"


@pytest.fixture
def shop() -> Store:
    """Open a store that sold a mug and a cup for 50.00 each on the third of March; of neither a cost is known."""
    store = a_store(slug="shop")
    write(store, an_order("1001", lines=[a_line("mug", price="50.00"), a_line("cup", price="50.00")], shipping="5.00"))
    return store


def make(store: Store, *add: Rule, reason: str = "", now: datetime | None = None) -> None:
    rules.change(store, add=add, actor="ann@example.com", reason=reason, now=now or at("2026-03-31 09:00"))


def restate(store: Store) -> None:
    repost(store, cause=Cause(CauseKind.RULE, "test"))


def viewer(store: Store) -> Client:
    return signed_in(store, email="viewer@example.com", role=Membership.Role.VIEWER)


def test_coverage_is_said_in_words_and_in_a_table(shop: Store) -> None:
    make(shop, VariantCost(variant=Variant.objects.get(external_id="vmug"), goods=20, currency="EUR"))
    restate(shop)
    page = text_of(signed_in(shop).get(MARCH))
    assert "Goods 50.0 % actual 50.0 % by default of net product sales" in page
    assert "Payment fees 0.0 % actual 100.0 % by default of the fees" in page
    assert "Actual 50.00 50.0 % 0.00 0.0 % 0.00 0.0 %" in page
    assert "By default 50.00 50.0 % 3.34 100.0 % 5.00 100.0 %" in page
    assert "All 100.00 3.34 5.00" in page
    assert "By a rule or default" not in page


def test_what_only_the_totals_of_fees_cannot_tell_is_a_row_of_its_own(shop: Store) -> None:
    make(shop, FeeRule(gateway="paypal", percentage=3))
    assert "By a rule or default — no figure 3.34 100.0 % 0.00 0.0 %" in text_of(signed_in(shop).get(MARCH))


def test_what_to_fix_next_is_listed_with_its_link() -> None:
    store = a_store(slug="shop")
    now = timezone.now()
    write(store, an_order("1001", lines=[a_line("mug", price="50.00")], when=f"{now:%Y-%m-%d} 00:00"))
    check_costs(store, today=now.date(), now=now)
    answer = signed_in(store).get("/shop/costs")
    assert "Thing mug (SKU-mug) 20.00 No unit cost is known; the default COGS % stands in Enter it : Thing mug (SKU-mug)" in text_of(answer)
    link = f'href="/admin/ledger/variantcost/add/?store={store.pk}&amp;variant={Variant.objects.get().pk}"'
    assert link in answer.content.decode()
    read = viewer(store).get("/shop/costs")
    assert ("Thing mug (SKU-mug) 20.00 No unit cost" in text_of(read), "/admin/" in read.content.decode()) == (True, False)


@pytest.mark.parametrize(("role", "may"), [("owner", True), ("cost_editor", True), ("analyst", False), ("viewer", False)])
def test_findings_are_seen_by_all_and_mended_by_editors(shop: Store, role: str, may: bool) -> None:
    findings.note(
        shop.pk, "costs_zero", "mug", "Costs nothing.", money=Decimal(50), mend="variantcost/add/?store=1&variant=2", now=at("2026-03-31 09:00")
    )
    client = signed_in(shop, email=f"{role}@example.com", role=Membership.Role(role))
    for address in ("/shop/costs", "/shop/pnl"):
        answer = client.get(address)
        assert "Warning: Costs nothing. At stake: €50.00." in text_of(answer)
        assert ('href="/admin/ledger/variantcost/add/?store=1&amp;variant=2"' in answer.content.decode()) is may


def test_the_statement_lists_three_findings_about_costs_and_says_where_the_others_are(shop: Store) -> None:
    for number in range(5):
        findings.note(shop.pk, "costs_zero", f"{number}", f"Costs nothing {number}.", money=Decimal(number), now=at("2026-03-31 09:00"))
    findings.note(shop.pk, "costs_ends_soon", "rent", "Ends soon.", severity=Finding.Severity.INFO, now=at("2026-03-31 09:00"))
    findings.note(shop.pk, "rate_missing", "USD", "No rate.", severity=Finding.Severity.ERROR, now=at("2026-03-31 09:00"))
    page = text_of(signed_in(shop).get("/shop/pnl"))
    told = re.findall(r"No rate\.|Costs nothing \d|Ends soon|\d more about costs", page)
    assert told == ["No rate.", "Costs nothing 4", "Costs nothing 3", "Costs nothing 2", "2 more about costs"]
    assert "Ends soon." in text_of(viewer(shop).get("/shop/costs"))


def test_findings_in_the_admin_lead_to_where_they_are_mended(shop: Store) -> None:
    now = at("2026-03-31 09:00")
    findings.note(shop.pk, "costs_zero", "mug", "Costs nothing.", money=Decimal(50), mend="variantcost/add/?store=1&variant=2", now=now)
    findings.note(shop.pk, "costs_zero", "cup", "Costs nothing.", now=now)
    findings.note(shop.pk, "costs_zero", "pot", "Costs nothing.", mend="variantcost/add/?store=1&variant=3", now=now)
    findings.resolve(shop.pk, "costs_zero", "pot", now=now)
    page = signed_in(shop).get("/admin/ledger/finding/").content.decode()
    assert page.count(">50.00 EUR<") == 1
    assert re.findall(r'<a href="([^"]*)">Mend it</a>', page) == ["/admin/ledger/variantcost/add/?store=1&amp;variant=2"]


def test_latest_changes_say_who_when_and_why_and_what_is_not_restated_yet(shop: Store) -> None:
    make(shop, CogsRule(percentage=30), reason="new supplier")
    page = text_of(signed_in(shop).get(MARCH))
    assert "31 Mar 2026, 09:00 UTC 30 % for every product restating ann@example.com: new supplier" in page
    restate(shop)
    page = text_of(viewer(shop).get(MARCH))
    assert "31 Mar 2026, 09:00 UTC 30 % for every product ann@example.com: new supplier" in page


def test_the_goal_of_the_month_shows_how_far_it_is(shop: Store) -> None:
    now = timezone.now()
    assert "No goal is set for this month." in text_of(signed_in(shop).get("/shop/costs"))
    write(shop, an_order("now", lines=[a_line("mug", price="50.00", cost="20.00")], fee="5.00", when=f"{now:%Y-%m-%d} 00:00"))
    make(shop, ProfitGoal(amount=100, effective_from=now.date().replace(day=1)))
    answer = viewer(shop).get("/shop/costs")
    assert f"Profit goal of {now:%B %Y} €25.00 net profit so far of €100.00: 25.0 %" in text_of(answer)
    assert '<progress value="250" max="1000"' in answer.content.decode()


def test_costs_by_hand_show_what_they_cost_this_month_and_which_end_soon(shop: Store) -> None:
    today = timezone.now().date()
    rent = ManualCost(
        category="operating", label="rent", basis="once", amount=Decimal(100), currency="EUR", effective_from=today, effective_to=today
    )  # fmt: skip
    yearly = ManualCost(
        category="operating", label="insurance", basis="once", amount=Decimal(3650), currency="EUR",
        effective_from=today - timedelta(days=364), effective_to=today,
    )  # fmt: skip
    make(shop, rent, yearly, now=timezone.now())
    page = text_of(signed_in(shop).get("/shop/costs"))
    assert f"rent operating 100.00 100 EUR once, spread over its days {today.day} {today:%b %Y} {today.day} {today:%b %Y}" in page
    assert f"insurance operating {10 * today.day}.00 3,650 EUR once, spread over its days" in page
    assert re.findall(r"Ends soon (\S+)", page) == ["insurance"]


def test_an_empty_store_is_told_what_will_be_here() -> None:
    store = a_store(slug="new")
    page = text_of(signed_in(store).get("/new/costs"))
    for said in (
        "Nothing to cover in this range.", "are listed here once there are orders", "Nothing: no gap between rules", "None this month.",
        "No goal is set", "No cost has been changed yet.",
    ):  # fmt: skip
        assert said in page


@pytest.mark.parametrize(
    ("query", "first", "last", "problem"),
    [
        ({}, "2026-01-01", "2026-03-31", ""),
        ({"from": "2026-03-01"}, "2026-03-01", "2026-03-31", ""),
        ({"to": "2025-12-31"}, "2025-10-03", "2025-12-31", ""),
        ({"from": "2026-03-01", "to": "2026-02-01"}, "2026-01-01", "2026-03-31", "The span ends (2026-02-01) before it starts (2026-03-01)."),
        ({"from": "x"}, "2026-01-01", "2026-03-31", "Give the first day as year-month-day, such as 2026-01-31."),
        ({"to": "1066-10-14"}, "2026-01-01", "2026-03-31", "Give a day from 1990-01-01 on."),
    ],
)
def test_the_range_is_in_the_address_and_ninety_days_without_one(query: dict[str, str], first: str, last: str, problem: str) -> None:
    form = ScopeForm(query, store=a_store(), today=day("2026-03-31"), zone="UTC", reading=READING)
    period = form.dated_scope().period
    assert (period, [told for _, told in form.problems()]) == (Period(day(first), day(last)), [problem] if problem else [])


def test_a_refused_range_is_named_and_stays_to_be_mended(shop: Store) -> None:
    answer = signed_in(shop).get("/shop/costs?from=2026-02-30")
    assert ("The last 90 days are shown instead." in text_of(answer), 'value="2026-02-30"' in answer.content.decode()) == (True, True)


def test_presets_name_the_range_that_is_shown() -> None:
    form = ScopeForm({}, store=a_store(), today=day("2026-03-31"), zone="UTC", reading=READING)
    offered = {one.label: one for one in presets(form.dated_scope())}
    assert [label for label, one in offered.items() if one.is_shown] == ["Last 90 days"]
    assert offered["Last 90 days"].query == "from=2026-01-01&to=2026-03-31"


def test_bars_lie_side_by_side_and_fill_the_whole() -> None:
    parts = covered({"actual": Decimal(1), "rule": Decimal(0), "default": Decimal(2)})
    assert [(bar.key, bar.start, bar.width) for bar in bars(parts)] == [("actual", 0, 333), ("default", 333, 667)]
    assert bars(covered({"actual": Decimal(0)})) == []


PAGES = ["/shop/pnl", "/shop/orders", "/shop/orders/%231001", "/shop/costs"]


def job(store: Store, state: str, *, done: int = 0, whole: int = 0, fault: str = "") -> None:
    """Put the store's restating job into a state."""
    Job.objects.all().delete()
    ended: datetime | None = timezone.now() if state in ("dead", "cancelled") else None
    Job.objects.create(
        kind="repost", key=f"store:{store.pk}", max_attempts=5, state=state, done=done, whole=whole, finished_at=ended, fault=fault,
        lease_until=timezone.now() if state == "running" else None,
    )  # fmt: skip


def test_restating_is_shown_on_every_page_with_figures_until_it_is_done(shop: Store) -> None:
    make(shop, CogsRule(percentage=30))
    client = signed_in(shop)

    def told() -> set[str]:
        words = r"Costs are being restated[^.]*\.|Costs will be restated[^.]*\.|Restating costs failed\."
        return {" ".join(re.findall(words, text_of(client.get(address)))) for address in PAGES}

    assert told() == {"Costs will be restated: waiting to begin."}
    job(shop, "running")
    assert told() == {"Costs are being restated."}
    job(shop, "running", done=12_400, whole=48_000)
    assert told() == {"Costs are being restated: 12,400 of 48,000 orders."}
    job(shop, "dead")
    assert told() == {"Restating costs failed."}
    job(shop, "waiting", fault="crashed")
    assert told() == {"Restating costs failed."}
    job(shop, "cancelled")
    assert told() == {"Costs will be restated: waiting to begin."}
    restate(shop)
    assert told() == {""}


def test_restating_of_another_store_or_another_kind_of_job_is_not_ours(shop: Store) -> None:
    make(shop, CogsRule(percentage=30))
    job(shop, "running", done=1, whole=2)
    Job.objects.update(key="store:0")
    shop.book.refresh_from_db()
    assert restating(shop) is not None
    assert restating(shop).state == "waiting"  # type: ignore[union-attr]


def test_whoever_runs_the_installation_is_led_to_the_job_that_failed(shop: Store) -> None:
    make(shop, CogsRule(percentage=30))
    job(shop, "dead")
    root = browser_of(a_person(email="root@example.com", superuser=True)).get("/shop/costs").content.decode()
    owner = signed_in(shop).get("/shop/costs").content.decode()
    link = 'href="/admin/jobs/job/?kind__exact=repost"'
    assert (link in root, link in owner) == (True, False)


def test_the_page_asks_few_questions_however_much_there_is(shop: Store, django_assert_num_queries: Callable[..., object]) -> None:
    client = signed_in(shop)
    for count in (1, 20):
        write(shop, *(an_order(f"more {count} {number}", lines=[a_line(f"thing {number}")]) for number in range(count)))
        check_costs(shop, today=day("2026-03-31"), now=at("2026-03-31 09:00"))
        with django_assert_num_queries(38):  # type: ignore[attr-defined]
            assert client.get(MARCH).status_code == 200
    Book.objects.update(costs_version=9)
    with django_assert_num_queries(39):  # type: ignore[attr-defined]
        assert client.get(MARCH).status_code == 200


def test_the_page_carries_no_inline_style_or_script(shop: Store) -> None:
    page = signed_in(shop).get(MARCH).content.decode()
    assert not re.search(r"<script(?![^>]*(?: src=\"/|type=\"application/json\"))|<style|\sstyle=|\son\w+=|https?://", page)
    assert len(re.findall(r"<h1", page)) == 1
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_every_link_to_mend_something_opens(shop: Store) -> None:
    today = timezone.now().date()
    ago = [today - timedelta(days=days) for days in range(10)]
    partner = Partner.objects.create(store=shop, name="Ann", kind="influencer")
    for number, on in enumerate(ago):
        lines = [a_line("mug", price="50.00"), a_line("cup", price="50.00"), a_line("set", price="50.00")]
        write(shop, an_order(f"{number}", lines=lines, when=f"{on:%Y-%m-%d} 00:00", gateway=("stripe", "paypal")[number % 2]))
    variants = {variant.external_id: variant for variant in Variant.objects.all()}
    unknown = Variant.objects.create(store=shop, product=variants["vset"].product, platform="shop", external_id="lid")
    gap: list[dict[str, object]] = [{"effective_to": ago[5]}, {"effective_from": ago[3]}]
    standing: list[Rule] = [
        *(CogsRule(percentage=5, **span) for span in gap),
        *(FeeRule(gateway="stripe", percentage=1, **span) for span in gap),
        *(ShippingRule(position=1, name="post", amount=4, **span) for span in gap),
        FeeRule(gateway="strippe", percentage=1),
        VariantCost(variant=variants["vmug"], goods=60, currency="EUR"),
        VariantCost(variant=variants["vmug"], goods=90, currency="EUR", effective_from=ago[2]),
        CogsRule(product=variants["vmug"].product, percentage=5),
        VariantCost(variant=variants["vcup"], goods=0, currency="EUR"),
        ShippingRule(position=2, name="moon", countries="ZZ", amount=4),
        *(BundlePart(bundle=variants["vset"], component=variants["vcup"], **span) for span in gap),
        BundlePart(bundle=variants["vset"], component=unknown),
    ]
    by_hand = {"category": "operating", "label": "rent", "currency": "EUR", "amount": Decimal(9), "effective_from": ago[9]}
    commission = ManualCost(category="marketing", label="ann", basis="revenue", percentage=10, currency="EUR", partner=partner)
    costs = [ManualCost(basis="month", effective_to=today, **by_hand), ManualCost(basis="month", **by_hand), commission]
    make(shop, *standing, *costs, now=timezone.now())
    restate(shop)
    check_costs(shop, today=today, now=timezone.now())
    links = {finding.mend for finding in Finding.objects.all()} | {fix.mend for fix in fixes(shop, today=today)}
    kinds = set(Finding.objects.values_list("kind", flat=True))
    assert kinds == {f"costs_{name}" for name in ("gaps", "overlaps", "dead", "twice", "above_price", "jumps", "zero", "bundles", "commissions")}
    client = signed_in(shop)
    assert {link: client.get(f"/admin/ledger/{link}").status_code for link in links} == dict.fromkeys(links, 200)
