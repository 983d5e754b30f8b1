"""The ledger's admin: who sees what, and what a changed cost rule restates."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.utils import timezone

from ledger import findings, tasks
from ledger.admin import costs
from ledger.book.reposting import costs_changed, repost
from ledger.cause import Cause
from ledger.costs import defaults
from ledger.kinds import CauseKind
from ledger.models import Batch, Book, CogsRule, CostChange, CostDefaults, Membership, Order, Store
from ledger.rules.rules import change
from ledger.stores import StoreRefused, open_store
from profitpeek.jobs import queue
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.builders import a_line, a_store, an_order, at, book_of, close_through, write
from tests.dashboards.people import text_of
from tests.ledger_text import statement

pytestmark = pytest.mark.django_db


def signed_in(*, store: Store | None = None, role: str = "", superuser: bool = False) -> Client:
    """Return a browser in which a member of the staff is signed in."""
    user = User.objects.create_user("ann@example.com", "ann@example.com", "pw", is_staff=True, is_superuser=superuser)
    if store is not None:
        Membership.objects.create(store=store, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def store_form(**changed: str) -> dict[str, str]:
    """Fill in the store's form."""
    zones = {"zones-TOTAL_FORMS": "0", "zones-INITIAL_FORMS": "0"}
    return {"name": "Shop", "slug": "shop", "fiscal_year_start_month": "1", "margin_basis": "total_sales", "cogs_percentage": "", **zones, **changed}


def defaults_form(**changed: str) -> dict[str, str]:
    """Fill in the form of the cost defaults and confirm what it shows."""
    return {"cogs_percentage": "40", "payment_fee_percentage": "2.9", "payment_fee_fixed": "0.30", "confirmed": "1", **changed}


def profit_of(number: str) -> str:
    """Return an order's profit."""
    return str(Order.objects.get(number=number).profit)


@pytest.mark.django_db(transaction=True)
def test_a_changed_default_restates_at_once():
    store = a_store(slug="shop")
    write(store, an_order("1"))
    client = signed_in(superuser=True)
    answer = client.post("/admin/ledger/costdefaults/1/change/", defaults_form(cogs_percentage="35"), follow=True)
    assert "Restated Shop: 2 entries." in answer.content.decode()
    batch = Batch.objects.get(book_id=store.pk, seq=2)
    assert (batch.get_cause_display(), batch.cause_ref, batch.actor) == ("rule", "default COGS % 40 → 35", "ann@example.com")
    assert profit_of("#1") == "30.7500"
    book = book_of(store)
    assert (book.costs_version, book.restated_version) == (1, 1)


def test_saving_without_a_change_of_rule_restates_nothing(django_capture_on_commit_callbacks):
    store = a_store(slug="shop")
    write(store, an_order("1"))
    client = signed_in(store=store, role="owner")
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        client.post(f"/admin/ledger/store/{store.pk}/change/", store_form(name="Renamed"))
    assert (Store.objects.get().name, callbacks, book_of(store).costs_version) == ("Renamed", [], 0)


@pytest.mark.django_db(transaction=True)
def test_a_large_store_is_restated_in_the_background(monkeypatch):
    monkeypatch.setattr(costs, "AT_ONCE", 1)
    store = a_store(slug="shop")
    write(store, an_order("1"), an_order("2"))
    client = signed_in(superuser=True)
    answer = client.post("/admin/ledger/costdefaults/1/change/", defaults_form(cogs_percentage="35"), follow=True)
    assert "are being restated in the background" in answer.content.decode()
    assert (book_of(store).costs_version, book_of(store).last_seq) == (1, 1)
    job = Job.objects.get()
    assert (job.kind, job.subject) == ("repost", "Shop: default COGS % 40 → 35")
    run(job.pk)
    assert (book_of(store).restated_version, book_of(store).last_seq) == (1, 2)


@pytest.mark.django_db(transaction=True)
def test_restating_that_was_cut_is_found_and_done():
    cut, fine = a_store(slug="cut"), a_store(slug="fine")
    for store in (cut, fine):
        write(store, an_order("1"))
    CostDefaults.objects.update(cogs_percentage=35)
    with transaction.atomic():
        costs_changed(cut)
    run(queue.submit(tasks.REPOST_STALE, actor="schedule"))
    job = Job.objects.get(kind="repost")
    assert (job.subject, job.actor) == ("Cut: costs changed", "schedule")
    run(job.pk)
    assert (book_of(cut).restated_version, book_of(cut).last_seq, book_of(fine).last_seq) == (1, 2, 1)
    run(queue.submit(tasks.REPOST_STALE))
    assert Job.objects.filter(kind="repost").count() == 1


def test_defaults_reach_every_store_and_belong_to_the_superuser(django_capture_on_commit_callbacks):
    one, two = a_store(), a_store()
    write(one, an_order("1"))
    write(two, an_order("2"))
    client = signed_in(superuser=True)
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/admin/ledger/costdefaults/1/change/", defaults_form(cogs_percentage="30"))
    assert CostDefaults.objects.get().cogs_percentage == 30
    assert (profit_of("#1"), profit_of("#2")) == ("33.2500", "33.2500")
    assert client.get("/admin/ledger/costdefaults/add/").status_code == 403


