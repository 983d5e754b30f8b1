"""Read and write campaigns and days of ad spend: the only writer of their tables."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import Max, Min, Q, QuerySet

from ledger.days import day_number
from ledger.drafts.spending import SpendRow
from ledger.facts import AdDayFact
from ledger.kinds import AdLevel, AdTeller, Hold
from ledger.models import AdDay, Campaign
from ledger.money import decimal, tenk

Grain = tuple[str, str, date, int, int | None, str, str]
"""What one row is about: platform, account, day, level, campaign, ad group, ad."""


class AccountDay(NamedTuple):
    """One day of one advertising account: what is decided together."""

    platform: str
    account: str
    day: date


def account_day(fact: AdDayFact | AdDay) -> AccountDay:
    """Return the account and day that a fact or row is about."""
    return AccountDay(fact.platform, fact.account, fact.day)


def grain(row: AdDay) -> Grain:
    """Return what a row is about."""
    return row.platform, row.account, row.day, row.level, row.campaign_id, row.ad_group, row.ad


class Campaigns:
    """Finds the campaigns of facts among those that are known: by id, else by name, since a file may tell only that."""

    def __init__(self, store_id: int, facts: Iterable[AdDayFact]) -> None:
        self._store_id = store_id
        accounts = {(fact.platform, fact.account) for fact in facts}
        known = Campaign.objects.filter(store=store_id, platform__in={platform for platform, _ in accounts})
        self._by_id: dict[tuple[str, str, str], Campaign] = {}
        self._by_name: dict[tuple[str, str, str], Campaign] = {}
        for campaign in known.order_by("pk"):
            if (campaign.platform, campaign.account) in accounts:
                self._note(campaign)

    def _note(self, campaign: Campaign) -> None:
        if campaign.external_id:
            self._by_id[campaign.platform, campaign.account, campaign.external_id] = campaign
        key = campaign.platform, campaign.account, campaign.name
        if key not in self._by_name or not campaign.external_id:
            self._by_name[key] = campaign

    def find(self, fact: AdDayFact) -> Campaign | None:
        """Return the campaign a fact is about, if it is known."""
        named = self._by_name.get((fact.platform, fact.account, _name(fact)))
        if not fact.campaign:
            return named
        return self._by_id.get((fact.platform, fact.account, fact.campaign)) or (named if named is not None and not named.external_id else None)

    def settle(self, facts: Sequence[AdDayFact]) -> None:
        """Write the campaigns that are new and what is news of the others, those with an id first."""
        for fact in sorted(facts, key=lambda fact: not fact.campaign):
            if fact.level == AdLevel.ACCOUNT:
                continue
            campaign = self.find(fact)
            if campaign is None:
                campaign = Campaign(store_id=self._store_id, platform=fact.platform, account=fact.account)
            before = (campaign.pk, campaign.external_id, campaign.name, campaign.status, campaign.channel)
            campaign.external_id = fact.campaign or campaign.external_id
            campaign.name = _name(fact) or campaign.name
            campaign.status, campaign.channel = fact.status[:40] or campaign.status, fact.channel[:60] or campaign.channel
            if before != (campaign.pk, campaign.external_id, campaign.name, campaign.status, campaign.channel) or campaign.pk is None:
                campaign.save()
                self._note(campaign)


def _name(fact: AdDayFact) -> str:
    return fact.campaign_name[:255]


def row_of(fact: AdDayFact, store_id: int, campaign: Campaign | None) -> AdDay:
    """Return the row that a fact tells, not written yet."""
    return AdDay(
        store_id=store_id, platform=fact.platform, account=fact.account, level=fact.level, campaign=campaign, ad_group=fact.ad_group, ad=fact.ad,
        day=fact.day, spend=decimal(fact.spend), currency=fact.currency, impressions=fact.impressions, clicks=fact.clicks,
        conversions=None if fact.conversions is None else decimal(fact.conversions),
        conversion_value=None if fact.conversion_value is None else decimal(fact.conversion_value),
        final=fact.final, estimated=fact.estimated, teller=fact.teller,
    )  # fmt: skip


TOLD = ("spend", "currency", "impressions", "clicks", "conversions", "conversion_value", "final", "estimated", "teller")
"""What a fact says of its day; all else is what it is about."""


def _live(store_id: int) -> QuerySet[AdDay]:
    return AdDay.objects.filter(store=store_id, removed_at=None)


def of_days(store_id: int, days: Collection[AccountDay], *, lock: bool = False) -> list[AdDay]:
    """Return the rows that stand of every account of the platforms on some days, in key order; with `lock`, held until the transaction ends.

    Of every account, since one that a file does not name may be any of them.
    """
    spans: dict[str, set[date]] = {}
    for platform, _, day in days:
        spans.setdefault(platform, set()).add(day)
    condition = Q(pk__in=[])
    for platform, wanted in sorted(spans.items()):
        condition |= Q(platform=platform, day__in=sorted(wanted))
    rows = _live(store_id).filter(condition).select_related("campaign").order_by("pk")
    return list(rows.select_for_update(of=("self",)) if lock else rows)


def of_cause(store_id: int, cause_ref: str) -> list[AccountDay]:
    """Return the accounts and days of which an import told a row last."""
    return _days(_live(store_id).filter(cause_ref=cause_ref))


def every_day(store_id: int) -> list[AccountDay]:
    """Return every account and day of a store that rows stand of."""
    return _days(_live(store_id))


def restless(store_id: int, currency: str, since: date) -> list[AccountDay]:
    """Return the accounts and days that wait for a rate, and those from a day on whose rate may be a stand-in."""
    return _days(_live(store_id).exclude(currency=currency).filter(~Q(hold=Hold.NONE) | Q(day__gte=since)))


def _days(rows: QuerySet[AdDay]) -> list[AccountDay]:
    found = rows.order_by("platform", "account", "day").values_list("platform", "account", "day").distinct()
    return [AccountDay(*day) for day in found]


def spans(store_id: int) -> list[tuple[str, date, date]]:
    """Return the platforms that told ad spend, each with its first and last day."""
    found = _live(store_id).order_by("platform").values_list("platform").annotate(first=Min("day"), last=Max("day"))
    return [(platform, first, last) for platform, first, last in found]


def accounts_of(store_id: int, platform: str) -> list[str]:
    """Return the accounts of a platform that people's files told of; the empty text where one named none."""
    told = _live(store_id).filter(platform=platform, teller=AdTeller.PERSON)
    return list(told.order_by("account").values_list("account", flat=True).distinct())


