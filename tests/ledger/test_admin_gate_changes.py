"""The gate around changes of rules: proposals, corrections and undoing reach one's own stores only."""

import pytest

from ledger.models import CogsRule, ProposedChange, StoreZone
from ledger.people import Role
from tests.dashboards.people import a_person, browser_of
from tests.ledger.admin_shops import Shop
from tests.ledger.test_admin_gate import RULES, mine, shops, staff, tells, theirs

__all__ = ["mine", "shops", "theirs"]

pytestmark = pytest.mark.django_db


def test_a_proposal_of_another_store_is_neither_shown_nor_decided(mine: Shop, theirs: Shop) -> None:
    client, theirs_row, own = staff(mine), theirs.rows["ledger/proposedchange"], mine.rows["ledger/proposedchange"]
    for form in (None, {"save": "1"}, {"dismiss": "1"}, {"again": "1"}):
        address = f"/admin/ledger/proposedchange/{theirs_row.pk}/review/"
        answer = client.get(address) if form is None else client.post(address, form)
        absent = client.get("/admin/ledger/proposedchange/987654321/review/")
        assert (answer.status_code, answer["Location"], tells(answer)) == (absent.status_code, absent["Location"], [])
    theirs_row.refresh_from_db()
    assert theirs_row.state == "open"
    # One's own store's may be applied whoever proposed it.
    assert client.post(f"/admin/ledger/proposedchange/{own.pk}/review/", {"save": "1"}).status_code == 302
    own.refresh_from_db()
    assert (own.state, own.actor, own.made.actor) == ("applied", "owner@pottery.example.com", "ann@example.com")


def staff_undoes(shop: Shop, pk: int) -> tuple[int, str, list[str]]:
    """Ask to undo a change, as an editor of a store."""
    person = a_person(shop.store, email=f"undoes{pk}@example.com", role=Role.COST_EDITOR)
    answer = browser_of(person).post(f"/admin/ledger/costchange/{pk}/undo/")
    return answer.status_code, answer["Location"], tells(answer)


def test_rules_of_another_store_start_no_form_and_are_not_corrected(mine: Shop, theirs: Shop) -> None:
    client, own = staff(mine), mine.rows["ledger/product"].pk
    for page in RULES:
        for name in ("changes", "replaces", "proposed", "store", "product", "variant"):
            row = theirs.rows["ledger/proposedchange" if name == "proposed" else f"ledger/{name}" if f"ledger/{name}" in theirs.rows else page]
            assert tells(client.get(f"/admin/{page}/add/?{name}={row.pk}", follow=True)) == [], (page, name)
    foreign = theirs.rows["ledger/cogsrule"]
    client.post(f"/admin/ledger/cogsrule/add/?replaces={foreign.pk}", {"store": mine.store.pk, "product": own, "percentage": "9"})
    assert not ProposedChange.objects.filter(store=mine.store).exclude(pk=mine.rows["ledger/proposedchange"].pk).exists()


def test_a_change_of_another_store_is_not_undone(mine: Shop, theirs: Shop) -> None:
    absent, foreign = (staff_undoes(mine, pk) for pk in (987654321, theirs.rows["ledger/costchange"].pk))
    assert foreign == absent
    form = {"action": "undo", "_selected_action": [theirs.rows["ledger/costchange"].pk]}
    assert tells(staff(mine).post("/admin/ledger/costchange/", form, follow=True)) == []
    assert CogsRule.objects.filter(store=theirs.store, removed_by=None).exists()


def test_a_form_tells_no_day_of_another_store(mine: Shop, theirs: Shop) -> None:
    client, offered = staff(mine), []
    for zone in ("Pacific/Pago_Pago", "Pacific/Kiritimati"):  # 25 hours apart: never on one day
        StoreZone.objects.filter(store=theirs.store).update(zone=zone)
        offered.append(client.get(f"/admin/ledger/cogsrule/add/?store={theirs.store.pk}").context["day_choices"])
    assert offered[0] == offered[1]
