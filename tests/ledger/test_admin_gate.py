"""The gate in the admin: whatever is asked for and however, a person meets the rows of their own stores only."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from ledger.models import (
    CogsRule,
    ManualCost,
    Membership,
    ProposedChange,
    Store,
)
from ledger.models.rules import Rule
from ledger.people import Role, set_role
from tests.dashboards.people import a_person, browser_of
from tests.ledger.admin_shops import Shop, a_shop
from tests.ledger.reviewing import save

pytestmark = pytest.mark.django_db

SHEETS = [
    "ledger/cogsrule", "ledger/variantcost", "ledger/bundlepart", "ledger/feerule", "ledger/shippingrule", "ledger/manualcost",
    "ledger/partnercode", "ledger/profitgoal", "ledger/costoverride",
]  # fmt: skip
RULES = SHEETS
OF_STORES = {
    "ledger": [
        "store",
        "product",
        "variant",
        "costchange",
        "proposedchange",
        "ordercharge",
        "campaign",
        "adday",
        "book",
        "membership",
        "finding",
        "partner",
        "balancetransaction",
        "payout",
    ],
    "connectors": ["fileimport", "connection", "syncrun", "webhookdelivery"],
}
PAGES = [f"{app}/{model}" for app, models in OF_STORES.items() for model in models] + RULES
DELETABLE = ["ledger/membership", "ledger/partner", *RULES]
INSTALLATION = ["jobs/job", "jobs/pause", "auth/user", "mfa/authenticator", "usersessions/usersession", "ledger/costdefaults", "ledger/erasure"]
SECRETS = ("Undisclosed", "undisclosed")
"""In the name of everything the other store has."""


@pytest.fixture(scope="module")
def shops(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Shop, Shop]]:
    """Open both shops once for all tests of a file, in a transaction that is taken back; each test's own lies within it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield a_shop("pottery"), a_shop("undisclosed")
        transaction.set_rollback(True)


@pytest.fixture
def mine(shops: tuple[Shop, Shop]) -> Shop:
    return deepcopy(shops[0])


@pytest.fixture
def theirs(shops: tuple[Shop, Shop]) -> Shop:
    return deepcopy(shops[1])


@pytest.fixture(autouse=True)
def _two_shops(mine: Shop, theirs: Shop) -> Iterator[None]:
    yield


def staff(shop: Shop, role: Role = Role.OWNER) -> Client:
    """Return a browser of somebody with a role in one store; the flag that opens the door is set whatever the role."""
    person = a_person(shop.store, email="ann@example.com", role=role)
    person.is_staff = True
    person.save()
    return browser_of(person)


def superuser() -> Client:
    """Return the browser of whoever runs the installation."""
    return browser_of(a_person(email="root@example.com", superuser=True))


def tells(answer: Any) -> list[str]:
    """Return what an answer gives away of the other store."""
    return [word for word in SECRETS if word in answer.content.decode()]


def test_every_page_of_the_admin_is_known_here() -> None:
    assert {f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry} == {*PAGES, *INSTALLATION}


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        (Role.OWNER, set(PAGES)),
        (Role.COST_EDITOR, set(PAGES) - {"ledger/book", "ledger/membership"}),
        (Role.ANALYST, set()),
        (Role.VIEWER, set()),
    ],
)
def test_lists_by_role(role: Role, seen: set[str], mine: Shop) -> None:
    client = staff(mine, role)
    assert {page for page in [*PAGES, *INSTALLATION] if client.get(f"/admin/{page}/").status_code == 200} == seen
    index = client.get("/admin/").content.decode()
    assert {page for page in [*PAGES, *INSTALLATION] if f'href="/admin/{page}/"' in index} == seen


def test_the_superuser_sees_every_page_and_every_store(theirs: Shop) -> None:
    client = superuser()
    assert [page for page in [*PAGES, *INSTALLATION] if client.get(f"/admin/{page}/").status_code != 200] == []
    assert "undisclosed mug" in client.get("/admin/ledger/product/").content.decode()
    assert client.get(f"/admin/ledger/product/{theirs.rows['ledger/product'].pk}/change/").status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_lists_name_nothing_of_another_store(page: str, mine: Shop, theirs: Shop) -> None:
    client = staff(mine)
    for query in ("", "?q=e", f"?store={theirs.store.pk}", "?_facets=True", "?all=1", "?o=1"):
        answer = client.get(f"/admin/{page}/{query}", follow=True)
        assert (answer.status_code, tells(answer)) == (200, []), query


