"""Map an order of Shopify's export, with what its transactions tell, to an order fact. Pure."""

from collections.abc import Sequence
from datetime import datetime

from connectors.files.spool import Order as OrderRows
from connectors.platforms.files.cost_values import POWERS
from connectors.platforms.files.shopify import words
from connectors.platforms.files.shopify.columns import Readers
from connectors.platforms.files.shopify.orders import ADDED, Sheet, sheet_of
from connectors.platforms.files.shopify.parts import Part, parts_of
from connectors.platforms.files.shopify.refunds import UNDATED, Refund, give_back
from connectors.platforms.files.shopify.transactions import Told, is_charged, payments_of, refunds_of
from ledger.facts import LineFact, OrderFact, PaymentFact, SaleFact, known_by
from ledger.kinds import FinancialStatus, PaymentKind, PaymentStatus, SaleKind, SalesBasis, SaleType
from ledger.money import minor_step

PLATFORM = "shopify"
LONGEST_TITLE = 255


def fact_of(order: OrderRows, readers: Readers, told: Sequence[Told], settled: str = ADDED) -> OrderFact:
    """Map one checked order; nothing is refused here. `told` is what files tell of its transactions, in time order.

    `settled` says whether tax is added or included where the order's Total does not tell.
    """
    number = order[0]
    sheet = sheet_of(order, readers)
    head = sheet.head
    parts = parts_of(sheet, settled)
    payments = payments_of(told, sheet.currency)
    refunds = _refunds(sheet, payments, readers)
    restocked = not _shipped(sheet) or head.fulfillment.lower() == "restocked"
    back = give_back(parts, refunds, restocked=restocked, step=minor_step(sheet.currency))
    tenders = words.tenders(head.payment)
    return OrderFact(
        PLATFORM, readers.id(head.id) or known_by(number), number, sheet.placed, sheet.currency, sheet.status, words.channel(head.source),
        tuple(_line(part) for part in parts if part.item is not None), (*(_sold(part, sheet.placed) for part in parts), *back),
        payments if is_charged(payments) else (*_assumed(sheet, tenders, readers), *payments), (), SalesBasis.DERIVED,
        customer=bytes.fromhex(head.customer) if head.customer else None,
        country=readers.country(head.country) if head.country else "", region=head.region.removeprefix("'")[:60],
        is_test=bool(tenders) and all(words.is_test_gateway(each) for each in tenders),
        cancelled_at=readers.time(head.cancelled) if head.cancelled else None, shipped=_shipped(sheet),
        stated_total=sheet.total, stated_refunded=sum(refund.amount for refund in refunds),
        discount_codes=tuple(sorted({code.strip().upper()[:80] for code in head.codes.split(",") if code.strip()})),
        shipping_method=head.method[:120], references=tuple(name[:120] for name in head.references.split("\n") if name),
    )  # fmt: skip


def _shipped(sheet: Sheet) -> bool:
    return bool(sheet.head.fulfilled) or sheet.head.fulfillment.lower() in ("fulfilled", "partial")


def _line(part: Part) -> LineFact:
    """Make a line; what it sells is known by its SKU, and by its name where there is none or a spreadsheet has damaged it."""
    assert part.item is not None  # noqa: S101  only lines have an item
    sku = part.item.sku.removeprefix("'")[:120]
    title = part.item.title[:LONGEST_TITLE]
    named = sku if sku and not POWERS.fullmatch(sku) else title[:120]
    return LineFact(part.key, part.quantity, part.unit_price, named or None if part.type == SaleType.PRODUCT else None, sku, title)


def _sold(part: Part, placed: datetime) -> SaleFact:
    """Make the event by which a part was sold; what a rest of Total is for, nobody told."""
    units = part.quantity if part.type == SaleType.PRODUCT else 0
    return SaleFact(
        part.key, placed, SaleKind.ORDER, part.type, part.net, part.key if part.item is not None else None, units, part.discount, part.tax,
        estimated=part.type == SaleType.ADJUSTMENT,
    )  # fmt: skip


def _refunds(sheet: Sheet, payments: Sequence[PaymentFact], readers: Readers) -> list[Refund]:
    """Return what was given back, first to last: as transactions tell, and what the order tells beyond them, as early as it can have been."""
    refunds = refunds_of(payments)
    untold = sheet.refunded - sum(refund.amount for refund in refunds)
    if untold > 0:
        refunds.append(Refund(UNDATED, earliest_refund(sheet, readers), untold))
    return sorted(refunds, key=lambda refund: (refund.at, refund.key))


def earliest_refund(sheet: Sheet, readers: Readers) -> datetime:
    """Return when a refund without a date can have been at the earliest: when the order was cancelled, else when it was last paid for or sent."""
    head = sheet.head
    if head.cancelled:
        return readers.time(head.cancelled)
    return max([sheet.placed, *(readers.time(text) for text in (head.paid, head.fulfilled) if text)])


def _assumed(sheet: Sheet, tenders: Sequence[str], readers: Readers) -> tuple[PaymentFact, ...]:
    """Assume the payment of an order whose transactions are not told: one, through the first gateway that is no gift card."""
    paid = sheet.total
    if sheet.status == FinancialStatus.PARTIALLY_PAID and sheet.head.outstanding:
        paid -= readers.amount(sheet.head.outstanding)
    if not sheet.is_charged or paid <= 0:
        return ()
    gateway = next((each for each in tenders if each != words.GIFT_CARD), next(iter(tenders), ""))
    at = readers.time(sheet.head.paid) if sheet.head.paid else sheet.placed
    return (PaymentFact("derived", at, PaymentKind.SALE, PaymentStatus.SUCCESS, paid, gateway),)
