"""Dated cost rules in the admin: added with a reason, taken back, told, undone."""

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from ledger.models import CogsRule, CostChange, FeeRule, Product, ShippingRule, Store, Variant, VariantCost
from ledger.people import Role
from profitpeek.jobs.models import Job
from tests.builders import a_store, an_order, write
from tests.dashboards.people import a_person, browser_of, text_of
from tests.ledger.reviewing import review_of, save

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Store:
    store = a_store(slug="shop")
    write(store, an_order("1"))
    return store


@pytest.fixture
def editor(store: Store) -> Client:
    """Return the browser of somebody who may edit costs."""
    return browser_of(a_person(store, email="ann@example.com", role=Role.COST_EDITOR))


def add(editor: Client, page: str, **fields: object) -> str:
    """Fill in the form of a rule, save what the review shows, and return what the next page says."""
    return save(editor, propose(editor, page, **fields))


def propose(editor: Client, page: str, **fields: object) -> HttpResponse:
    """Fill in the form of a rule."""
    return editor.post(f"/admin/ledger/{page}/add/", {"effective_from": "", "effective_to": "", "reason": "", **fields})


def test_a_rule_is_added_with_its_reason_and_restates_the_orders(store: Store, editor: Client) -> None:
    product = Product.objects.get()
    told = add(editor, "cogsrule", store=store.pk, product=product.pk, percentage="35", effective_from="2026-03-01", reason="new supplier")
    assert "are being restated in the background" in told
    rule = CogsRule.objects.get()
    assert (rule.percentage, str(rule.effective_from), rule.effective_to) == (35, "2026-03-01", None)
    assert (rule.added_by.actor, rule.added_by.reason) == ("ann@example.com", "new supplier")
    assert Job.objects.get().kind == "repost"
    assert "ann@example.com" in told
    assert "new supplier" in told


@pytest.mark.parametrize(
    ("page", "model", "fields"),
    [
        ("variantcost", VariantCost, {"goods": "3.20", "freight": "0.30", "duty": "0", "packaging": "0", "currency": "EUR"}),
        ("feerule", FeeRule, {"gateway": "PayPal", "currency": "", "percentage": "3.49", "fixed": "0.49", "surcharge": "0"}),
        (
            "shippingrule", ShippingRule,
            {"position": "1", "name": "parcel", "countries": "DE", "least_units": "0", "least_value": "0", "amount": "4.90",
             "each_further_unit": "0"},
        ),
    ],
)  # fmt: skip
def test_every_kind_of_rule_can_be_added(store: Store, editor: Client, page: str, model: type, fields: dict[str, str]) -> None:
    variant = {"variant": Variant.objects.get().pk} if page == "variantcost" else {}
    told = add(editor, page, store=store.pk, **variant, **fields)
    assert model.objects.filter(removed_by=None).count() == 1, told
    assert editor.get(f"/admin/ledger/{page}/{model.objects.get().pk}/change/").status_code == 200


def test_a_rule_is_looked_at_before_it_is_saved(store: Store, editor: Client) -> None:
    add(editor, "cogsrule", store=store.pk, percentage="30")
    answer = propose(editor, "cogsrule", store=store.pk, percentage="35", effective_from="2026-03-10", reason="new supplier")
    page = text_of(editor.get(review_of(answer)))
    assert "Will hold: 35 % for every product from 10 Mar 2026" in page
    assert "Makes room: 30 % for every product (always): then holds through 9 Mar 2026" in page
    assert [rule.percentage for rule in CogsRule.objects.filter(removed_by=None)] == [30]
    save(editor, answer, reason="a better word")
    assert CostChange.objects.latest("pk").reason == "a better word"
    told = editor.post(review_of(answer), {"save": "1"}, follow=True).content.decode()
    assert "This change was saved already, by ann@example.com." in told


