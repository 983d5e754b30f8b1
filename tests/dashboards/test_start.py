"""Check the list of first steps: worked out from facts, done in place, shown to who can do it, and put away for good."""

import io
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from connectors.models import FileImport
from connectors.platforms.files.template import load
from connectors.tasks import submit_file
from dashboards.forms.guesses import guessed
from dashboards.models import StartEnd
from dashboards.pages.start import start_of, waits_for
from ledger.costs.seen import count_seen
from ledger.models import CostChange, FeeRule, ManualCost, ProposedChange, Seen, Store, VariantCost
from ledger.people import Role
from ledger.rules import rules
from profitpeek.jobs.models import Job
from tests.builders import a_line, a_store, an_order, day, write
from tests.dashboards.people import a_person, browser_of, signed_in, text_of

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 31, 9, tzinfo=UTC)
FIRST = ["done account", "done store", "next orders", "later gaps", "later by_hand", "later profit"]


@pytest.fixture
def shop() -> Store:
    return a_store(slug="shop")


def stands(store: Store) -> list[str]:
    """Return how each step of a store stands."""
    return [f"{step.state} {step.key}" for step in start_of(Store.objects.get(pk=store.pk)).steps]


def with_orders(store: Store) -> None:
    """Record a costly order without a known cost, paid by a provider without a fee rule."""
    write(store, an_order("1001", lines=[a_line("1", price="1000.00")], gateway="klarna"))
    count_seen(store, today=day("2026-03-31"), now=NOW)


def enter(store: Store, *added: ManualCost) -> None:
    rules.change(store, add=added, actor="ann", now=NOW)


def rent() -> ManualCost:
    return ManualCost(category="operating", label="rent", basis="month", amount="700", currency="EUR", effective_from=day("2026-01-01"))


def test_a_new_store_waits_for_its_orders(shop: Store) -> None:
    assert stands(shop) == FIRST


def test_orders_make_the_gaps_the_next_step(shop: Store) -> None:
    with_orders(shop)
    start = start_of(shop)
    assert stands(shop) == ["done account", "done store", "done orders", "next gaps", "later by_hand", "later profit"]
    assert [(fix.what, str(fix.at_stake)) for fix in start.facts.gaps] == [("Thing 1 (SKU-1)", "400.0000"), ("Fees of klarna", "29.3000")]
    assert (start.done, start.next and start.next.title) == (3, "Mend the worst cost gaps")


def test_a_gap_below_half_a_per_cent_of_revenue_is_in_nobody_s_way(shop: Store) -> None:
    write(shop, an_order("1001", lines=[a_line("1", price="1000.00", cost="300.00"), a_line("2", price="12.00")], fee="3.00"))
    assert start_of(shop).facts.gaps == []  # 40 % of 12.00 is guessed, 0.47 % of revenue
    assert stands(shop)[3] == "done gaps"


def test_what_is_left_follows_from_rules_and_from_finishing(shop: Store) -> None:
    write(shop, an_order("1001", lines=[a_line("1", price="100.00", cost="30.00")], fee="3.00"))
    assert stands(shop)[3:] == ["done gaps", "next by_hand", "later profit"]
    enter(shop, rent())
    assert stands(shop)[3:] == ["done gaps", "done by_hand", "next profit"]
    answer = signed_in(shop).post("/shop/start", {"finish": "1", "next": "/shop/pnl?by=month"})
    assert (answer.status_code, answer["Location"]) == (302, "/shop/pnl?by=month")
    assert stands(shop)[3:] == ["done gaps", "done by_hand", "done profit"]
    assert StartEnd.objects.get(store=shop).by.email == "owner@example.com"


def test_a_finished_list_leads_nowhere_else(shop: Store) -> None:
    answer = signed_in(shop).post("/shop/start", {"finish": "1", "next": "https://evil.example.com/"})
    assert answer["Location"] == "/shop/pnl"


def test_the_strip_stands_above_the_figures_until_it_is_put_away(shop: Store) -> None:
    with_orders(shop)
    owner = signed_in(shop)
    assert "3 of 6 first steps done. Next: Mend the worst cost gaps" in text_of(owner.get("/shop/pnl"))
    answer = owner.post("/shop/start", {"hide": "1", "next": "/shop/pnl"}, follow=True)
    assert "Put away. You find it again at /shop/start." in text_of(answer)
    assert "first steps done" not in text_of(answer)
    assert "Show the next step on the store's pages again" in text_of(owner.get("/shop/start"))
    owner.post("/shop/start", {"show": "1"})
    assert "3 of 6 first steps done" in text_of(owner.get("/shop/pnl"))


def asked_by_the_strip(shop: Store) -> int:
    seen = Store.objects.select_related("book", "start_end").get(pk=shop.pk)
    seen.role = "owner"  # type: ignore[attr-defined]
    with CaptureQueriesContext(connection) as asked:
        waits_for(seen)
    return len(asked)