def test_what_defaults_change_is_shown_for_every_store_before_they_are_saved(django_capture_on_commit_callbacks):
    one, two = a_store(slug="one"), a_store(slug="two")
    write(one, an_order("1"))
    write(two, an_order("2"), an_order("3", lines=2))
    change(two, add=[CogsRule(percentage=20)], actor="ann", now=at("2026-03-20 09:00"))
    repost(two, cause=Cause(CauseKind.RULE, "rules"))
    client = signed_in(superuser=True)
    form = defaults_form(cogs_percentage="30", payment_fee_fixed="0.50")
    del form["confirmed"]
    answer = client.post("/admin/ledger/costdefaults/1/change/", form)
    page = text_of(answer)
    assert "default COGS % 40 → 30 default payment fee per charge 0.3 → 0.5" in page
    assert "One Days touched: 3 Mar 2026. 1 order looked at, 1 of them changes. 4 entries will be written" in page
    assert "Mar 2026 28.25 33.05 4.80" in page
    assert "Two Days touched: 3 Mar 2026. 2 orders looked at, 2 of them change. 4 entries will be written" in page
    assert "Mar 2026 115.05 114.65 −0.40" in page
    assert (CostDefaults.objects.get().cogs_percentage, CostChange.objects.filter(store=one).count()) == (40, 0)
    confirmed = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([\d.]+)">', answer.content.decode()))
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/admin/ledger/costdefaults/1/change/", {**confirmed, "confirmed": "1"})
    assert {str(statement(store, "2026-03-01", "2026-03-31").net_profit) for store in (one, two)} == {"33.0500", "114.6500"}
    told = CostChange.objects.get(store=one)
    assert (told.summary, told.actor) == ("default COGS % 40 → 30; default payment fee per charge 0.3 → 0.5", "ann@example.com")
    assert Job.objects.filter(kind="repost").count() == 1
    refused = client.post(f"/admin/ledger/costchange/{told.pk}/undo/", follow=True)
    assert "This changed no rule of the store." in refused.content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "changed", [{"cogs_percentage": "30"}, {"cogs_percentage": "30", "payment_fee_fixed": "0.50"}], ids=["by sets", "one by one"]
)
def test_of_many_orders_it_is_worked_out_in_the_background_what_defaults_do(monkeypatch, changed):
    store = a_store(slug="shop")
    write(store, an_order("1"), an_order("2"), an_order("3", lines=[a_line("1", cost="3.00")]))
    form, address, client = defaults_form(**changed), "/admin/ledger/costdefaults/1/change/", signed_in(superuser=True)
    del form["confirmed"]
    at_once = client.post(address, form).context["effects"]
    monkeypatch.setattr(defaults, "AT_ONCE", 1)
    for _ in range(2):
        page = text_of(client.post(address, form))
        assert "Being worked out in the background: waiting for a worker." in page
        assert "Shop: 2" in page
    job = Job.objects.get(kind="preview-defaults")
    run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.whole) == ("done", 3, 3)
    answer = client.post(address, form)
    assert answer.context["effects"] == at_once
    assert "Being worked out" not in text_of(answer)
    assert Job.objects.filter(kind="preview-defaults").count() == 1
    assert book_of(store).costs_version == 0


@pytest.mark.django_db(transaction=True)
def test_where_working_defaults_out_has_failed_the_page_says_why(monkeypatch):
    write(a_store(slug="shop"), an_order("1"), an_order("2"))
    monkeypatch.setattr(defaults, "AT_ONCE", 1)
    form, address, client = defaults_form(cogs_percentage="30"), "/admin/ledger/costdefaults/1/change/", signed_in(superuser=True)
    del form["confirmed"]
    client.post(address, form)
    Job.objects.filter(kind="preview-defaults").update(state="dead", finished_at=timezone.now(), error="The disk is full.")
    assert "could not be worked out: The disk is full." in text_of(client.post(address, form))


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        ("owner", {"store", "product", "book", "membership", "finding"}),
        ("cost_editor", {"store", "product", "finding"}),
        ("viewer", set()),
        ("analyst", set()),
    ],
)
def test_pages_by_role(role, seen):
    store = a_store()
    client = signed_in(store=store, role=role)
    pages = ("store", "product", "book", "membership", "finding", "costdefaults")
    assert {page for page in pages if client.get(f"/admin/ledger/{page}/").status_code == 200} == seen


