"""Check the page of a store's data: sources, coverage, gaps, holds, estimated refunds, background work, findings and the audit."""

from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from msgspec import structs

from connectors.files.uploads import discard, import_received
from connectors.models import FileImport
from connectors.platforms.files.template import load
from connectors.tasks import submit_file
from dashboards.pages.data_page import data_page
from ledger import findings
from ledger.audit import audit
from ledger.charges.charges import ChargeFact, record_charges
from ledger.kinds import ChargeKind
from ledger.models import Finding, Order, Store
from ledger.orders.estimated_refunds import estimated_refunds
from ledger.people import Role
from ledger.tasks import AUDIT_BOOK, REPOST, store_key
from profitpeek.jobs.models import Job
from tests.builders import NOON, a_line, a_refund, a_store, an_order, day, money, write
from tests.dashboards.people import signed_in, text_of

pytestmark = pytest.mark.django_db

TODAY = day("2026-04-01")


@pytest.fixture
def shop() -> Store:
    """Open a store."""
    return a_store(slug="shop")


def page_of(store: Store, role: Role = Role.OWNER) -> str:
    """Return the words of the page."""
    return text_of(signed_in(store, role=role).get("/shop/data"))


def test_an_empty_store_says_that_nothing_is_there_yet(shop: Store) -> None:
    page = page_of(shop)
    assert "Newest order — no figure nothing is recorded yet" in page
    assert "No file was imported yet." in page
    assert "Audit of the book — no figure runs by night; it has not run yet" in page
    assert page.count("Nothing to cover in these days.") == 3


def test_sources_tell_what_was_taken_and_what_was_refused_since(shop: Store) -> None:
    template, now = load("generic-order-lines"), timezone.now()
    body = b"order,date,sku,title,quantity,unit_price,customer,country\n1001,2026-03-03,MUG,Mug,2,12.50,,DE\n"
    good = submit_file(shop, BytesIO(body), template, filename="good.csv", actor="", now=now)
    import_received(good, progress=lambda step, done, whole: None, guard=lambda: None)
    bad = submit_file(shop, BytesIO(body.replace(b"12.50", b"dear")), template, filename="bad.csv", actor="", now=now)
    import_received(bad, progress=lambda step, done, whole: None, guard=lambda: None)
    [source] = data_page(shop, today=TODAY).sources
    assert (source.files, source.rows, source.orders, source.latest, source.refused) == (1, 1, 1, good, FileImport.objects.get(pk=bad.pk))
    page = page_of(shop)
    assert "Order lines 1 1 1 good.csv" in page
    assert "Refused since: bad.csv" in page
    assert "1 row is wrong; nothing was imported." in page
    assert "“dear”" in page
    again = submit_file(shop, BytesIO(body.replace(b"1001", b"1002")), template, filename="better.csv", actor="", now=now)
    import_received(again, progress=lambda step, done, whole: None, guard=lambda: None)
    [source] = data_page(shop, today=TODAY).sources
    assert (source.files, source.orders, source.latest, source.refused) == (2, 2, again, None)


def test_a_file_that_is_being_imported_is_underway(shop: Store) -> None:
    row = submit_file(shop, BytesIO(b"order\n1\n"), load("generic-order-lines"), filename="now.csv", actor="", now=timezone.now())
    found = data_page(shop, today=TODAY)
    assert ([one.filename for one in found.underway], [(one.label, one.job.state) for one in found.jobs]) == (
        ["now.csv"], [("File import", "waiting")],
    )  # fmt: skip
    assert "now.csv waiting, since" in page_of(shop)
    discard(row, now=timezone.now())
    assert data_page(shop, today=TODAY).underway == []


def test_coverage_of_the_last_ninety_days_is_parted_by_kind_of_cost(shop: Store) -> None:
    known, guessed = a_line("1", price="75.00", cost="20.00"), a_line("2", price="25.00")
    write(shop, an_order("1", lines=[known, guessed], fee="1.00", when="2026-03-30 12:00"), an_order("2", when="2025-12-01 12:00"))
    covered = {kind.title: [(part.key, part.share) for part in kind.covered.parts if part.share] for kind in data_page(shop, today=TODAY).coverage}
    assert covered == {
        "Goods": [("actual", Decimal("0.75")), ("default", Decimal("0.25"))], "Payment fees": [("actual", Decimal(1))], "Shipping": [],
    }  # fmt: skip


def test_held_orders_are_counted_by_the_currency_they_wait_for(shop: Store) -> None:
    write(
        shop, an_order("1", currency="USD", when="2026-03-03 12:00"), an_order("2", currency="USD", when="2026-03-05 12:00"),
        an_order("3", currency="GBP"), an_order("4"),
    )  # fmt: skip
    found = data_page(shop, today=TODAY)
    assert [(one.currency, one.orders, str(one.first), str(one.last)) for one in found.held] == [
        ("GBP", 1, "2026-03-03", "2026-03-03"), ("USD", 2, "2026-03-03", "2026-03-05"),
    ]  # fmt: skip
    page = page_of(shop)
    assert "Orders in no figure 3 held for an exchange rate" in page
    assert "USD 2 3 Mar 2026 to 5 Mar 2026" in page


