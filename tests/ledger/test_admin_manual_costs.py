"""Costs by hand in the admin: usual ones to start from, what is wrong beside its field, lists, documents, partners, goals."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ledger.costs import documents
from ledger.models import CostDocument, FeeRule, ManualCost, Membership, Partner, PartnerCode, ProfitGoal, Store
from ledger.people import Role
from ledger.rules.rules import change
from ledger.rules.undoing import undo
from ledger.stores import today_of
from tests.builders import a_store, an_order, at, day, write
from tests.dashboards.people import a_person, browser_of, text_of
from tests.ledger.reviewing import save

pytestmark = pytest.mark.django_db

NOW = at("2026-03-20 09:00")
PDF = b"%PDF-1.4 an invoice"


@pytest.fixture
def store() -> Store:
    store = a_store(slug="shop")
    write(store, an_order("1"))
    return store


def form(store: Store, **fields: object) -> dict[str, object]:
    """Fill in the form of a cost that is entered once."""
    usual = {
        "store": store.pk, "category": "operating", "label": "rent", "basis": "once", "amount": "31", "percentage": "", "currency": "EUR",
        "vat_percentage": "0", "channel": "", "product": "", "partner": "", "invoice_number": "", "note": "", "reason": "",
        "effective_from": "2026-03-01", "effective_to": "2026-03-31",
    }  # fmt: skip
    return usual | fields


def add(editor: Client, store: Store, **fields: object) -> str:
    """Enter a cost, look at it, save it, and return what the next page says."""
    return save(editor, editor.post("/admin/ledger/manualcost/add/", form(store, **fields)))


def a_cost(store: Store, **fields: object) -> ManualCost:
    """Set a cost at once."""
    usual = {
        "category": "operating", "label": "rent", "basis": "once", "amount": 31, "currency": "EUR", "effective_from": day("2026-03-01"),
        "effective_to": day("2026-03-31"),
    }  # fmt: skip
    cost = ManualCost(**(usual | fields))
    change(store, add=[cost], actor="ann@example.com", now=NOW)
    return cost


def rows(page: str) -> list[str]:
    """Return the labels that a list shows."""
    return re.findall(r"field-what_it_is[^>]*>(?:\s*<[^>]+>)*\s*([^<]*?)\s*<", page)


# entering


def test_usual_costs_can_be_started_from_and_name_their_statement_line(store: Store, editor: Client) -> None:
    page = editor.get("/admin/ledger/manualcost/add/").content.decode()
    started = re.findall(r'<li><a href="([^"]+)">([^<]+)</a> <small>([^.]+)\.', page)
    assert len(started) == 24
    lines = {name: line for _, name, line in started}
    assert [lines[name] for name in ("App subscription", "Surcharge for another payment provider", "Picking, per unit")] == [
        "Operating costs", "Payment, marketplace and dispute fees", "Shipping, packaging, fulfilment",
    ]  # fmt: skip
    address = next(address for address, name, _ in started if name == "App subscription").replace("&amp;", "&")
    filled = editor.get(address).context["adminform"].form
    told = {name: filled.get_initial_for_field(filled.fields[name], name) for name in ("store", "currency", "category", "label", "basis")}
    assert told == {"store": store.pk, "currency": "EUR", "category": "operating", "label": "app", "basis": "month"}
    assert {editor.get(address.replace("&amp;", "&")).status_code for address, _, _ in started} == {200}


def test_the_form_says_on_which_line_each_category_lands(editor: Client) -> None:
    choices = dict(editor.get("/admin/ledger/manualcost/add/").context["adminform"].form.fields["category"].choices)
    assert choices["fulfilment"] == "fulfilment (in “Shipping, packaging, fulfilment”)"


def test_labels_currencies_and_channels_are_taken_as_people_type_them(store: Store, editor: Client) -> None:
    told = add(editor, store, label="Studio rent", currency="eur", channel=" online ")
    assert "Saved:" in told
    cost = ManualCost.objects.get()
    assert (cost.account_name, cost.currency, cost.channel) == ("operating:studio-rent", "EUR", "online")
    rule = {"store": store.pk, "gateway": "cardworks", "currency": "eur", "percentage": "2", "fixed": "0", "surcharge": "0", "reason": ""}
    save(editor, editor.post("/admin/ledger/feerule/add/", rule))
    assert FeeRule.objects.get().currency == "EUR"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"label": "房租"}, "Give a label with letters a to z or figures"),
        ({"currency": "usd"}, "no exchange rate from USD to EUR on 2026-03-01"),
        ({"channel": "amazon"}, "Shop sells through online. Give one of these"),
        ({"effective_to": "2026-02-28"}, "The last day lies before the first."),
        ({"basis": "order"}, "Operating costs do not belong to single orders."),
        ({"basis": "revenue", "category": "fees", "percentage": "101", "amount": ""}, "less than or equal to 100"),
        ({"includes_vat": "on"}, "Give the VAT percentage that the amount includes"),
    ],
)
def test_what_is_wrong_is_said_on_the_form(store: Store, editor: Client, fields: dict[str, str], told: str) -> None:
    answer = editor.post("/admin/ledger/manualcost/add/", form(store, **fields))
    assert answer.status_code == 200
    assert told in text_of(answer).replace("&#x27;", "'")
    assert not ManualCost.objects.exists()


def test_partners_are_of_the_same_store(store: Store) -> None:
    other = a_store(slug="other")
    both = browser_of(a_person(store, other, email="bob@example.com"))
    stranger = Partner.objects.create(store=other, name="Eve", kind="affiliate")
    for page, fields in (("manualcost", form(store)), ("partnercode", {"store": store.pk, "code": "EVE10", "reason": ""})):
        answer = both.post(f"/admin/ledger/{page}/add/", {**fields, "partner": stranger.pk})
        assert "Eve is no partner of Shop." in text_of(answer)


# the list


def test_the_list_tells_what_where_how_much_and_by_whom(store: Store, editor: Client) -> None:
    ann = Partner.objects.create(store=store, name="Ann", kind="influencer")
    a_cost(
        store, category="marketing", label="influencer", basis="month", amount="119", includes_vat=True, vat_percentage=19, partner=ann,
        invoice_number="R-7", effective_to=None, note="spring",
    )  # fmt: skip
    page = text_of(editor.get("/admin/ledger/manualcost/"))
    for told in ("influencer (spring)", "Marketing", "119 EUR, 19 % VAT included", "every month", "Ann", "R-7", "ann@example.com, 20 Mar 2026"):
        assert told in page


def test_the_list_is_narrowed_by_when_and_by_partner_and_searched(store: Store, editor: Client) -> None:
    ann = Partner.objects.create(store=store, name="Ann", kind="influencer")
    a_cost(store, label="over", effective_to=day("2026-03-02"))
    a_cost(store, label="forever", basis="month", effective_to=None, partner=ann)
    a_cost(store, label="later", effective_from=day("2099-01-01"), effective_to=day("2099-01-31"), invoice_number="R-9")
    today = today_of(store, timezone.now())
    a_cost(store, label="ending", basis="day", effective_from=today - timedelta(days=5), effective_to=today + timedelta(days=30))
    find = lambda query: rows(editor.get(f"/admin/ledger/manualcost/?{query}").content.decode())  # noqa: E731
    assert [find("when=today"), find("when=over"), find(f"partner={ann.pk}"), find("q=R-9"), find("when=soon")] == [
        ["forever", "ending"], ["over"], ["forever"], ["later"], ["ending"]
    ]  # fmt: skip


def test_another_stores_partners_are_no_choice_of_the_filter(store: Store, editor: Client) -> None:
    other = a_store(slug="other")
    a_cost(other, partner=Partner.objects.create(store=other, name="Eve", kind="affiliate"))
    a_cost(store)
    assert "Eve" not in editor.get("/admin/ledger/manualcost/").content.decode()


# documents


def upload(editor: Client, cost: ManualCost, name: str = "invoice.pdf", body: bytes = PDF, media_type: str = "application/pdf") -> str:
    """Give a document and return what the next page says."""
    file = SimpleUploadedFile(name, body, content_type=media_type)
    return text_of(editor.post(f"/admin/ledger/manualcost/{cost.pk}/documents/add/", {"document": file}, follow=True))


def test_a_document_is_kept_sealed_and_given_back_as_it_was(store: Store, editor: Client) -> None:
    cost = a_cost(store)
    assert "No invoice or contract is kept" in text_of(editor.get(f"/admin/ledger/manualcost/{cost.pk}/change/"))
    page = upload(editor, cost)
    assert "“invoice.pdf” is kept with this cost." in page
    assert "1 document" in text_of(editor.get("/admin/ledger/manualcost/"))
    kept = CostDocument.objects.get()
    assert (kept.filename, kept.media_type, kept.size, kept.actor) == ("invoice.pdf", "application/pdf", len(PDF), "ann@example.com")
    assert b"invoice" not in bytes(kept.body)
    answer = editor.get(f"/admin/ledger/manualcost/{cost.pk}/documents/{kept.pk}/")
    assert answer.content == PDF
    assert (answer["Content-Type"], answer["Content-Disposition"], answer["X-Content-Type-Options"]) == (
        "application/pdf", 'attachment; filename="invoice.pdf"', "nosniff"
    )  # fmt: skip
    editor.post(f"/admin/ledger/manualcost/{cost.pk}/documents/{kept.pk}/delete/")
    assert not CostDocument.objects.exists()


def test_names_and_types_that_could_do_harm_are_made_harmless(store: Store, editor: Client) -> None:
    cost = a_cost(store)
    for name, kept in (("../../etc/passwd", "passwd"), ('a"b\r\nX: y.html', 'a"bX: y.html'), ("Rechnung März.html", "Rechnung März.html")):
        document = documents.attach(cost, name.encode(), filename=name, media_type="text/html", actor="ann", now=NOW)
        answer = editor.get(f"/admin/ledger/manualcost/{cost.pk}/documents/{document.pk}/")
        assert (document.filename, answer["Content-Type"]) == (kept, "application/octet-stream")
        assert answer["Content-Disposition"].startswith("attachment")


def test_a_document_that_is_empty_too_large_or_there_already_is_refused(store: Store, editor: Client) -> None:
    cost = a_cost(store)
    assert "“empty.pdf” is empty." in upload(editor, cost, "empty.pdf", b"")
    assert "has more than 10 MB" in upload(editor, cost, "large.pdf", b"x" * 10_000_001)
    upload(editor, cost)
    assert "“copy.pdf” is here already, as “invoice.pdf”." in upload(editor, cost, "copy.pdf")
    assert "Choose a file first." in text_of(editor.post(f"/admin/ledger/manualcost/{cost.pk}/documents/add/", follow=True))
    assert CostDocument.objects.count() == 1


def test_documents_are_of_ones_own_stores(store: Store, editor: Client) -> None:
    theirs = a_cost(a_store(slug="other"))
    mine = a_cost(store)
    document = documents.attach(theirs, PDF, filename="secret.pdf", media_type="application/pdf", actor="eve", now=NOW)
    for cost in (theirs, mine):
        address = f"/admin/ledger/manualcost/{cost.pk}/documents/{document.pk}/"
        assert [editor.get(address).status_code, editor.post(f"{address}delete/").status_code] == [404, 404]
    assert editor.post(f"/admin/ledger/manualcost/{theirs.pk}/documents/add/", {"document": SimpleUploadedFile("x.pdf", b"x")}).status_code == 404
    assert CostDocument.objects.count() == 1


def test_documents_follow_a_cost_that_is_replaced_and_one_that_is_put_back(store: Store) -> None:
    old = a_cost(store)
    document = documents.attach(old, PDF, filename="invoice.pdf", media_type="application/pdf", actor="ann", now=NOW)

    def holder() -> ManualCost:
        document.refresh_from_db()
        return document.cost

    kinds = {"category": "operating", "basis": "once", "currency": "EUR", "effective_from": day("2026-03-01"), "effective_to": day("2026-03-31")}
    rest, new, other = (ManualCost(label=label, amount=amount, **kinds) for label, amount in (("rent", 31), ("rent", 32), ("app", 31)))
    made = change(store, add=[other, new, rest], remove=[old], actor="ann", now=NOW)
    assert holder() == rest
    undo(made, actor="ann", now=NOW)
    assert (holder().label, holder().amount, holder().removed_by) == ("rent", 31, None)
    gone = change(store, remove=[holder()], actor="ann", now=NOW)
    assert holder().removed_by == gone
    undo(gone, actor="ann", now=NOW)
    assert holder().removed_by is None


# partners and goals


def test_a_partner_and_a_code_are_entered_and_the_partner_stays_while_anything_rests_on_them(store: Store, editor: Client) -> None:
    editor.post("/admin/ledger/partner/add/", {"store": store.pk, "name": "Ann", "kind": "influencer", "note": ""})
    ann = Partner.objects.get()
    save(editor, editor.post("/admin/ledger/partnercode/add/", {"store": store.pk, "partner": ann.pk, "code": " ann10 ", "reason": "spring"}))
    assert PartnerCode.objects.get().code == "ANN10"
    assert "ANN10" in text_of(editor.get("/admin/ledger/partner/"))
    a_cost(store, partner=ann)
    refused = text_of(editor.get(f"/admin/ledger/partner/{ann.pk}/delete/"))
    assert "1 discount code of Ann, now or before" in refused
    assert "1 cost of Ann, now or before" in refused
    editor.post(f"/admin/ledger/partner/{ann.pk}/delete/", {"post": "yes"})
    editor.post("/admin/ledger/partner/", {"action": "delete_selected", "_selected_action": [ann.pk], "post": "yes"})
    assert Partner.objects.filter(pk=ann.pk).exists()
    bob = Partner.objects.create(store=store, name="Bob", kind="affiliate")
    editor.post(f"/admin/ledger/partner/{bob.pk}/delete/", {"post": "yes"})
    assert not Partner.objects.filter(pk=bob.pk).exists()


def test_a_partners_name_is_unique_in_its_store(store: Store, editor: Client) -> None:
    Partner.objects.create(store=store, name="Ann", kind="affiliate")
    told = text_of(editor.post("/admin/ledger/partner/add/", {"store": store.pk, "name": "Ann", "kind": "influencer", "note": ""}))
    assert "already exists" in told
    assert Partner.objects.count() == 1


def test_a_profit_goal_is_for_whole_months(store: Store, editor: Client) -> None:
    goal = {"store": store.pk, "amount": "5000", "effective_from": "2026-03-15", "effective_to": "2026-04-29", "reason": ""}
    told = text_of(editor.post("/admin/ledger/profitgoal/add/", goal))
    assert "Give the first day of a month." in told
    assert "Give the last day of a month." in told
    save(editor, editor.post("/admin/ledger/profitgoal/add/", goal | {"effective_from": "2026-03-01", "effective_to": "2026-04-30"}))
    assert [str(goal) for goal in ProfitGoal.objects.all()] == ["a net profit of 5000 a month"]


def test_who_may_not_edit_costs_reads_no_document(store: Store) -> None:
    document = documents.attach(a_cost(store), PDF, filename="x.pdf", media_type="", actor="ann", now=NOW)
    viewer = a_person(store, email="viewer@example.com", role=Role.VIEWER)
    viewer.is_staff = True
    viewer.save()
    assert Membership.objects.get(user=viewer).role == "viewer"
    address = reverse("admin:ledger_manualcost_document", args=[document.cost_id, document.pk])
    assert browser_of(viewer).get(address).status_code == 403
