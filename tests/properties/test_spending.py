"""In whatever order days of ad spend are told, and whatever is taken back between, a book ends with what stands."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.advertising.spending import record_spend, remove
from ledger.audit import audit
from ledger.facts import AdDayFact
from ledger.kinds import AdLevel, AdTeller
from ledger.models import AdDay, Store
from tests.builders import a_store, book_of, day, ecb
from tests.ledger_text import entry_rows
from tests.properties import examples
from tests.properties.histories import FIRST, UNDO

pytestmark = pytest.mark.django_db

COLUMNS = ("source", "campaign", "event_day", "account", "amount", "how", "original", "currency", "rate")
"""All but the part and the numbers of rows."""
some = examples.some(15)

_NAMES = {AdLevel.ACCOUNT: ("", "", ""), AdLevel.CAMPAIGN: ("1", "", ""), AdLevel.AD_GROUP: ("1", "g", ""), AdLevel.AD: ("1", "g", "a")}


def _fact(level: AdLevel, number: int, account: str, days: int, cents: int, estimated: bool, teller: AdTeller) -> AdDayFact:
    campaign, ad_group, ad = _NAMES[level]
    return AdDayFact(
        "meta_ads", level, FIRST.date() + timedelta(days=days), cents * 100, "USD" if account == "us" else "EUR", account,
        campaign and f"{campaign}{number}", campaign and f"Campaign {number}", ad_group=ad_group, ad=ad, estimated=estimated, teller=teller,
    )  # fmt: skip


_facts = st.builds(
    _fact, st.sampled_from(AdLevel), st.integers(0, 2), st.sampled_from(["eu", "us", ""]), st.integers(0, 1), st.integers(0, 900), st.booleans(),
    st.sampled_from(AdTeller),
)  # fmt: skip
steps = st.lists(st.one_of(st.lists(_facts, min_size=1, max_size=4), st.integers(0, 5)), min_size=1, max_size=8)


@pytest.fixture(autouse=True)
def rates() -> None:
    """Know a rate for every day."""
    ecb(*(("USD", f"2026-03-{n:02}", f"1.{n:02}37") for n in range(1, 32) if day(f"2026-03-{n:02}").weekday() < 5))


def standing(store: Store) -> list[AdDayFact]:
    """Return the rows that stand as facts."""
    return [
        AdDayFact(
            row.platform, AdLevel(row.level), row.day, int(row.spend * 10_000), row.currency, row.account,
            row.campaign.external_id if row.campaign else "", row.campaign.name if row.campaign else "", ad_group=row.ad_group, ad=row.ad,
            estimated=row.estimated, teller=AdTeller(row.teller),
        )
        for row in AdDay.objects.filter(store=store, removed_at=None).select_related("campaign").order_by("-day", "pk")
    ]  # fmt: skip


def live_rows(store: Store) -> list[tuple[str, ...]]:
    """Return what is live, by names rather than numbers."""
    return sorted(tuple(row[name] for name in COLUMNS) for row in entry_rows(store, live=True))


@some
@given(steps)
def test_a_book_ends_as_if_only_what_stands_had_been_told(told: list[list[AdDayFact] | int]) -> None:
    lived, fresh = a_store(), a_store()
    for number, step in enumerate(told):
        if isinstance(step, int):
            remove(lived, cause_ref=f"import:{step}", cause=UNDO, now=FIRST)
        else:
            record_spend(lived, step, cause_ref=f"import:{number}", actor="", now=FIRST)
    record_spend(fresh, standing(lived), cause_ref="import:99", actor="", now=FIRST)
    assert live_rows(lived) == live_rows(fresh)
    assert {name: problems for name, problems in audit(book_of(lived)).items() if problems} == {}