def test_the_strip_asks_three_questions_before_there_are_orders_two_afterwards_and_none_in_the_end(shop: Store) -> None:
    assert asked_by_the_strip(shop) == 3
    with_orders(shop)
    assert asked_by_the_strip(shop) == 13  # the gaps are looked for
    assert [asked_by_the_strip(shop) for _ in range(2)] == [2, 2]
    StartEnd.objects.create(store=shop, at=timezone.now(), by=a_person(shop))
    assert asked_by_the_strip(shop) == 0


def test_the_strip_looks_for_gaps_anew_once_something_is_booked(shop: Store) -> None:
    with_orders(shop)
    owner = signed_in(shop)
    assert "3 of 6 first steps done. Next: Mend the worst cost gaps" in text_of(owner.get("/shop/pnl"))
    write(shop, an_order("1001", lines=[a_line("1", price="1000.00", cost="300.00")], fee="3.00", gateway="klarna"))
    Seen.objects.filter(store=shop).delete()
    assert "4 of 6 first steps done. Next: Enter what no file tells" in text_of(owner.get("/shop/pnl"))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST])
def test_who_can_do_no_step_sees_no_strip_and_is_told_whom_to_ask(shop: Store, role: Role) -> None:
    browser = signed_in(shop, role=role)
    page = text_of(browser.get("/shop/pnl"))
    assert "first steps" not in page
    assert "Nothing has been imported into Shop yet. An owner of the store can do that; ask one of them." in page
    refused = browser.get("/shop/start")
    assert refused.status_code == 403
    assert "This page is for the cost editor or owner of Shop." in text_of(refused)


def test_the_demo_store_has_no_strip(shop: Store) -> None:
    with_orders(shop)
    shop.is_demo, shop.role = True, "owner"  # type: ignore[attr-defined]
    assert waits_for(shop) is None
    shop = Store.objects.get(pk=shop.pk)
    shop.role = "owner"  # type: ignore[attr-defined]
    assert waits_for(shop) is not None


def test_a_unit_cost_typed_beside_its_gap_is_looked_at_and_then_closes_it(shop: Store) -> None:
    with_orders(shop)
    owner = browser_of(a_person(shop, superuser=True))
    gap = start_of(shop).facts.gaps[0].mend
    answer = owner.post("/shop/start/gap", {"gap": gap, "unit_cost": "310.5"})
    proposed = ProposedChange.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:ledger_proposedchange_review", args=[proposed.pk]))
    assert not VariantCost.objects.exists()
    assert "310.5 EUR for" in text_of(owner.get(answer["Location"]))
    saved = owner.post(answer["Location"], {"save": "1"})
    assert (saved.status_code, saved["Location"]) == (302, "/shop/start")
    cost = VariantCost.objects.get()
    assert (str(cost.goods), cost.currency, cost.effective_from, cost.store) == ("310.5000", "EUR", None, shop)
    assert CostChange.objects.get().actor == "owner@example.com"


def test_a_provider_s_fee_is_typed_beside_its_gap(shop: Store) -> None:
    with_orders(shop)
    owner = browser_of(a_person(shop, superuser=True))
    gap = start_of(shop).facts.gaps[1].mend
    owner.post(owner.post("/shop/start/gap", {"gap": gap, "percentage": "4.99", "fixed": "0.35"})["Location"], {"save": "1"})
    rule = FeeRule.objects.get()
    assert (rule.gateway, str(rule.percentage), str(rule.fixed), rule.currency) == ("klarna", "4.9900", "0.3500", "")
    assert [fix.what for fix in start_of(shop).facts.gaps] == ["Thing 1 (SKU-1)"]


def test_the_fee_of_payments_without_a_provider_s_name_is_one_for_all_without_a_rule(shop: Store) -> None:
    write(shop, an_order("1001", lines=[a_line("1", price="1000.00", cost="300.00")], gateway=""))
    count_seen(shop, today=day("2026-03-31"), now=NOW)
    gap = start_of(shop).facts.gaps[0]
    owner = browser_of(a_person(shop, superuser=True))
    owner.post(owner.post("/shop/start/gap", {"gap": gap.mend, "percentage": "1.4", "fixed": "0"})["Location"], {"save": "1"})
    assert (gap.what, FeeRule.objects.get().gateway) == ("Fees of the unnamed gateway", "")
    assert start_of(shop).facts.gaps == []


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "Give what one unit of Thing 1 (SKU-1) costs you."), ("-1", "A cost is not below zero."), ("12,50", "Write the figure as 1234.50."),
        ("1.00005", "Give at most four decimals."), ("1000001", "Give at most 1,000,000."),
    ],
)  # fmt: skip
def test_a_cost_that_is_none_is_refused_beside_its_field(shop: Store, typed: str, told: str) -> None:
    with_orders(shop)
    answer = signed_in(shop).post("/shop/start/gap", {"gap": start_of(shop).facts.gaps[0].mend, "unit_cost": typed})
    page = text_of(answer)
    assert (answer.status_code, page.count(told), "Nothing was saved" in page) == (200, 2, True)
    assert not ProposedChange.objects.exists()