def grains_of(store_id: int, cause_ref: str) -> set[Grain]:
    """Return what the rows are about that an import told last."""
    return {grain(row) for row in _live(store_id).filter(cause_ref=cause_ref)}


def add(rows: Sequence[AdDay]) -> None:
    """Write rows that are told for the first time."""
    AdDay.objects.bulk_create(rows)


_WRITTEN = {
    "spend": "numeric", "currency": "text", "impressions": "bigint", "clicks": "bigint", "conversions": "numeric", "conversion_value": "numeric",
    "final": "boolean", "estimated": "boolean", "teller": "smallint", "cause_ref": "text", "actor": "text", "told_at": "timestamptz",
}  # fmt: skip
_REWRITE = (
    f"UPDATE ledger_adday a SET {', '.join(f'{name} = w.{name}' for name in _WRITTEN)} "
    f"FROM unnest(%s::bigint[], {', '.join(f'%s::{kind}[]' for kind in _WRITTEN.values())}) AS w(id, {', '.join(_WRITTEN)}) WHERE a.id = w.id"
)


def rewrite(rows: Sequence[AdDay]) -> None:
    """Write what changed of rows that stand."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_REWRITE, [[row.pk for row in rows], *([getattr(row, name) for row in rows] for name in _WRITTEN)])


def hold(rows: Sequence[AdDay], holds: Mapping[int, Hold]) -> None:
    """Write which rows wait, by their id, where that is news."""
    for value in Hold:
        moved = [row.pk for row in rows if holds[row.pk] == value and row.hold != value]
        if moved:
            AdDay.objects.filter(pk__in=moved).update(hold=value)


def held_currencies(store_id: int) -> set[str]:
    """Return the currencies whose rates days wait for, as far as their rows tell."""
    return set(_live(store_id).exclude(hold=Hold.NONE).values_list("currency", flat=True).distinct())


def remove(ids: Collection[int], *, now: datetime) -> None:
    """Take rows back; they stay, so that entries can be explained."""
    AdDay.objects.filter(pk__in=ids).update(removed_at=now)


def as_row(row: AdDay) -> SpendRow:
    """Return a row as drafting reads it."""
    campaign = row.campaign
    return SpendRow(
        row.pk, row.level, row.campaign_id, day_number(row.day), tenk(row.spend), row.currency, row.estimated, row.platform, row.account, row.teller,
        campaign.external_id if campaign else "", campaign.name if campaign else "",
    )  # fmt: skip


def planned(row: AdDay, fact: AdDayFact, number: int) -> SpendRow:
    """Return a row that is not written yet as drafting would read it, under a number of its own: its campaign may be new as well."""
    told = as_row(row)
    return told._replace(id=number, campaign_id=fact.campaign or told.campaign_id, campaign_name=fact.campaign_name or told.campaign_name)
