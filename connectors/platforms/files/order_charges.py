"""Map files of shipping costs and of partners' commissions to charges of orders. Pure: texts in, facts out."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import count
from typing import NamedTuple

from connectors.platforms.files.cost_sheet import Cell, Context, KeptRow, Kind, Layout, Readers, reading
from connectors.platforms.files.headers import Field
from connectors.platforms.files.values import BadCell
from ledger.charges.charge_rows import bare
from ledger.charges.charges import ChargeFact
from ledger.kinds import ChargeKind, ChargeStatus
from ledger.money import Tenk

ORDER = Field(
    "order", "the order",
    ("order number", "order name", "order no", "order", "order id", "order reference", "order ref", "shop order", "name", "reference"), required=True,
)  # fmt: skip
CURRENCY = Field("currency", "the currency", ("currency", "currency code"))

SHIPPING_COSTS = Kind(
    "shipping-costs", "Shipping costs of orders",
    (
        ORDER,
        Field("amount", "the cost", (
            "label cost", "shipping cost", "cost", "amount", "postage", "price", "rate", "charge", "total cost", "net amount", "total",
        ), required=True),
        CURRENCY,
        Field("day", "the date", ("date", "label date", "ship date", "shipping date", "shipped at", "shipment date", "invoice date", "day")),
        Field("reference", "the tracking number", (
            "tracking number", "tracking", "tracking no", "tracking code", "tracking id", "parcel number", "shipment id", "label id",
        )),
        Field("carrier", "the carrier", ("carrier", "shipping carrier", "courier", "provider")),
        Field("type", "the type of cost", ("cost type", "charge type", "type")),
    ),
    ("amount",), "day",
)  # fmt: skip
COMMISSIONS = Kind(
    "commissions", "Commissions of partners",
    (
        Field("reference", "the network's id", ("commission id", "transaction id", "conversion id", "action id", "id")),
        ORDER,
        Field("partner", "the partner", ("partner", "affiliate", "influencer", "creator", "publisher", "partner name"), required=True),
        Field("amount", "the commission", ("commission", "commission amount", "amount", "payout", "earnings", "cost"), required=True),
        CURRENCY,
        Field("status", "the status", ("status", "commission status", "state")),
        Field("day", "the date", ("date", "commission date", "conversion date", "transaction date", "created", "created at", "day")),
        Field("type", "the type", ("type", "commission type", "kind")),
    ),
    ("amount",), "day",
)  # fmt: skip

TYPES: dict[str, dict[str, ChargeKind]] = {
    SHIPPING_COSTS.name: {
        **dict.fromkeys(("", "label", "shipping", "shipping label", "postage", "freight", "delivery"), ChargeKind.LABEL),
        **dict.fromkeys(("packing", "packaging", "fulfilment", "fulfillment", "handling", "pick and pack", "pick pack"), ChargeKind.FULFILMENT),
    },
    COMMISSIONS.name: {
        **dict.fromkeys(("", "commission", "sale", "fee"), ChargeKind.COMMISSION),
        **dict.fromkeys(("gift", "gifted", "gifting", "gifted product"), ChargeKind.GIFT),
    },
}
"""What a file's words for the type of a charge mean."""
STATUSES: dict[str, ChargeStatus] = {
    **dict.fromkeys(("pending", "open", "new", "on hold", "hold", "tracked", "unconfirmed", "in review"), ChargeStatus.PENDING),
    **dict.fromkeys(("", "approved", "confirmed", "accepted", "locked", "due", "active"), ChargeStatus.APPROVED),
    **dict.fromkeys(("paid", "paid out", "settled"), ChargeStatus.PAID),
    **dict.fromkeys(("denied", "rejected", "declined", "cancelled", "canceled", "reversed", "void", "voided", "refused"), ChargeStatus.DENIED),
}
"""What networks call the states of a commission."""


class Told(NamedTuple):
    """What one row tells: a charge, except for the number of its partner and, without a reference, a name of its own."""

    line: int
    kind: ChargeKind
    order: str
    reference: str
    carrier: str
    amount: Tenk
    currency: str
    day: date | None
    status: ChargeStatus
    partner: str