def test_a_gap_that_is_closed_meanwhile_is_not_mended_twice(shop: Store) -> None:
    with_orders(shop)
    answer = signed_in(shop).post("/shop/start/gap", {"gap": "variantcost/add/?store=1&variant=999999", "unit_cost": "5"}, follow=True)
    assert "Nothing was saved: that gap is not among the worst any more." in text_of(answer)
    assert not ProposedChange.objects.exists()


def submitted(store: Store) -> FileImport:
    return submit_file(store, io.BytesIO(b"order,date\n"), load("generic-order-lines"), filename="march.csv", actor="ann", now=NOW)


def test_an_import_under_way_tells_how_far_it_is(shop: Store) -> None:
    row = submitted(shop)
    owner = signed_in(shop)
    assert "march.csv: waiting to begin. You can leave this page; it goes on without you." in text_of(owner.get("/shop/start"))
    Job.objects.filter(pk=row.job).update(state="running", lease_until=timezone.now(), step="recording orders", done=1_200, whole=9_000)
    page = owner.get("/shop/start")
    assert "march.csv: recording orders, 1,200 of 9,000." in text_of(page)
    assert 'data-live="3"' in page.content.decode()
    assert "The first import is under way: march.csv, 1,200 of 9,000. This page fills while it goes on" in text_of(owner.get("/shop/pnl"))


def test_an_import_that_stopped_says_so_instead_of_waiting_for_ever(shop: Store) -> None:
    row = submitted(shop)
    Job.objects.filter(pk=row.job).update(state="dead", finished_at=timezone.now(), error="boom")
    page = signed_in(shop).get("/shop/start")
    assert "The import of march.csv stopped. What was recorded stays." in text_of(page)
    assert 'data-live=""' in page.content.decode()


def test_more_orders_cost_no_more_queries(shop: Store) -> None:
    with_orders(shop)
    owner = signed_in(shop)
    owner.get("/shop/start")
    with CaptureQueriesContext(connection) as few:
        owner.get("/shop/start")
    for number in range(2_001, 2_021):
        write(shop, an_order(str(number), lines=[a_line(f"{number}", price="900.00")], gateway="klarna"))
    count_seen(shop, today=day("2026-03-31"), now=NOW)
    with CaptureQueriesContext(connection) as many:
        owner.get("/shop/start")
    assert len(many) == len(few)


def test_a_demo_store_that_is_being_filled_says_so(client: Client) -> None:
    call_command("demo", background=True, stdout=io.StringIO())
    demo, job = Store.objects.get(), Job.objects.get(kind="load-demo")
    assert (demo.slug, demo.is_demo, job.state, job.parameters) == ("demo", True, "waiting", {"store": demo.pk})
    owner = browser_of(User.objects.get(email="demo@example.com"))
    assert "The demo store is being filled with two years of invented orders" in text_of(owner.get("/demo/pnl"))
    assert "The demo store is being made Waiting to begin." in text_of(owner.get("/stores/demo"))
    assert owner.post("/stores/demo").status_code == 403
    call_command("demo", background=True, stdout=io.StringIO())
    assert Job.objects.filter(kind="load-demo").count() == 1


def test_only_who_runs_the_installation_has_the_demo_store_made(shop: Store) -> None:
    root = browser_of(a_person(email="root@example.com", superuser=True))
    assert "It needs nothing, and is a store of its own" in text_of(root.get("/shop/start"))
    assert "Load the demo store" in text_of(root.get("/stores/demo"))
    assert root.post("/stores/demo")["Location"] == "/stores/demo"
    assert Job.objects.get(kind="load-demo").actor == "root@example.com"
    assert signed_in(shop).get("/stores/demo").status_code == 403


@pytest.mark.parametrize(
    ("languages", "begins"),
    [
        ("en-IE,en;q=0.9", {"currency": "EUR", "zone": "Europe/Dublin"}), ("en,de-CH;q=0.8", {"currency": "CHF", "zone": "Europe/Zurich"}),
        ("de", {"currency": "EUR", "zone": "Europe/Berlin"}), ("en", {}), ("xx-YY", {}), ("", {}),
        ("zh-Hant-TW,en-US", {"currency": "USD", "zone": "America/New_York"}),
    ],
)  # fmt: skip
def test_a_new_store_begins_with_what_the_browser_s_languages_suggest(languages: str, begins: dict[str, str]) -> None:
    assert guessed(languages) == begins


def test_a_stranger_is_sent_to_sign_in(shop: Store, client: Client) -> None:
    assert client.get("/shop/start")["Location"] == "/accounts/login/?next=/shop/start"
