"""Map files of ad spend to days of ad spend. Pure: texts in, facts out.

A row is told at the finest level it names: ad, ad group, campaign, account. A row that covers several days is spread over them evenly, and
marked estimated. Total rows and rows without an amount are left out, and counted.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from connectors.platforms.files.ad_columns import AD_SPEND, PLATFORM_OF, PLATFORMS, TELLERS
from connectors.platforms.files.cost_sheet import Cell, Context, KeptRow, Kind, Layout, Readers, reading
from connectors.platforms.files.cost_values import LONGEST
from ledger.facts import AdDayFact
from ledger.kinds import AdLevel, AdTeller
from ledger.money import SCALE, Tenk, minor_step, split

LONGEST_SPAN = 92
"""Days that one row may be spread over: a quarter."""
EMPTY = frozenset({"", "-", "--", "—", "–"})
_TOTAL = re.compile(r"(?:total|gesamt|totale|totaal|summe|somme)\b", re.I)


class ToldSpend(NamedTuple):
    """What one row tells; amounts are in its currency. `why_not` says why it is left out; empty where it is taken."""

    line: int
    platform: str
    account: str
    level: AdLevel
    campaign: str
    campaign_name: str
    status: str
    channel: str
    ad_group: str
    ad: str
    first: date
    last: date
    spend: Tenk
    currency: str
    impressions: int | None
    clicks: int | None
    conversions: Tenk | None
    value: Tenk | None


class LeftOut(NamedTuple):
    """A row that tells no spend of its own."""

    line: int
    why: str
    is_total: bool
    spend: Tenk


TOTAL = "a total of rows above"
NO_AMOUNT = "no amount spent"


class AdReader:
    """Reads rows of one file of ad spend; the same way at the check, the import and its undoing."""

    def __init__(self, kind: Kind, layout: Layout, context: Context) -> None:
        self._kind, self._readers = kind, Readers(layout, context)
        self._names = [field.name for field in kind.fields]
        self._has_campaigns = "campaign" in layout.columns or "campaign_name" in layout.columns
        self._currencies: dict[tuple[str, str], tuple[str, int]] = {}
        self._named: dict[tuple[str, str, date], tuple[bool, int]] = {}
        self._spans: dict[tuple[str, ...], dict[tuple[date, date], int]] = {}

    @property
    def accounts(self) -> set[tuple[str, str]]:
        """Return the platforms and accounts of the rows that were checked."""
        return set(self._currencies)

    def check(self, row: KeptRow) -> None:
        """Raise Cell when a row cannot be used, or contradicts an earlier one."""
        told = self.told(row)
        if isinstance(told, LeftOut):
            return
        currency, line = self._currencies.setdefault((told.platform, told.account), (told.currency, told.line))
        if currency != told.currency:
            raise Cell("currency", f"the row is in {told.currency} and line {line} in {currency}; an advertising account spends in one currency")
        with_campaign = told.level != AdLevel.ACCOUNT
        before, line = self._named.setdefault((told.platform, told.account, told.first), (with_campaign, told.line))
        if before != with_campaign:
            raise Cell(
                "campaign_name",
                f"of this row and line {line}, of the same day, one names a campaign and one does not, so one may be the other's total; take the "
                "total out, or name the campaign",
            )
        if not row[self._kind.place("day")]:
            self._refuse_overlap(told)

    def _refuse_overlap(self, told: ToldSpend) -> None:
        """Raise Cell where a row covers some of the days that another of the same thing covers, but not the same ones."""
        spans = self._spans.setdefault((told.platform, told.account, told.campaign or told.campaign_name, told.ad_group, told.ad), {})
        span = told.first, told.last
        if span not in spans:
            others = [] if told.first == told.last else list(spans)
            others += [] if told.first != told.last else [each for each in spans if each[0] != each[1]]
            crossed = next((each for each in others if each[0] <= told.last and told.first <= each[1]), None)
            if crossed is not None:
                raise Cell("start", f"line {spans[crossed]} covers some of the same days; export the report broken down by day")
            spans[span] = told.line

    def told(self, row: KeptRow) -> ToldSpend | LeftOut:
        """Read one row; raise Cell when it cannot be used."""
        texts, readers = self._texts(row), self._readers
        spend = reading("spend", readers.amount, texts["spend"] or "0")
        left_out = self._left_out(texts)
        if left_out:
            return LeftOut(int(row[0]), left_out, left_out == TOTAL, spend.units)
        first, last = self._days(texts)
        currency = reading("currency", lambda text: readers.currency(text, [spend]), texts.get("currency", ""))
        names = {name: self._name(texts, name) for name in ("account", "campaign", "campaign_name")}
        ad_group, ad = (self._name(texts, f"{name}_id") or self._name(texts, name) for name in ("ad_group", "ad"))
        level = (
            AdLevel.AD
            if ad
            else AdLevel.AD_GROUP
            if ad_group
            else AdLevel.CAMPAIGN
            if names["campaign"] or names["campaign_name"]
            else AdLevel.ACCOUNT
        )
        if level > AdLevel.CAMPAIGN and not (names["campaign"] or names["campaign_name"]):
            raise Cell("campaign_name", "the campaign is missing, and an ad or ad group is named")
        return ToldSpend(
            int(row[0]), self._platform(texts), names["account"], level, names["campaign"], names["campaign_name"], texts.get("status", "")[:40],
            texts.get("channel", "")[:60], ad_group, ad, first, last, spend.units, currency, self._count(texts, "impressions"),
            self._count(texts, "clicks"), self._number(texts, "conversions"), self._number(texts, "value"),
        )  # fmt: skip

    def facts(self, rows: Sequence[ToldSpend]) -> list[AdDayFact]:
        """Return what rows tell of each day."""
        return [fact for row in rows for fact in spread(row, TELLERS[self._kind.name])]

    def _texts(self, row: KeptRow) -> dict[str, str]:
        return {name: "" if text.strip() in EMPTY else text for name, text in zip(self._names, row[1:], strict=True)}

    def _left_out(self, texts: Mapping[str, str]) -> str:
        """Say why a row tells no spend of its own; the empty text where it does."""
        has_day = texts.get("day") or texts.get("start")
        if any(_TOTAL.match(text) for text in texts.values()) and not re.search(r"\d", texts.get("day", "") + texts.get("start", "")):
            return TOTAL
        if self._kind is not AD_SPEND and self._has_campaigns and not texts.get("campaign") and not texts.get("campaign_name"):
            return TOTAL
        return "" if texts["spend"] or not has_day else NO_AMOUNT

    def _days(self, texts: Mapping[str, str]) -> tuple[date, date]:
        if texts.get("day"):
            day: date = reading("day", self._readers.day, texts["day"])
            return day, day
        if not (texts.get("start") and texts.get("end")):
            raise Cell("day", "the day is missing; export the report broken down by day")
        first, last = (reading(name, self._readers.day, texts[name]) for name in ("start", "end"))
        if last < first:
            raise Cell("end", f"{last} lies before {first}")
        if (last - first).days >= LONGEST_SPAN:
            raise Cell("end", f"the row covers more than {LONGEST_SPAN} days; export the report broken down by day, or in shorter spans")
        return first, last

    def _platform(self, texts: Mapping[str, str]) -> str:
        fixed = PLATFORM_OF.get(self._kind.name)
        if fixed is not None:
            return fixed
        words = " ".join(re.sub(r"[^a-z0-9]+", " ", texts.get("platform", "").lower()).split())
        return PLATFORMS.get(words) or words.replace(" ", "_")[:40] or "other"

    def _name(self, texts: Mapping[str, str], name: str) -> str:
        text = texts.get(name, "")
        if name == "campaign_name":
            return text[:255]
        return str(reading(name, self._readers.name, text[:LONGEST] if name in ("ad", "ad_group") else text))

    def _number(self, texts: Mapping[str, str], name: str) -> Tenk | None:
        text = texts.get(name, "")
        return int(reading(name, self._readers.amount, text).units) if text else None

    def _count(self, texts: Mapping[str, str], name: str) -> int | None:
        units = self._number(texts, name)
        if units is not None and (units % SCALE or units < 0):
            raise Cell(name, f"“{texts[name][:20]}” is no whole number")
        return None if units is None else units // SCALE


def spread(row: ToldSpend, teller: AdTeller) -> list[AdDayFact]:
    """Return a fact for each day of a row: its amounts in even parts that add up, estimated where there are several."""
    days = (row.last - row.first).days + 1
    step = minor_step(row.currency)
    spends = _parts(row.spend, days, step if row.spend % step == 0 else 1)
    counts = [_parts(each, days, 1) for each in (row.impressions, row.clicks, row.conversions, row.value)]
    return [
        AdDayFact(
            row.platform, row.level, row.first + timedelta(days=number), spends[number] or 0, row.currency, row.account, row.campaign,
            row.campaign_name, row.status, row.channel, row.ad_group, row.ad, counts[0][number], counts[1][number], counts[2][number],
            counts[3][number], estimated=days > 1, teller=teller,
        )
        for number in range(days)
    ]  # fmt: skip


def _parts(amount: int | None, days: int, step: int) -> Sequence[int | None]:
    return [None] * days if amount is None else split(amount, [1] * days, step=step)