class ChargeReader:
    """Reads rows of one file of charges; the same way at the check, the import and its undoing."""

    def __init__(self, kind: Kind, layout: Layout, context: Context) -> None:
        self._kind, self._readers = kind, Readers(layout, context)
        names = [field.name for field in kind.fields]
        self._of = {name: 1 + names.index(name) if name in names else 0 for name in ("carrier", "status", "partner")} | {
            name: kind.place(name) for name in ("order", "amount", "currency", "day", "reference", "type")
        }

    def check(self, row: KeptRow) -> None:
        """Raise Cell when a row cannot be used."""
        self.told(row)

    def order(self, row: KeptRow) -> str:
        """Return the name of a row's order without its #."""
        return bare(str(reading("order", self._readers.name, row[self._of["order"]])))

    def told(self, row: KeptRow) -> Told:
        """Read one row; raise Cell when it cannot be used."""
        readers, texts = self._readers, {name: row[place] if place else "" for name, place in self._of.items()}
        order = self.order(row)
        if not order:
            raise Cell("order", "the order is missing; give its number, or take the row out")
        kind = reading("type", self._type, texts["type"])
        if not texts["amount"] and kind != ChargeKind.GIFT:
            raise Cell("amount", "the amount is missing; write 0 where it cost nothing")
        amount = reading("amount", readers.amount, texts["amount"] or "0")
        currency = reading("currency", lambda text: readers.currency(text, [amount]), texts["currency"])
        partner = reading("partner", readers.name, texts["partner"])
        if self._of["partner"] and not partner:
            raise Cell("partner", "the partner is missing")
        return Told(
            int(row[0]), kind, order, reading("reference", readers.name, texts["reference"]), reading("carrier", readers.name, texts["carrier"]),
            amount.units, currency, reading("day", readers.day, texts["day"]) if texts["day"] else None,
            reading("status", _status, texts["status"]), partner,
        )  # fmt: skip

    def _type(self, text: str) -> ChargeKind:
        kind = TYPES[self._kind.name].get(_word(text))
        if kind is None:
            raise BadCell(f"what “{text[:40]}” is for is not known; write {_one_of(TYPES[self._kind.name])}")
        return kind


def _status(text: str) -> ChargeStatus:
    status = STATUSES.get(_word(text))
    if status is None:
        raise BadCell(f"“{text[:40]}” is no status of a commission; write pending, approved, paid or denied")
    return status


def _word(text: str) -> str:
    return " ".join(text.lower().replace("_", " ").replace("-", " ").replace("&", " and ").split())


def _one_of(words: Mapping[str, ChargeKind]) -> str:
    firsts: dict[ChargeKind, str] = {}
    for word, kind in words.items():
        if word:
            firsts.setdefault(kind, word)
    return " or ".join(firsts[kind] for kind in sorted(firsts))


def facts_of(rows: Sequence[Told], partners: Mapping[str, int]) -> list[ChargeFact]:
    """Return the charges that the rows of one order tell, in the order of the file.

    Where a row names its charge by no reference, it is the nth of its order (and carrier); a cost of shipping with a day
    the nth of that day, so that another label in a later file does not take its place. A reference that comes again in
    one file is another charge, not the same one.
    """
    taken: set[tuple[ChargeKind, str]] = set()
    facts = []
    for row in rows:
        names = (_nth(row, number) for number in count(1))
        reference = next(name for name in names if (row.kind, name) not in taken)
        taken.add((row.kind, reference))
        partner = partners[row.partner] if row.partner else None
        facts.append(ChargeFact(row.kind, row.order, reference, row.amount, row.currency, row.day, row.status, partner))
    return facts


def _nth(row: Told, number: int) -> str:
    if row.reference:
        return row.reference if number == 1 else f"{row.reference[:110]} ({number})"
    # What networks give as a commission's day may be that of its status, which moves.
    day = f"{row.day} " if row.day is not None and row.kind in TYPES[SHIPPING_COSTS.name].values() else ""
    return f"{row.carrier[:100]} {day}row {number}".strip()
