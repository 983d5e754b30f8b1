"""The review page: what it shows of a change, when it shows it, and what it says when things moved meanwhile."""

import pytest
from django.test import Client

from ledger.book.reposting import restate
from ledger.cause import Cause
from ledger.kinds import CauseKind
from ledger.models import CogsRule, CostChange, FeeRule, ManualCost, Partner, PartnerCode, ProposedChange, ShippingRule, Store, Variant, VariantCost
from ledger.models.rules import Rule
from ledger.rules import preparing, preview, proposals
from ledger.rules.rules import change
from profitpeek.jobs.models import Job
from profitpeek.jobs.running import run
from tests.builders import a_line, a_store, an_order, at, book_of, close_through, day, write
from tests.dashboards.people import text_of

pytestmark = pytest.mark.django_db

NOW = at("2026-03-20 09:00")


@pytest.fixture
def store() -> Store:
    """Return a store with an order in February and one in March."""
    store = a_store(slug="shop")
    write(store, an_order("1", lines=[a_line("1", price="1000.00")], when="2026-02-10 12:00"), an_order("2", lines=2))
    return store


def propose(store: Store, *add: Rule, **more: object) -> ProposedChange:
    return proposals.propose(store, add=add, actor="ann@example.com", origin="/admin/ledger/cogsrule/add/", now=NOW, **more)


def a_rent() -> ManualCost:
    return ManualCost(category="operating", label="rent", basis="month", amount="900", currency="EUR", effective_from=day("2026-03-01"))


def address(proposed: ProposedChange) -> str:
    return f"/admin/ledger/proposedchange/{proposed.pk}/review/"


def test_a_review_tells_days_orders_entries_disk_and_profit(store: Store, editor: Client) -> None:
    answer = editor.get(address(propose(store, CogsRule(percentage="30"))))
    page = text_of(answer)
    for told in (
        "Will hold: 30 % for every product, always",
        "Days from 10 Feb 2026 through 3 Mar 2026.",
        "2 orders looked at, 2 of them change.",
        "6 entries will be written (3 of them reversals), about 1020 bytes on disk: 170 bytes an entry with its indexes, as usual.",
        "Feb 2026 570.70 670.70 100.00",
        "Mar 2026 56.80 66.80 10.00",
        "These months 627.50 737.50 110.00",
        "#1 10 Feb 2026 570.70 670.70 100.00",
    ):
        assert told in page.replace("\xa0", " ").replace(" .", "."), told
    assert 'href="/shop/orders/%231"' in answer.content.decode()
    assert "closed" not in page


def test_a_review_of_closed_days_tells_where_corrections_are_booked(store: Store, editor: Client) -> None:
    close_through(store, "2026-02-28")
    page = text_of(editor.get(address(propose(store, CogsRule(percentage="30")))))
    assert "Days are closed, so 2 of the entries are booked as corrections on 1 Mar 2026, the first open day." in page
    assert "Mar 2026 56.80 166.80 110.00" in page
    assert "These months 56.80 166.80 110.00" in page


def test_what_changes_nothing_past_says_so(store: Store, editor: Client) -> None:
    page = text_of(editor.get(address(propose(store, CogsRule(percentage="30", effective_from=day("2026-04-01"))))))
    assert "Nothing past changes." in page
    page = text_of(editor.get(address(propose(store, CogsRule(percentage="40")))))
    assert "Nothing past changes. 2 orders were looked at, and their costs stay the same." in page