def test_one_goes_back_to_the_form_as_it_was_filled_in(store: Store, editor: Client) -> None:
    product = Product.objects.get()
    answer = propose(editor, "cogsrule", store=store.pk, product=product.pk, percentage="35.5", effective_from="2026-03-10", reason="new supplier")
    back = re.search(r'href="(/admin/ledger/cogsrule/add/\?proposed=\d+)"', editor.get(review_of(answer)).content.decode())
    assert back is not None
    form = editor.get(back[1]).content.decode()
    for value in ("35.5", "2026-03-10", "new supplier"):
        assert f'value="{value}"' in form
    assert f'<option value="{product.pk}" selected>' in form
    # What belongs to another store fills in nothing.
    stranger = browser_of(a_person(a_store(), email="bob@example.com"))
    assert 'value="new supplier"' not in stranger.get(back[1]).content.decode()


def test_what_is_dismissed_changes_nothing(store: Store, editor: Client) -> None:
    answer = propose(editor, "cogsrule", store=store.pk, percentage="35")
    told = editor.post(review_of(answer), {"dismiss": "1"}, follow=True).content.decode()
    assert "Dismissed: nothing has changed." in told
    assert "This proposal was dismissed." in editor.get(review_of(answer)).content.decode()
    assert not CostChange.objects.exists()


def test_the_reason_is_dressed_like_the_other_fields(editor: Client) -> None:
    page = editor.get("/admin/ledger/feerule/add/").content.decode()
    styles = {name: re.search(rf'<input[^>]*name="{name}"[^>]*>', page) for name in ("gateway", "reason")}
    found = {name: re.findall(r'class="([^"]*)"', tag[0]) for name, tag in styles.items() if tag}
    assert found["reason"] == found["gateway"] != []


def test_what_is_wrong_is_said_beside_the_field(store: Store, editor: Client) -> None:
    told = text_of(propose(editor, "cogsrule", store=store.pk, percentage="135", effective_from="2026-03-10", effective_to="2026-03-09"))
    assert "less than or equal to 100" in told
    assert "The last day lies before the first." in told
    assert not CostChange.objects.exists()


def test_a_rule_is_taken_back_and_stays_told(store: Store, editor: Client) -> None:
    add(editor, "cogsrule", store=store.pk, percentage="35")
    rule = CogsRule.objects.get()
    page = editor.get(f"/admin/ledger/cogsrule/{rule.pk}/delete/").content.decode()
    assert "35 % for every product" in page
    editor.post(f"/admin/ledger/cogsrule/{rule.pk}/delete/", {"post": "yes"})
    rule.refresh_from_db()
    assert rule.removed_by is not None
    editor.get("/admin/ledger/cogsrule/")  # which still shows the message
    assert "35 %" not in editor.get("/admin/ledger/cogsrule/").content.decode()
    assert [change.summary for change in CostChange.objects.order_by("pk")] == ["35 % for every product", "no more: 35 % for every product"]


def test_a_change_is_undone_with_a_button(store: Store, editor: Client) -> None:
    add(editor, "cogsrule", store=store.pk, percentage="30")
    add(editor, "cogsrule", store=store.pk, percentage="35", effective_from="2026-03-01")
    first, second = CostChange.objects.order_by("pk")
    told = editor.post("/admin/ledger/costchange/", {"action": "undo", "_selected_action": [second.pk]}, follow=True).content.decode()
    assert "Undone: 35 % for every product from 1 Mar 2026." in told
    assert [str(rule) for rule in CogsRule.objects.filter(removed_by=None)] == ["30 % for every product"]
    again = editor.post("/admin/ledger/costchange/", {"action": "undo", "_selected_action": [second.pk, first.pk]}, follow=True).content.decode()
    assert "This change has been undone already." in again
    assert "Later changes rest on this one." in again


def test_a_product_is_found_by_typing_its_name(store: Store, editor: Client) -> None:
    found = editor.get("/admin/autocomplete/?app_label=ledger&model_name=cogsrule&field_name=product&term=v1").json()
    assert len(found["results"]) == 1