@pytest.mark.parametrize("page", PAGES)
def test_a_list_cannot_be_narrowed_by_what_another_table_holds(page: str, mine: Shop) -> None:
    client = staff(mine)
    for query in ("?store__memberships__user__password__startswith=a", "?user__password__startswith=p", "?book__store__name__startswith=U"):
        assert client.get(f"/admin/{page}/{query}").status_code in (302, 400), query


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("view", ["change", "history", "delete"])
def test_a_row_of_another_store_is_absent(page: str, view: str, mine: Shop, theirs: Shop) -> None:
    client = staff(mine)
    foreign = client.get(f"/admin/{page}/{theirs.rows[page].pk}/{view}/")
    absent = client.get(f"/admin/{page}/987654321/{view}/")
    assert (foreign.status_code, foreign.get("Location")) == (absent.status_code, absent.get("Location"))
    refused = view == "delete" and page not in DELETABLE
    assert foreign.status_code == (403 if refused else 302)
    assert tells(foreign) == []
    # The message that there is no such row comes with the next page.
    assert "undisclosed" not in client.get("/admin/").content.decode()
    assert client.get(f"/admin/{page}/{mine.rows[page].pk}/{view}/").status_code == (403 if refused else 200)


@pytest.mark.parametrize("page", PAGES)
def test_posting_to_a_row_of_another_store_changes_nothing(page: str, mine: Shop, theirs: Shop) -> None:
    client, row = staff(mine), theirs.rows[page]
    before = type(row).objects.filter(pk=row.pk).values().get()
    for view in ("change", "delete"):
        client.post(f"/admin/{page}/{row.pk}/{view}/", {"post": "yes", "title": "x", "role": "viewer", "cogs_percentage": "9", "_save": "Save"})
    for query in ("?_popup=1", "?_to_field=id&_popup=1"):
        client.post(f"/admin/{page}/{row.pk}/change/{query}", {"cogs_percentage": "9", "role": "viewer"})
    assert type(row).objects.filter(pk=row.pk).values().get() == before


@pytest.mark.parametrize("page", DELETABLE)
@pytest.mark.parametrize("action", ["delete_selected", "take_back"])
def test_bulk_deletion_spares_rows_of_another_store(page: str, action: str, mine: Shop, theirs: Shop) -> None:
    client, row = staff(mine), theirs.rows[page]
    form = {"action": action, "_selected_action": [row.pk], "post": "yes", "select_across": "0"}
    for across in ("0", "1"):
        answer = client.post(f"/admin/{page}/", {**form, "select_across": across, "index": "0"}, follow=True)
        assert tells(answer) == []
    kept = type(row).objects.filter(pk=row.pk)
    assert kept.exists()
    assert not isinstance(row, Rule) or kept.get().removed_by is None
    assert list(ProposedChange.objects.filter(store=theirs.store)) == [theirs.rows["ledger/proposedchange"]]


def test_editing_a_list_leaves_products_of_another_store(mine: Shop, theirs: Shop) -> None:
    client, row = staff(mine), theirs.rows["ledger/product"]
    form = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": row.pk, "form-0-cogs_percentage": "9", "_save": "Save"}
    assert tells(client.post("/admin/ledger/product/", form)) == []
    row.refresh_from_db()
    assert row.cogs_percentage == 30


def cost_form(store: Store) -> dict[str, Any]:
    """Fill in the form of a cost."""
    return {
        "store": store.pk, "category": "operating", "label": "new", "amount": "5", "currency": "EUR",
        "basis": "once", "effective_from": "2026-03-01", "effective_to": "2026-03-01", "vat_percentage": "0", "note": "",
    }  # fmt: skip


