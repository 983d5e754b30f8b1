"""Map the fee files of payment processors to charges of orders: fees, dispute fees, chargebacks. Pure: texts in, facts out.

A row that tells no cost, or names no order, is never dropped silently: it says why, and the report adds those rows up.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from itertools import count
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.platforms.files.cost_sheet import Cell, Context, KeptRow, Kind, Layout, Readers, reading
from connectors.platforms.files.cost_values import Amount
from connectors.platforms.files.fee_columns import DIALECTS, LOOKED_THROUGH, WHY_NOT, Meaning, meaning_of, plain_type
from ledger.charges.charge_rows import bare
from ledger.charges.charges import ChargeFact
from ledger.facts import AdDayFact
from ledger.kinds import AdLevel, AdTeller, ChargeKind
from ledger.money import Tenk, decimal

SHOP_CAMPAIGNS = "shop_campaigns"
"""The advertising platform of what Shopify takes off a payout for its own campaigns."""
NO_ORDER = "the row names no order"
UNKNOWN = "what such rows are about is not known"
FEE_WITHOUT_ORDER = "its fee is of no order; enter it under Costs"

_ORDER_IN_TEXT = re.compile(
    r"\border\b(?:\s+(?:number|no\.?|id))?\s*[:=]?\s*#?\s*(?P<named>[A-Za-z]*[-_]?\d[\w-]*)|#(?P<hashed>[\w-]*\d[\w-]*)", re.I
)
_ORDER_IN_JSON = re.compile(r'"order_(?:id|number)"\s*:\s*"?#?(?P<named>[\w-]+)')
_WITH_UUID = re.compile(r"(?<=\w)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.I)
"""What Adobe Commerce puts behind an order's number for PayPal."""
_SHOP_PREFIX = re.compile(r"(?:wc|woo|order|inv|invoice)[-_ #:]+(?=[\w-]*\d)", re.I)
_HOURS = {
    "UTC": 0, "GMT": 0, "BST": 1, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "EST": -5, "EDT": -4, "CST": -6,
    "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
"""Hours ahead of UTC of the zones that PayPal writes short."""


class ToldFees(NamedTuple):
    """What one row tells; amounts are in its currency, as the file signs them, except that a fee is positive where money was kept."""

    line: int
    type: str
    meaning: Meaning | None
    order: str
    reference: str
    amount: Tenk
    fee: Tenk
    vat: Tenk
    currency: str
    day: date
    why_not: str
    """Why nothing is booked of it; empty where something is."""
    amount_why_not: str = ""
    """Why its amount is not booked where its fee is."""

    @property
    def is_advertising(self) -> bool:
        """Tell whether it is advertising, which is no order's."""
        return self.meaning == Meaning.ADVERTISING and not self.why_not

    @property
    def is_odd(self) -> bool:
        """Tell whether a person should look at a row that is not booked, or not wholly: it may cost something."""
        if not (self.why_not or self.amount_why_not):
            return False
        return self.meaning is None or self.meaning in LOOKED_THROUGH or self.why_not == NO_ORDER or self.why_not.endswith(FEE_WITHOUT_ORDER)


class FeeReader:
    """Reads rows of one processor's file; the same way at the check, the import and its undoing."""

    def __init__(self, kind: Kind, layout: Layout, context: Context) -> None:
        self._kind, self._context = kind, context
        self._dialect = DIALECTS[kind.name]
        self._readers = Readers(layout, context)
        self._names = [field.name for field in kind.fields]
        self._in_utc = "utc" in layout.columns.get("day", "").lower()

    def cut(self, row: KeptRow) -> KeptRow:
        """Return a row with nothing in its free texts but the order they name: they may hold what customers wrote."""
        texts = self._texts(row)
        if "text" not in texts:
            return row
        texts["order"], texts["text"] = self._order(texts), ""
        return (row[0], *(texts[name] for name in self._names))

    def check(self, row: KeptRow) -> None:
        """Raise Cell when a row cannot be used."""
        self.told(row)

    def told(self, row: KeptRow) -> ToldFees:
        """Read one row; raise Cell when it cannot be used."""
        texts, readers = self._texts(row), self._readers
        if not texts["type"]:
            raise Cell("type", "the type is missing")
        amounts = {name: reading(name, readers.amount, texts.get(name) or "0") for name in ("amount", "fee", "net", "vat")}
        currency = reading("currency", lambda text: readers.currency(text, amounts.values()), texts.get("currency", ""))
        if not texts["day"]:
            raise Cell("day", "the date is missing")
        day = reading("day", readers.day, self._when(texts))
        fee = -amounts["fee"].units if self._dialect.processor == "paypal" else amounts["fee"].units
        self._tie(texts, amounts, fee)
        meaning = meaning_of(self._kind, texts["type"], amounts["amount"].units, fee)
        order = self._order(texts)
        told = ToldFees(
            int(row[0]), texts["type"], meaning, order, self._reference(texts, day, amounts["amount"].units), amounts["amount"].units, fee,
            amounts["vat"].units, currency, day, "",
        )  # fmt: skip
        told = told._replace(why_not=self._why_not(told, texts))
        return told if told.why_not or not told.amount else told._replace(amount_why_not=WHY_NOT.get(told.meaning, "") if told.meaning else "")

    def facts(self, rows: Sequence[ToldFees]) -> tuple[list[ToldFees], list[ChargeFact]]:
        """Return the charges that the rows of one order tell, each with its row.

        Where rows have no ids, one that looks like another of its order is another: the nth of its type, day and amount.
        """
        taken: set[str] = set()
        homes: list[ToldFees] = []
        facts: list[ChargeFact] = []
        for row in self._telling(rows):
            if self._dialect.has_ids and row.reference in taken:
                continue
            names = (row.reference if number == 1 else f"{row.reference[:110]} ({number})" for number in count(1))
            reference = next(name for name in names if name not in taken)
            taken.add(reference)
            for fact in self._charges(row, reference):
                homes.append(row)
                facts.append(fact)
        return homes, facts

    def told_twice(self, rows: Sequence[ToldFees]) -> int:
        """Count the rows of one order that tell a transaction again, by its id."""
        telling = list(self._telling(rows))
        return len(telling) - len({row.reference for row in telling}) if self._dialect.has_ids else 0

    def spend(self, rows: Iterable[ToldFees]) -> list[AdDayFact]:
        """Return the advertising that rows tell, added up by day and currency."""
        days: dict[tuple[date, str], Tenk] = {}
        for row in rows:
            if row.is_advertising:
                days[row.day, row.currency] = days.get((row.day, row.currency), 0) - row.amount + row.fee
        return [
            AdDayFact(SHOP_CAMPAIGNS, AdLevel.CAMPAIGN, day, spend, currency, campaign_name="Shop campaigns", teller=AdTeller.EXPORT)
            for (day, currency), spend in sorted(days.items())
        ]

    def _telling(self, rows: Iterable[ToldFees]) -> Iterator[ToldFees]:
        return (row for row in rows if not row.why_not and not row.is_advertising)

    def _texts(self, row: KeptRow) -> dict[str, str]:
        return dict(zip(self._names, row[1:], strict=True))

    def _charges(self, row: ToldFees, reference: str) -> list[ChargeFact]:
        def fact(kind: ChargeKind, amount: Tenk, covers: Tenk = 0) -> ChargeFact:
            return ChargeFact(
                kind, row.order, reference, amount, row.currency, row.day, covers=covers, processor=self._dialect.processor
            )  # fmt: skip

        if row.meaning == Meaning.DISPUTE:
            both = [fact(ChargeKind.CHARGEBACK, -row.amount), fact(ChargeKind.DISPUTE_FEE, row.fee)]
            return [each for each in both if each.amount]
        if row.meaning == Meaning.FEE:
            return [fact(ChargeKind.PAYMENT_FEE, row.fee - row.amount)]
        if row.meaning == Meaning.DISPUTE_FEE:
            return [fact(ChargeKind.DISPUTE_FEE, row.fee - row.amount)]
        return [fact(ChargeKind.PAYMENT_FEE, row.fee, max(row.amount, 0) if row.meaning == Meaning.CHARGE else 0)]

    def _why_not(self, row: ToldFees, texts: Mapping[str, str]) -> str:
        """Say why nothing of a row is booked; the empty text where something is."""
        status = plain_type(texts.get("status", "completed"))
        if status != "completed":
            return f"its status is {status or 'not told'}"
        if plain_type(texts.get("impact", "")) == "memo":
            return WHY_NOT[Meaning.TRANSFER]
        if row.meaning is None:
            return UNKNOWN
        if row.meaning in WHY_NOT and not (row.fee and row.order):
            return f"{WHY_NOT[row.meaning]}; {FEE_WITHOUT_ORDER}" if row.fee else WHY_NOT[row.meaning]
        if row.meaning == Meaning.REFUND and not row.fee:
            return "a refund without a fee: what was kept of the charge stays kept"
        return "" if row.order or row.meaning == Meaning.ADVERTISING else NO_ORDER

    def _tie(self, texts: Mapping[str, str], amounts: Mapping[str, Amount], fee: Tenk) -> None:
        """Raise Cell where a row's net amount is not its amount less its fee (and, where the file has it, the VAT on the fee)."""
        left = amounts["amount"].units - fee
        if texts.get("net") and amounts["net"].units not in (left, left - amounts["vat"].units):
            raise Cell(
                "net",
                f"{texts['net']} is not the amount less the fee, {decimal(left).normalize():f}; the row was changed, or two columns changed places: "
                "export the file again",
            )

    def _reference(self, texts: Mapping[str, str], day: date, amount: Tenk) -> str:
        if not self._dialect.has_ids:
            # by the day, since some exports leave the time out
            return f"{plain_type(texts['type'])} {day} {decimal(amount).normalize():f}"
        reference = reading("reference", self._readers.name, texts["reference"])
        if not reference:
            raise Cell("reference", "the transaction's id is missing")
        return str(reference)

    def _order(self, texts: Mapping[str, str]) -> str:
        """Return the order a row names: in its own column, else in a free text."""
        named = bare(str(reading("order", self._readers.name, texts.get("order", ""))))
        named = _WITH_UUID.sub("", named)
        if named:
            return _SHOP_PREFIX.sub("", named, count=1) if self._dialect.has_ids else named
        found = _ORDER_IN_JSON.search(texts.get("text", "")) or _ORDER_IN_TEXT.search(texts.get("text", ""))
        named = "" if found is None else next(name for name in found.groups() if name)
        whole = texts.get("text", "").strip()
        if not named and self._dialect.processor == "paypal" and re.fullmatch(r"#?[\w-]*\d[\w-]*", whole):
            named = whole
        return _SHOP_PREFIX.sub("", bare(named), count=1)[:120]

    def _when(self, texts: Mapping[str, str]) -> str:
        """Return a row's date, with its zone where the file tells it apart from the date."""
        text = texts["day"]
        if self._in_utc and ":" in text and not re.search(r"[+-]\d\d:?\d\d$|Z$|UTC$", text):
            return f"{text} +00:00"
        if not (texts.get("time") and texts.get("zone")):
            return text
        zone = _zone(texts["zone"])
        if zone is None:
            return text
        day = reading("day", self._readers.day, text)
        try:
            at = datetime.strptime(f"{day} {texts['time'][:8]}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
        except ValueError as error:
            raise Cell("time", f"“{texts['time'][:20]}” is no time; write it as 14:03:11") from error
        return at.isoformat()


def _zone(text: str) -> timezone | ZoneInfo | None:
    """Return a time zone by its short or its full name; None where it is not known here, and the date counts as it stands."""
    hours = _HOURS.get(text.upper())
    if hours is not None:
        return timezone(timedelta(hours=hours))
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