def test_figures_are_worked_out_once(store: Store, editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    proposed = propose(store, CogsRule(percentage="30"))
    editor.get(address(proposed))
    monkeypatch.setattr(preview, "effect", None)
    assert "2 of them change" in text_of(editor.get(address(proposed)))


@pytest.mark.django_db(transaction=True)
def test_a_large_change_is_worked_out_in_the_background(store: Store, editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "AT_ONCE", 1)
    proposed = propose(store, CogsRule(percentage="30"))
    answer = editor.get(address(proposed))
    assert "Working it out: waiting for a worker." in text_of(answer)
    assert '<meta http-equiv="refresh" content="2">' in answer.content.decode()
    job = Job.objects.get()
    assert (job.kind, job.subject) == ("preview-costs", "Shop: 30 % for every product")
    Job.objects.update(done=1, whole=2)
    assert "Working it out: 1 of 2 orders." in text_of(editor.get(address(proposed)))
    assert Job.objects.count() == 1
    run(job.pk)
    answer = editor.get(address(proposed))
    assert "6 entries will be written" in text_of(answer)
    assert "http-equiv" not in answer.content.decode()
    assert (Job.objects.get().done, Job.objects.get().whole) == (2, 2)


@pytest.mark.django_db(transaction=True)
def test_one_may_save_without_waiting(store: Store, editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "AT_ONCE", 1)
    proposed = propose(store, CogsRule(percentage="30"))
    editor.get(address(proposed))
    editor.post(address(proposed), {"save": "1"})
    assert CostChange.objects.get().proposal == proposed
    assert Job.objects.get(kind="preview-costs").state == "cancelled"
    assert "The figures were not worked out." in text_of(editor.get(address(proposed)))


@pytest.mark.django_db(transaction=True)
def test_a_job_that_failed_can_be_asked_again(store: Store, editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "AT_ONCE", 1)
    change(store, add=[CogsRule(percentage="50")], actor="ann", now=NOW)
    proposed = propose(store, remove=[CogsRule.objects.get()])
    editor.get(address(proposed))
    made = change(store, remove=[CogsRule.objects.get()], actor="ann", now=NOW)
    run(Job.objects.get(kind="preview-costs").pk)
    assert "The figures could not be worked out: The rule “50 % for every product” is not there any more." in text_of(editor.get(address(proposed)))
    proposals.apply(proposals.propose_undo(made, actor="ann", origin="/", now=NOW), actor="ann", now=NOW)
    again = editor.post(address(proposed), {"again": "1"}, follow=True)
    # The rule that came back is another one, so the proposal about the old one stays refused.
    assert "is not there any more" in text_of(again)


def test_what_moved_since_is_said_and_worked_out_again(store: Store, editor: Client) -> None:
    proposed = propose(store, CogsRule(percentage="30"))
    assert "since these figures" not in text_of(editor.get(address(proposed)))
    write(store, an_order("3"))
    assert "The book has gone on by 1 batch since these figures were worked out." in text_of(editor.get(address(proposed)))
    change(store, add=[FeeRule(percentage="1")], actor="bob", now=NOW)
    page = text_of(editor.get(address(proposed)))
    assert "Cost rules of the store have been changed since these figures were worked out." in page
    assert "2 orders looked at" in page
    page = text_of(editor.post(address(proposed), {"again": "1"}, follow=True))
    assert "since these figures" not in page
    assert "3 orders looked at, 3 of them change." in page
    assert "Orders are still being restated after an earlier change." in page


def test_figures_of_another_day_say_so(store: Store, editor: Client) -> None:
    proposed = propose(store, CogsRule(percentage="30"))
    preparing.complete(proposed, now=NOW)
    assert "These figures were worked out on another day." in text_of(editor.get(address(proposed)))


def test_what_was_looked_at_stays_told(store: Store, editor: Client) -> None:
    proposed = propose(store, ShippingRule(position=1, name="parcel", amount="4"))
    editor.get(address(proposed))
    editor.post(address(proposed), {"save": "1"})
    restate(store, cause=Cause(CauseKind.RULE, "rules"))
    page = text_of(editor.get(address(proposed)))
    assert "This change was saved: see what it did" in page
    assert "What was looked at before" in page
    assert "Mar 2026 56.80 52.80 −4.00" in page
    assert "Save this change" not in page
    assert book_of(store).last_seq == 2


def test_orders_that_would_wait_for_a_rate_are_a_warning(store: Store, editor: Client) -> None:
    rule = VariantCost(variant=Variant.objects.get(external_id="v2"), goods="1", currency="GBP")
    page = text_of(editor.get(address(propose(store, rule))))
    assert "1 order would leave every figure and wait, because there is no exchange rate from GBP for its day." in page


def test_a_cost_that_is_likely_entered_already_is_a_warning(store: Store, editor: Client) -> None:
    change(store, add=[a_rent()], actor="bob@example.com", now=NOW)
    page = text_of(editor.get(address(propose(store, a_rent()))))
    assert (
        "“operating:rent: 900 EUR every month” and “operating:rent: 900 EUR every month” from 1 Mar 2026, which bob@example.com set on "
        "20 Mar 2026, have the same label and amount, and hold on the same days. Is it entered already?"
    ) in page


def test_what_else_was_set_meanwhile_is_told_to_end_too(store: Store, editor: Client) -> None:
    proposed = propose(store, CogsRule(percentage="35", effective_from=day("2026-03-01")))
    change(store, add=[CogsRule(percentage="50", effective_from=day("2026-03-15"))], actor="bo", now=NOW)
    page = text_of(editor.get(address(proposed)))
    assert "50 % for every product (from 15 Mar 2026): replaced" in page


def test_a_proposal_about_a_partner_who_is_gone_says_so(store: Store, editor: Client) -> None:
    partner = Partner.objects.create(store=store, name="Bo", kind="affiliate")
    proposed = propose(store, PartnerCode(partner=partner, code="BO10"))
    partner.delete()
    told = "The partner it is about has been deleted. Dismiss this, and enter it again for another partner."
    assert told in text_of(editor.get(address(proposed)))
    assert told in text_of(editor.post(address(proposed), {"save": "1"}, follow=True))
    assert not CostChange.objects.exists()


def test_what_others_changed_while_somebody_looked_is_looked_at_before_it_is_saved(store: Store, editor: Client) -> None:
    proposed = propose(store, CogsRule(percentage="35"))
    seen = editor.get(address(proposed)).context["seen"]
    change(store, add=[CogsRule(percentage="50", effective_from=day("2026-03-15"))], actor="bo", now=NOW)
    answer = editor.post(address(proposed), {"save": "1", "seen": seen}, follow=True)
    assert "were changed while you looked. Nothing is saved yet" in text_of(answer)
    assert "50 % for every product (from 15 Mar 2026): replaced" in text_of(answer)
    assert CostChange.objects.count() == 1
    assert "Saved:" in text_of(editor.post(address(proposed), {"save": "1", "seen": answer.context["seen"]}, follow=True))
