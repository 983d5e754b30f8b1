"""Dated cost rules in the admin: added with a reason, taken back, told, undone."""

import re

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from ledger.book.reposting import restate
from ledger.cause import Cause
from ledger.kinds import CauseKind
from ledger.models import CogsRule, CostChange, FeeRule, Product, ProposedChange, ShippingRule, Store, Variant, VariantCost
from ledger.rules import rules
from ledger.stores import today_of
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
            {"position": "1", "name": "parcel", "countries": "DE", "least_grams": "0", "least_units": "0", "least_value": "0", "amount": "4.90",
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


def page_of(editor: Client, address: str) -> str:
    """Return a page of the admin."""
    answer = editor.get(f"/admin/ledger/{address}")
    assert answer.status_code == 200, answer.get("Location")
    return answer.content.decode()


def field(page: str, name: str) -> str:
    """Return what a form's field holds."""
    found = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
    assert found is not None, name
    value = re.search(r'value="([^"]*)"', found[0])
    return value[1] if value else ""


def standing() -> list[str]:
    """Return the COGS percentages that stand, with their days."""
    return [f"{rule}{rules.span_of(rule)}" for rule in CogsRule.objects.filter(removed_by=None).order_by("pk")]


@pytest.mark.parametrize(
    ("page", "field", "day"),
    [("cogsrule", "effective_to", "9999-12-31"), ("cogsrule", "effective_from", "0001-01-01"), ("profitgoal", "effective_to", "9999-12-31")],
)
def test_days_that_stand_for_always_or_never_are_refused_beside_the_field(store: Store, editor: Client, page: str, field: str, day: str) -> None:
    rules.change(store, add=[CogsRule(percentage=30)], actor="bo", now=timezone.now())
    answer = propose(editor, page, store=store.pk, percentage="35", amount="1", **{field: day})
    assert answer.context["adminform"].form.errors == {
        field: ["Give a day in the years 1990 to 2100, or leave it empty: it has always held, or holds until further notice."]
    }  # fmt: skip
    taken = editor.post(f"/admin/ledger/cogsrule/{CogsRule.objects.get().pk}/delete/", {"post": "yes", "how": "day", "day": "0001-01-01"})
    assert taken.context["form"].errors == {"day": ["Give a day in the years 1990 to 2100, or take it back altogether."]}


def test_a_rule_is_taken_back_and_stays_told(store: Store, editor: Client) -> None:
    add(editor, "cogsrule", store=store.pk, percentage="35")
    rule = CogsRule.objects.get()
    assert "35 % for every product" in page_of(editor, f"cogsrule/{rule.pk}/delete/")
    answer = editor.post(f"/admin/ledger/cogsrule/{rule.pk}/delete/", {"post": "yes", "how": "altogether", "reason": "typo"})
    assert "Taken back: 35 % for every product, always" in text_of(editor.get(review_of(answer)))
    assert standing() == ["35 % for every product"]
    save(editor, answer)
    rule.refresh_from_db()
    assert rule.removed_by is not None
    assert "35 %" not in page_of(editor, "cogsrule/")
    assert [(made.summary, made.reason) for made in CostChange.objects.order_by("pk")] == [
        ("35 % for every product", ""), ("no more: 35 % for every product", "typo"),
    ]  # fmt: skip


def test_a_rule_is_taken_back_from_a_day_on(store: Store, editor: Client) -> None:
    add(editor, "cogsrule", store=store.pk, percentage="35", effective_from="2026-03-01")
    address = f"/admin/ledger/cogsrule/{CogsRule.objects.get().pk}/delete/"
    for day, told in (
        ("", "Give the day, or take it back altogether."), ("2026-03-01", "It begins on 1 Mar 2026 only."), ("nonsense", "Enter a valid date."),
    ):  # fmt: skip
        assert told in editor.post(address, {"post": "yes", "how": "day", "day": day}).content.decode()
    save(editor, editor.post(address, {"post": "yes", "how": "day", "day": "2026-03-10"}))
    assert standing() == ["35 % for every product from 1 Mar 2026 through 9 Mar 2026"]
    address = f"/admin/ledger/cogsrule/{CogsRule.objects.get(removed_by=None).pk}/delete/"
    refused = editor.post(address, {"post": "yes", "how": "day", "day": "2026-03-10"}).content.decode()
    assert "It ends on 9 Mar 2026 anyway." in refused


def test_a_variants_cost_is_taken_back_as_a_whole(store: Store, editor: Client) -> None:
    add(editor, "variantcost", store=store.pk, variant=Variant.objects.get().pk, goods="3", freight="0", duty="0", packaging="0", currency="EUR")
    address = f"variantcost/{VariantCost.objects.get().pk}/delete/"
    assert 'name="how"' not in page_of(editor, address)
    save(editor, editor.post(f"/admin/ledger/{address}", {"post": "yes"}))
    assert not VariantCost.objects.filter(removed_by=None).exists()


def test_chosen_rules_are_taken_back_together(store: Store, editor: Client) -> None:
    add(editor, "cogsrule", store=store.pk, percentage="35")
    add(editor, "cogsrule", store=store.pk, percentage="20", product=Product.objects.get().pk)
    chosen = list(CogsRule.objects.values_list("pk", flat=True))
    assert "delete_selected" not in page_of(editor, "cogsrule/")
    save(editor, editor.post("/admin/ledger/cogsrule/", {"action": "take_back", "_selected_action": chosen}))
    assert standing() == []


def test_rules_of_two_stores_are_looked_at_one_store_after_the_other(store: Store) -> None:
    other = a_store(slug="other")
    both = browser_of(a_person(store, other, email="ann@example.com"))
    for each in (store, other):
        add(both, "cogsrule", store=each.pk, percentage="35")
    chosen = list(CogsRule.objects.values_list("pk", flat=True))
    answer = both.post("/admin/ledger/cogsrule/", {"action": "take_back", "_selected_action": chosen}, follow=True)
    assert "Every store has its own change to look at: 2 wait" in answer.content.decode()
    assert sorted(ProposedChange.objects.filter(state="open").values_list("store__slug", flat=True)) == ["other", "shop"]


def test_a_rule_is_changed_from_a_day_on(store: Store, editor: Client) -> None:
    product = Product.objects.get()
    add(editor, "cogsrule", store=store.pk, percentage="35", product=product.pk)
    rule = CogsRule.objects.get()
    page = page_of(editor, f"cogsrule/{rule.pk}/change/")
    assert f'href="/admin/ledger/cogsrule/add/?changes={rule.pk}"' in page
    form = page_of(editor, f"cogsrule/add/?changes={rule.pk}")
    today = f"{timezone.now():%Y-%m-%d}"
    assert (field(form, "percentage"), field(form, "effective_from"), field(form, "effective_to")) == ("35", today, "")
    assert f'<option value="{product.pk}" selected>' in form
    add(editor, "cogsrule", store=store.pk, percentage="30", product=product.pk, effective_from="2026-03-10")
    assert [told.split(" for ")[0] + told.split(product.title)[1] for told in standing()] == ["35 % through 9 Mar 2026", "30 % from 10 Mar 2026"]


def test_a_rule_that_was_wrong_is_replaced_as_a_whole(store: Store, editor: Client) -> None:
    add(editor, "cogsrule", store=store.pk, percentage="53", effective_from="2026-03-01")
    rule = CogsRule.objects.get()
    address = f"/admin/ledger/cogsrule/add/?replaces={rule.pk}"
    assert f'href="{address}"' in page_of(editor, f"cogsrule/{rule.pk}/change/")
    form = editor.get(address).content.decode()
    assert (field(form, "percentage"), field(form, "effective_from")) == ("53", "2026-03-01")
    assert "This takes the place of “53 % for every product” from 1 Mar 2026 as a whole" in form
    answer = editor.post(address, {"store": store.pk, "percentage": "35", "effective_from": "2026-03-05", "effective_to": "2026-03-20", "reason": ""})
    back = re.search(r'href="(/admin/ledger/cogsrule/add/\?replaces=\d+&amp;proposed=\d+)"', editor.get(review_of(answer)).content.decode())
    assert back is not None
    assert field(editor.get(back[1].replace("&amp;", "&")).content.decode(), "percentage") == "35"
    save(editor, answer)
    assert standing() == ["35 % for every product from 5 Mar 2026 through 20 Mar 2026"]
    gone = editor.get(address, follow=True).content.decode()
    assert "The rule that was to be corrected is not there any more." in gone
    other = a_store(slug="other")
    both = browser_of(a_person(store, other, email="both@example.com"))
    address = f"/admin/ledger/cogsrule/add/?replaces={CogsRule.objects.get(removed_by=None).pk}"
    assert "What this corrects is a rule of Shop." in both.post(address, {"store": other.pk, "percentage": "9"}).content.decode()


def test_a_new_rule_begins_today_unless_one_chooses_otherwise(store: Store, editor: Client) -> None:
    today = timezone.now().date()
    form = page_of(editor, "cogsrule/add/")
    assert field(form, "effective_from") == str(today)
    assert f'href="?effective_from={today.replace(day=1)}"' in form
    assert "Empty: it always has, and past orders change; the next page shows by how much." in text_of(editor.get("/admin/ledger/cogsrule/add/"))
    always = page_of(editor, "cogsrule/add/?product=7&effective_from=")
    assert field(always, "effective_from") == ""
    assert '<a href="?product=7&amp;effective_from=" aria-current="true">always</a>' in always
    assert field(page_of(editor, "variantcost/add/"), "currency") == "EUR"
    assert field(page_of(editor, "feerule/add/"), "currency") == ""


def test_today_is_the_stores_own(editor: Client, store: Store) -> None:
    far = a_store(slug="far", zone="Pacific/Kiritimati")
    both = browser_of(a_person(store, far, email="both@example.com"))
    for each in (store, far):
        page = both.get(f"/admin/ledger/cogsrule/add/?store={each.pk}").content.decode()
        assert field(page, "effective_from") == str(today_of(each, timezone.now()))


def test_a_rules_page_lists_every_version_before_and_after_it(store: Store, editor: Client) -> None:
    add(editor, "cogsrule", store=store.pk, percentage="30", reason="first guess")
    add(editor, "cogsrule", store=store.pk, percentage="35", effective_from="2026-03-10", reason="new supplier")
    add(editor, "cogsrule", store=store.pk, percentage="12", product=Product.objects.get().pk)
    standing_rule = CogsRule.objects.get(percentage=35)
    page = page_of(editor, f"cogsrule/{standing_rule.pk}/change/")
    history = " ".join(re.sub(r"<[^>]+>", " ", page[page.index('id="history"') :]).split())
    first, second = (f"{made.at:%-d %b %Y, %H:%M} , ann@example.com : {made.reason}" for made in CostChange.objects.order_by("pk")[:2])
    for told in (
        f"30 % for every product through 9 Mar 2026 held {second} —",
        f"35 % for every product from 10 Mar 2026 holds today {second} —",
        f"30 % for every product always taken back {first} {second}",
    ):
        assert told.replace(" ,", ",").replace(" :", ":") in history.replace(" ,", ",").replace(" :", ":"), (told, history)
    assert "12 %" not in history


def test_products_and_variants_list_what_they_cost_and_have_cost(store: Store, editor: Client) -> None:
    product, variant = Product.objects.get(), Variant.objects.get()
    add(editor, "cogsrule", store=store.pk, percentage="12", product=product.pk)
    add(editor, "variantcost", store=store.pk, variant=variant.pk, goods="3.21", freight="0", duty="0", packaging="0", currency="EUR")
    of_product, of_variant = page_of(editor, f"product/{product.pk}/change/"), page_of(editor, f"variant/{variant.pk}/change/")
    for page in (of_product, of_variant):
        assert "12 % for " in page
        assert "3.21 EUR for " in page
    assert f'href="/admin/ledger/cogsrule/add/?store={store.pk}&amp;product={product.pk}"' in of_product
    assert f'href="/admin/ledger/variantcost/add/?store={store.pk}&amp;variant={variant.pk}"' in of_variant
    assert editor.post(f"/admin/ledger/product/{product.pk}/change/", {"cogs_percentage": "9"}).status_code == 403
    listed = page_of(editor, "product/")
    assert f'href="/admin/ledger/cogsrule/add/?store={store.pk}&amp;product={product.pk}"' in listed
    assert 'name="form-0-cogs_percentage"' not in listed


def test_lists_are_narrowed_by_when_rules_hold_and_what_they_are_about(store: Store, editor: Client) -> None:
    add(editor, "cogsrule", store=store.pk, percentage="11", effective_to="2026-01-31")
    add(editor, "cogsrule", store=store.pk, percentage="22", effective_from="2026-02-01", effective_to="2099-01-01")
    add(editor, "cogsrule", store=store.pk, percentage="33", effective_from="2099-01-02")
    add(editor, "cogsrule", store=store.pk, percentage="44", product=Product.objects.get().pk)

    def seen(query: str) -> list[str]:
        page = page_of(editor, f"cogsrule/?{query}")
        return [share for share in ("11", "22", "33", "44") if re.search(rf"<td[^>]*field-share[^>]*>\s*{share}\s*<", page)]

    assert seen("") == ["11", "22", "33", "44"]
    assert (seen("when=today"), seen("when=future"), seen("when=over"), seen("when=soon")) == (["22", "44"], ["33"], ["11"], [])
    assert (seen("about=one"), seen("about=everything"), seen("q=thing")) == (["44"], ["11", "22", "33"], ["44"])
    add(editor, "feerule", store=store.pk, gateway="klarna", percentage="3", fixed="0", surcharge="0")
    assert "klarna" in page_of(editor, "feerule/?about=one")
    assert "klarna" not in page_of(editor, "feerule/?about=everything")


def test_a_change_tells_its_rules_its_entries_and_whether_orders_carry_it(store: Store, editor: Client) -> None:
    add(editor, "cogsrule", store=store.pk, percentage="30")
    add(editor, "cogsrule", store=store.pk, percentage="35", effective_from="2026-03-01")
    made = CostChange.objects.latest("pk")
    page = text_of(editor.get(f"/admin/ledger/costchange/{made.pk}/change/"))
    assert "Rules it added 30 % for every product through 28 Feb 2026 35 % for every product from 1 Mar 2026" in page
    assert "Rules it removed 30 % for every product, always" in page
    assert "being restated in the background" in page
    restate(store, cause=Cause(CauseKind.RULE, "rules"))
    page = text_of(editor.get(f"/admin/ledger/costchange/{made.pk}/change/"))
    assert "being restated in the background" not in page
    rent = {"category": "operating", "label": "rent", "basis": "once", "amount": "10", "currency": "EUR", "vat_percentage": "0"}
    add(editor, "manualcost", store=store.pk, **rent, effective_from="2026-03-01", effective_to="2026-03-02")
    page = text_of(editor.get(f"/admin/ledger/costchange/{CostChange.objects.latest('pk').pk}/change/"))
    assert "2 entries in batch 3" in page
    assert "none of them moved with it" in page
    assert "What was looked at before it was saved" in page


def test_a_change_is_undone_with_one_click_and_a_look(store: Store, editor: Client) -> None:
    add(editor, "cogsrule", store=store.pk, percentage="30")
    add(editor, "cogsrule", store=store.pk, percentage="35", effective_from="2026-03-01")
    first, second = CostChange.objects.order_by("pk")
    page = page_of(editor, f"costchange/{second.pk}/change/")
    assert f'action="/admin/ledger/costchange/{second.pk}/undo/"' in page
    answer = editor.post(f"/admin/ledger/costchange/{second.pk}/undo/")
    assert f"This takes back “{second.summary}”" in text_of(editor.get(review_of(answer)))
    assert "Saved" in save(editor, answer)
    assert standing() == ["30 % for every product"]
    page = text_of(editor.get(f"/admin/ledger/costchange/{second.pk}/change/"))
    assert "It was undone by a later change" in page
    assert "Undo this change" not in page
    again = editor.post(f"/admin/ledger/costchange/{second.pk}/undo/", follow=True).content.decode()
    assert "This change has been undone already." in again
    again = editor.post("/admin/ledger/costchange/", {"action": "undo", "_selected_action": [first.pk]}, follow=True).content.decode()
    assert "Later changes rest on this one." in again


def test_of_many_chosen_changes_the_latest_is_undone_first(store: Store, editor: Client) -> None:
    add(editor, "cogsrule", store=store.pk, percentage="30")
    add(editor, "cogsrule", store=store.pk, percentage="35", effective_from="2026-03-01")
    chosen = list(CostChange.objects.values_list("pk", flat=True))
    answer = editor.post("/admin/ledger/costchange/", {"action": "undo", "_selected_action": chosen})
    assert "This is the latest of the 2 you chose." in editor.get(review_of(answer)).content.decode()
    save(editor, answer)
    assert standing() == ["30 % for every product"]


def test_a_product_is_found_by_typing_its_name(store: Store, editor: Client) -> None:
    found = editor.get("/admin/autocomplete/?app_label=ledger&model_name=cogsrule&field_name=product&term=v1").json()
    assert len(found["results"]) == 1