def test_rows_of_cost_files_that_wait_for_an_order_are_counted(shop: Store) -> None:
    told = [ChargeFact(ChargeKind.LABEL, number, "", money("4.90"), "EUR") for number in ("1", "2")]
    record_charges(shop, told, cause_ref="import:1", actor="", now=timezone.now())
    write(shop, an_order("1"))
    assert "1 row of files of costs waits for its order: see which" in page_of(shop)


def test_days_without_orders_are_listed_with_what_was_to_be_expected(shop: Store) -> None:
    today = timezone.now().date()
    days = [today - timedelta(days=ago) for ago in range(40, 0, -1) if ago not in (20, 21)]
    write(shop, *(an_order(f"{one}-{nth}", when=f"{one} 12:00") for one in days for nth in range(3)))
    first, last = today - timedelta(days=21), today - timedelta(days=20)
    assert f"{first:%-d %b %Y} to {last:%-d %b %Y} 2 about 6" in page_of(shop)


def test_refunds_that_nobody_told_in_full_are_listed(shop: Store) -> None:
    assert estimated_refunds(shop).orders == []
    told = a_refund("20.00")
    guessed = [structs.replace(a_refund(amount, when=when), estimated=True) for amount, when in (("15.00", "2026-03-20 12:00"), ("5.00", NOON))]
    write(shop, an_order("1", then=[told]), an_order("2", then=guessed[:1]), an_order("3", then=guessed[1:], when="2026-03-01 12:00"))
    found = estimated_refunds(shop)
    assert [(one.number, str(one.day), one.amount) for one in found.orders] == [
        ("#2", "2026-03-03", Decimal("-15.00")), ("#3", "2026-03-01", Decimal("-5.00")),
    ]  # fmt: skip
    assert (found.total, found.days) == (Decimal("-20.00"), 2)
    page = page_of(shop)
    assert "all together −20.00" in page
    assert "#2 3 Mar 2026 −15.00" in page
    assert "refund, Thing 1 estimated" in text_of(signed_in(shop, email="two@example.com").get("/shop/orders/%232"))


def test_background_work_that_gave_up_says_why(shop: Store) -> None:
    Job.objects.create(
        kind=REPOST.name, key=store_key(shop), max_attempts=5, state=Job.State.DEAD, finished_at=timezone.now(), error="The disk is full.",
        subject="Shop: costs changed",
    )  # fmt: skip
    Job.objects.create(kind=REPOST.name, key=store_key(a_store(slug="other")), max_attempts=5, subject="Other: costs changed")
    page = page_of(shop)
    assert "Restating orders Shop: costs changed gave up" in page
    assert "The disk is full. Whoever runs this installation can start it again in the admin, under Jobs." in page
    assert "Other: costs changed" not in page


def test_findings_stand_by_gravity_and_editors_are_led_to_the_page_that_mends(shop: Store) -> None:
    now = timezone.now()
    findings.note(shop.pk, "cost_gap", "mug", "The mug has no cost.", severity=Finding.Severity.INFO, now=now)
    findings.note(shop.pk, "cost_rule", "fee", "A fee counts twice.", mend="feerule/add/", money=Decimal(12), now=now)
    findings.note(None, "rates", "ecb", "Rates are old.", severity=Finding.Severity.ERROR, now=now)
    findings.note(a_store(slug="other").pk, "x", "y", "Not ours.", now=now)
    assert [one.message for one in data_page(shop, today=TODAY).findings] == ["Rates are old.", "A fee counts twice.", "The mug has no cost."]
    page = page_of(shop)
    assert "Error: Rates are old." in page
    assert "A fee counts twice. At stake: €12.00. Mend it : fee" in page
    assert "Not ours." not in page
    viewer = text_of(signed_in(shop, email="viewer@example.com", role=Role.VIEWER).get("/shop/data"))
    assert ("A fee counts twice." in viewer, "Mend it" in viewer) == (True, False)


def test_the_audit_tells_its_last_result(shop: Store) -> None:
    write(shop, an_order("1"))
    ended = timezone.now()
    Job.objects.create(kind=AUDIT_BOOK.name, key=store_key(shop), max_attempts=3, state=Job.State.DONE, finished_at=ended)
    assert (data_page(shop, today=TODAY).audit.at, data_page(shop, today=TODAY).audit.problems) == (ended, 0)
    assert "Audit of the book all holds" in page_of(shop)
    Order.objects.update(cogs=1)
    audit(shop.book)
    assert "Audit of the book 1 problem" in text_of(signed_in(shop, email="two@example.com").get("/shop/data"))


def test_the_number_of_questions_does_not_grow(shop: Store, django_assert_num_queries: Any) -> None:
    client = signed_in(shop)
    write(shop, an_order("1", costs=[]), an_order("2", currency="USD"))
    with django_assert_num_queries(29):
        client.get("/shop/data")
    write(shop, *(an_order(str(number), currency="GBP", lines=[a_line(str(number))]) for number in range(3, 9)))
    for number in range(5):
        findings.note(shop.pk, "x", str(number), "Something.", now=timezone.now())
        FileImport.objects.create(store=shop, kind=f"kind-{number}", template={}, filename="x.csv", state="done", started_at=timezone.now())
    with django_assert_num_queries(29):
        client.get("/shop/data")