def test_choices_and_posted_keys_are_of_ones_own_stores(mine: Shop, theirs: Shop) -> None:
    client = staff(mine)
    stranger = theirs.rows["ledger/membership"].user
    for page in ("ledger/manualcost", "ledger/membership"):
        assert tells(client.get(f"/admin/{page}/add/")) == []
        assert tells(client.get(f"/admin/{page}/add/?store={theirs.store.pk}&user={stranger.pk}")) == []
    refused = client.post("/admin/ledger/manualcost/add/", cost_form(theirs.store))
    assert (refused.status_code, tells(refused), ManualCost.objects.filter(label="new").count()) == (200, [], 0)
    for store, user in ((theirs.store, stranger), (mine.store, stranger), (theirs.store, mine.rows["ledger/membership"].user)):
        answer = client.post("/admin/ledger/membership/add/", {"store": store.pk, "user": user.pk, "role": "owner"})
        assert (answer.status_code, tells(answer)) == (200, [])
    assert set(Membership.objects.values_list("store__slug", "user__email")) == {
        ("pottery", "owner@pottery.example.com"), ("pottery", "ann@example.com"), ("undisclosed", "owner@undisclosed.example.com")
    }  # fmt: skip
    taken = client.post("/admin/ledger/manualcost/add/", cost_form(mine.store))
    save(client, taken)
    assert (taken.status_code, ManualCost.objects.filter(label="new", store=mine.store).count()) == (302, 1)


def test_a_booked_cost_is_not_moved_into_another_store(mine: Shop, theirs: Shop) -> None:
    client, cost = staff(mine), mine.rows["ledger/manualcost"]
    assert client.post(f"/admin/ledger/manualcost/{cost.pk}/change/", cost_form(theirs.store)).status_code == 403
    cost.refresh_from_db()
    assert (cost.label, cost.store) == ("pottery-rent", mine.store)


def test_zones_of_another_store_are_not_reached_through_ones_own(mine: Shop, theirs: Shop) -> None:
    client, zone = staff(mine), theirs.store.zones.get()
    form = {
        "name": "Pottery", "slug": "pottery", "fiscal_year_start_month": "1", "margin_basis": "total_sales", "cogs_percentage": "",
        "zones-TOTAL_FORMS": "2", "zones-INITIAL_FORMS": "1", "zones-0-id": zone.pk, "zones-0-store": theirs.store.pk, "zones-0-zone": "Asia/Tokyo",
        "zones-0-from_day": "2999-01-01", "zones-0-DELETE": "on", "zones-1-store": theirs.store.pk, "zones-1-zone": "Asia/Tokyo",
        "zones-1-from_day": "2999-01-02",
    }  # fmt: skip
    client.post(f"/admin/ledger/store/{mine.store.pk}/change/", form)
    assert list(theirs.store.zones.values_list("pk", "zone")) == [(zone.pk, "UTC")]


def test_autocomplete_answers_about_ones_own_rows_or_not_at_all(mine: Shop) -> None:
    client = staff(mine)
    for model in apps.get_models():
        for field in (field for field in model._meta.get_fields() if field.many_to_one and field.concrete):
            query = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field.name}
            answer = client.get("/admin/autocomplete/", {**query, "term": ""})
            assert answer.status_code in (200, 403, 404), query
            assert tells(answer) == [], query
    found = client.get("/admin/autocomplete/", {"app_label": "ledger", "model_name": "product", "field_name": "store", "term": "e"})
    assert [row["text"] for row in found.json()["results"]] == ["Pottery"]
    people = client.get("/admin/autocomplete/", {"app_label": "ledger", "model_name": "membership", "field_name": "user", "term": "owner"})
    assert people.status_code == 403


def test_recent_actions_are_ones_own_and_forget_stores_one_has_left(mine: Shop, theirs: Shop) -> None:
    ann = a_person(mine.store, email="ann@example.com")
    root = a_person(email="root@example.com", superuser=True)
    kind = ContentType.objects.get_for_model(Store)
    for user, store in ((ann, theirs.store), (ann, mine.store), (root, mine.store)):
        LogEntry.objects.create(user=user, content_type=kind, object_id=str(store.pk), object_repr=f"act on {store.name}", action_flag=CHANGE)
    text = browser_of(ann).get("/admin/").content.decode()
    assert (text.count("act on Pottery"), text.count("act on Undisclosed")) == (1, 0)
    assert browser_of(root).get("/admin/").content.decode().count("act on Pottery") == 1