def test_nobody_sees_or_changes_another_store():
    mine, other = a_store(slug="mine"), a_store(slug="secret")
    write(other, an_order("1"))
    findings.note(other.pk, "kind", "undisclosed", "Something.", now=other.created_at)
    client = signed_in(store=mine, role="owner")
    stranger = User.objects.create_user("stranger@example.com", "stranger@example.com", "pw")
    Membership.objects.create(store=other, user=stranger, role="owner")
    for page in ("store/", "product/", "book/", "membership/", "membership/add/", "finding/", f"product/?store={other.pk}"):
        text = client.get(f"/admin/ledger/{page}").content.decode()
        assert not [word for word in ("Secret", "secret", "undisclosed", "stranger", "Thing 1") if word in text], page
    assert client.get(f"/admin/ledger/store/{other.pk}/change/").status_code == 302
    client.post(f"/admin/ledger/store/{other.pk}/change/", store_form())
    client.post("/admin/ledger/membership/add/", {"store": other.pk, "user": User.objects.get(username="ann@example.com").pk, "role": "owner"})
    assert Store.objects.get(pk=other.pk).slug == "secret"
    assert Membership.objects.filter(store=other).count() == 1


def test_a_cost_editor_changes_nothing_of_a_store_and_finds_the_way_to_its_percentage():
    store = a_store(slug="shop")
    client = signed_in(store=store, role="cost_editor")
    client.post(f"/admin/ledger/store/{store.pk}/change/", store_form(name="Taken", cogs_percentage="20"))
    store.refresh_from_db()
    assert (store.name, store.cogs_percentage, book_of(store).costs_version) == ("Shop", None, 0)
    assert f'href="/admin/ledger/cogsrule/add/?store={store.pk}"' in client.get(f"/admin/ledger/store/{store.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("asked", "closed"), [("2026-03-31", "2026-03-31"), ("2026-01-31", "2026-02-28"), ("", "2026-02-28"), ("2999-01-01", "2026-02-28")]
)
def test_closed_days_only_move_forward(asked, closed):
    store = a_store(slug="shop")
    close_through(store, "2026-02-28")
    client = signed_in(store=store, role="owner")
    client.post(f"/admin/ledger/book/{store.pk}/change/", {"closed_through": asked, "certain": "on", "last_seq": "99"})
    assert str(Book.objects.get().closed_through) == closed
    assert Book.objects.get().last_seq == 0


def test_days_are_closed_only_by_who_has_ticked_that_it_cannot_be_undone():
    store = a_store(slug="shop")
    client = signed_in(store=store, role="owner")
    address = f"/admin/ledger/book/{store.pk}/change/"
    assert "I know that this cannot be undone" in client.get(address).content.decode()
    refused = client.post(address, {"closed_through": "2026-03-31"})
    assert "Days up to 31 Mar 2026 would be closed for good. Tick this to close them." in refused.content.decode()
    assert Book.objects.get().closed_through is None
    assert client.post(address, {"closed_through": "2026-03-31", "certain": "on"}).status_code == 302
    assert str(Book.objects.get().closed_through) == "2026-03-31"
    # Nothing is closed by saving what is closed already.
    assert client.post(address, {"closed_through": "2026-03-31"}).status_code == 302


def test_percentages_and_days_are_written_as_people_write_them():
    store = a_store(slug="shop")
    close_through(store, "2026-02-28")
    Store.objects.update(cogs_percentage=Decimal("35.5000"))
    Book.objects.update(last_recorded_at=datetime(2026, 3, 4, 5, 6, tzinfo=UTC))
    client = signed_in(store=store, role="owner")
    form = client.get(f"/admin/ledger/store/{store.pk}/change/").content.decode()
    assert "35.5 (<a" in form
    assert "Week starts on Sunday" in form
    assert "35.5000" not in form + client.get("/admin/ledger/store/").content.decode()
    books = client.get("/admin/ledger/book/").content.decode()
    assert "28 Feb 2026" in books
    assert "4 Mar 2026, 05:06 UTC" in books


def test_a_store_cannot_take_the_name_of_our_own_addresses():
    store = a_store(slug="shop")
    answer = signed_in(store=store, role="owner").post(f"/admin/ledger/store/{store.pk}/change/", store_form(slug="Accounts"))
    assert "addresses that begin with /accounts are ProfitPeek" in answer.content.decode()
    assert Store.objects.get().slug == "shop"
    with pytest.raises(StoreRefused, match="“metrics” cannot be a store's short name"):
        open_store(slug="metrics", name="Metrics", currency="EUR", zone="UTC")


@pytest.mark.parametrize("page", ["/admin/ledger/variantcost/", "/admin/ledger/costchange/"])
def test_a_list_narrowed_to_days_that_there_are_not_says_so_and_is_whole(page: str) -> None:
    client = signed_in(superuser=True)
    field = "at" if page.endswith("costchange/") else "effective_from"
    beyond = [
        "year=9999",
        "year=0",
        "year=1",
        "year=2026&{0}__month=13",
        "month=13",
        "year=2026&{0}__month=2&{0}__day=30",
        "year=²",
        "year=2026&{0}__day=1",
    ]
    for query in beyond:
        answer = client.get(f"{page}?{field}__{query.format(field)}", follow=True)
        assert answer.redirect_chain == [(page, 302)], query
        assert "There is no such day, month or year between 1990 and 2100, so all are listed." in text_of(answer), query
    for query in ("year=2100", "year=2026&{0}__month=12", "year=2028&{0}__month=2&{0}__day=29"):
        assert client.get(f"{page}?{field}__{query.format(field)}").status_code == 200, query
