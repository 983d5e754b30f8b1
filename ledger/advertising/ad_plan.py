"""Compare days of ad spend that are told with those that stand: what is new, what changes, and what gives way to somebody surer."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Struct, structs

from ledger.advertising import ad_rows
from ledger.advertising.ad_rows import Campaigns
from ledger.cause import Telling
from ledger.drafts.spending import beside, giving_way
from ledger.facts import AdDayFact
from ledger.kinds import AdLevel
from ledger.models import AdDay, Campaign


class Spent(Struct, frozen=True):
    """What recording days of ad spend did; numbers are of facts."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    kept_exact: int = 0
    """Shares of a longer span for days that another file tells exactly: those stand."""
    held: int = 0
    """Days of accounts that wait for an exchange rate."""
    entries: int = 0
    gave_way: int = 0
    """Facts that are not booked, since somebody surer tells of the same day."""
    replaced: int = 0
    """Rows of somebody less sure that are not booked any more, since these facts tell of the same day."""
    beside: tuple[str, ...] = ()
    """Campaigns of people's files that are booked beside what their platform tells of the same days, without being named there."""


class Plan(NamedTuple):
    """What facts do to the rows that stand."""

    new: list[AdDay]
    changed: list[AdDay]
    unchanged: int
    kept_exact: int
    gave_way: int
    replaced: int
    beside: tuple[str, ...]


def spent(plan: Plan, *, held: int, entries: int = 0) -> Spent:
    """Return in numbers what a plan does, or did."""
    return Spent(
        len(plan.new), len(plan.changed), plan.unchanged, plan.kept_exact, held, entries, plan.gave_way, plan.replaced, plan.beside
    )  # fmt: skip


def _added_up(facts: Sequence[AdDayFact], campaigns: Campaigns) -> list[tuple[AdDayFact, Campaign | None]]:
    """Return facts with their campaigns; those about the same are added up, since a file broken down by age or place tells it in parts."""
    found: dict[tuple[Any, ...], tuple[AdDayFact, Campaign | None]] = {}
    for fact in facts:
        campaign = campaigns.find(fact) if fact.level != AdLevel.ACCOUNT else None
        named = campaign.pk if campaign is not None else fact.campaign or fact.campaign_name
        key = (ad_rows.account_day(fact), fact.level, named, fact.ad_group, fact.ad)
        before = found.get(key)
        found[key] = (fact if before is None else _sum(before[0], fact), campaign)
    return list(found.values())


def _sum(one: AdDayFact, other: AdDayFact) -> AdDayFact:
    if one.currency != other.currency:
        raise ValueError(f"ad spend of {one.platform} on {one.day} is told in {one.currency} and in {other.currency}")
    counts = {name: _plus(getattr(one, name), getattr(other, name)) for name in ("impressions", "clicks", "conversions", "conversion_value")}
    return structs.replace(
        one, spend=one.spend + other.spend, final=one.final and other.final, estimated=one.estimated or other.estimated, **counts
    )  # fmt: skip


def _plus(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other


def plan_spend(store_id: int, facts: Sequence[AdDayFact], campaigns: Campaigns, told: Telling | None, *, lock: bool = False) -> Plan:
    """Compare facts with the rows that stand; with `lock`, hold those until the transaction ends. Without `told`, only say what would be."""
    rows = ad_rows.of_days(store_id, {ad_rows.account_day(fact) for fact in facts}, lock=lock)
    standing = {ad_rows.grain(row): row for row in rows}
    before = [ad_rows.as_row(row) for row in rows]
    after = {row.id: row for row in before}
    new: list[AdDay] = []
    changed: list[AdDay] = []
    unchanged = kept_exact = kept_surer = overwritten = 0
    own: set[int] = set()
    for number, (fact, campaign) in enumerate(_added_up(facts, campaigns), start=1):
        row = ad_rows.row_of(fact, store_id, campaign)
        known = standing.get(ad_rows.grain(row))
        if known is None:
            new.append(_now(row, told))
            after[-number] = ad_rows.planned(row, fact, -number)
            own.add(-number)
            continue
        adopts = told is not None and told.adopt
        if known.teller < row.teller and not adopts:
            kept_surer += 1
            continue
        own.add(known.pk)
        if fact.estimated and not known.estimated and known.teller == row.teller and not adopts:
            kept_exact += 1
        elif adopts or any(getattr(known, name) != getattr(row, name) for name in ad_rows.TOLD):
            overwritten += known.teller > row.teller
            changed.append(_now(_said(known, row), told))
            after[known.pk] = ad_rows.as_row(known)
        else:
            unchanged += 1
    way = giving_way(list(after.values()))
    news = way - own - giving_way(before)
    names = {row.campaign_name or row.account or "no campaign" for row in beside(list(after.values()), way)}
    return Plan(new, changed, unchanged, kept_exact, kept_surer + len(way & own), overwritten + len(news), tuple(sorted(names)))


def _said(known: AdDay, row: AdDay) -> AdDay:
    for name in ad_rows.TOLD:
        setattr(known, name, getattr(row, name))
    return known


def _now(row: AdDay, told: Telling | None) -> AdDay:
    if told is not None:
        row.cause_ref, row.actor, row.told_at = told.cause_ref, told.actor, told.now
    return row