def test_history_is_of_ones_own_rows(mine: Shop) -> None:
    client, store = staff(mine), mine.store
    LogEntry.objects.create(
        user=a_person(email="root@example.com", superuser=True), content_type=ContentType.objects.get_for_model(Store),
        object_id=str(store.pk), object_repr="Pottery", action_flag=CHANGE, change_message="Repainted.",
    )  # fmt: skip
    assert "Repainted." in client.get(f"/admin/ledger/store/{store.pk}/history/").content.decode()


def test_the_last_owner_stays_and_roles_open_and_close_the_door(mine: Shop) -> None:
    client, membership = superuser(), mine.rows["ledger/membership"]
    address = f"/admin/ledger/membership/{membership.pk}"
    refused = [
        client.post(f"{address}/change/", {"role": "viewer"}, follow=True),
        client.post(f"{address}/delete/", {"post": "yes"}, follow=True),
        client.post("/admin/ledger/membership/", {"action": "delete_selected", "_selected_action": [membership.pk], "post": "yes"}, follow=True),
    ]
    assert ["would be left without an owner" in answer.content.decode() for answer in refused] == [True, True, True]
    assert Membership.objects.get(pk=membership.pk).role == "owner"
    set_role(mine.store, a_person(email="bob@example.com"), Role.OWNER)
    assert client.post(f"{address}/change/", {"role": "viewer"}).status_code == 302
    membership.user.refresh_from_db()
    assert (Membership.objects.get(pk=membership.pk).role, membership.user.is_staff) == ("viewer", False)


def test_a_role_is_chosen_not_preset(mine: Shop) -> None:
    client = staff(mine)
    choices = client.get("/admin/ledger/membership/add/").context["adminform"].form.fields["role"].choices
    assert [value for value, _ in choices] == ["", "owner", "analyst", "cost_editor", "viewer"]


def test_rules_are_made_only_for_and_about_ones_own_store(mine: Shop, theirs: Shop) -> None:
    client = staff(mine)
    for page in RULES:
        assert tells(client.get(f"/admin/{page}/add/")) == []
    own, foreign = mine.rows["ledger/product"].pk, theirs.rows["ledger/product"].pk
    for store, product in ((theirs.store, foreign), (mine.store, foreign), (theirs.store, own)):
        answer = client.post("/admin/ledger/cogsrule/add/", {"store": store.pk, "product": product, "percentage": "9"})
        assert (answer.status_code, tells(answer)) == (200, [])
    save(client, client.post("/admin/ledger/cogsrule/add/", {"store": mine.store.pk, "product": own, "percentage": "9"}))
    assert set(CogsRule.objects.filter(removed_by=None).values_list("store__slug", "percentage")) == {("pottery", 9), ("undisclosed", 30)}


@pytest.mark.parametrize("page", SHEETS)
def test_spreadsheets_hold_and_take_ones_own_store_s_rules_only(page: str, mine: Shop, theirs: Shop) -> None:
    client = staff(mine)
    for query in ("", f"?store={theirs.store.pk}", "?q=e"):
        answer = client.post(f"/admin/{page}/export/{query}", {"format": "0", "resource": "0"})
        assert (answer.status_code, tells(answer)) == (200, [])
    assert "Pottery" in client.post(f"/admin/{page}/export/", {"format": "0", "resource": "0"}).content.decode()
    for address in (f"/admin/{page}/import/", f"/admin/{page}/export/"):
        assert tells(client.get(address)) == []
    row = browser_of(Membership.objects.get(store=theirs.store).user).post(f"/admin/{page}/export/", {"format": "0", "resource": "0"}).content
    for store in (mine.store, theirs.store):
        answer = client.post(f"/admin/{page}/import/", {"store": store.pk, "import_file": SimpleUploadedFile("rows.csv", row), "resource": "0"})
        assert (answer.status_code, "Look at what this would do" in answer.content.decode()) == (200, False)
    assert set(ProposedChange.objects.values_list("pk", flat=True)) == {
        mine.rows["ledger/proposedchange"].pk,
        theirs.rows["ledger/proposedchange"].pk,
    }
