"""Match the fees that a processor's file tells of an order with the order's payments. Pure: rows in, what is covered out.

A payment whose fee a file tells has no estimated fee. Where a file tells the fee of a part of it (an order paid in two ways that its
source tells as one payment), the rest is estimated as before.
"""

from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct, field

from ledger.costs.fees import EXEMPT_GATEWAYS, is_charge
from ledger.kinds import BOOKED, ChargeKind
from ledger.money import Tenk
from ledger.orders.rows import ChargeRow, OrderRow, PaymentRow

PROCESSORS: dict[str, tuple[str, ...]] = {
    "shopify_payments": ("shopify_payments", "shopify payments", "shopify-payments"),
    "stripe": ("stripe",),
    "paypal": ("paypal",),
}
"""Words by which a payment's gateway names a processor."""


class Matched(Struct, frozen=True):
    """Which payments of an order a file tells the fees of."""

    covered: dict[int, Tenk] = field(default_factory=dict)
    """How much of a payment is covered, by its part, in the order's currency."""
    payments: dict[int, int] = field(default_factory=dict)
    """The part of the payment that a charge is the fee of, by the charge's id; of several, the first."""


NOTHING = Matched()
_BALANCE = "balance "


def is_told_again(charge: ChargeRow, order: OrderRow) -> bool:
    """Tell whether a later charge of the order is the same: one file knows the order by its number, another by its platform's id."""
    return bool(charge.reference) and any(
        other.id > charge.id and other.kind == charge.kind and other.reference == charge.reference for other in order.charges
    )


def balance_reference(row: str) -> str:
    """Name the charge that a row of a processor's balance tells, by the row's id."""
    return f"{_BALANCE}{row}"


def balance_tells(charge: ChargeRow, order: OrderRow) -> bool:
    """Tell whether a charge that a person's file tells is one that the processor's balance tells as well: row for row, by what each comes to.

    A file names rows otherwise than the balance. Of two charges of one amount, of which the balance tells one, the other stays the file's:
    the one that is farther from the balance's day. A chargeback is the same within a day, since files may tell days of another time zone;
    a fee on whatever day.
    """
    if charge.kind not in TOLD_BY_BALANCE or charge.reference.startswith(_BALANCE):
        return False
    alike = [other for other in order.charges if other.status in BOOKED and _comes_to(other) == _comes_to(charge) and not is_told_again(other, order)]
    rows = sorted((_day(other, order), other.id) for other in alike if other.reference.startswith(_BALANCE))
    files = sorted((_day(other, order), other.id) for other in alike if not other.reference.startswith(_BALANCE))
    return charge.id in (_within_a_day(rows, files) if charge.kind == ChargeKind.CHARGEBACK else _nearest(rows, files))


Dated = list[tuple[int, int]]
"""Days and ids of charges, by day."""


def _within_a_day(rows: Dated, files: Dated) -> set[int]:
    """Return the files' charges that rows tell as well: as many as can be, first to first."""
    found: set[int] = set()
    waiting = iter(rows)
    row = next(waiting, None)
    for day, number in files:
        while row is not None and row[0] < day - 1:
            row = next(waiting, None)
        if row is not None and row[0] <= day + 1:
            found.add(number)
            row = next(waiting, None)
    return found


def _nearest(rows: Dated, files: Dated) -> set[int]:
    """Return as many files' charges as there are rows, the nearest by day."""
    found: set[int] = set()
    taken: set[int] = set()
    for _, file, row in sorted((abs(told - day), file, row) for day, row in rows for told, file in files):
        if file not in found and row not in taken:
            found.add(file)
            taken.add(row)
    return found


TOLD_BY_BALANCE = (ChargeKind.PAYMENT_FEE, ChargeKind.DISPUTE_FEE, ChargeKind.CHARGEBACK)


def _day(charge: ChargeRow, order: OrderRow) -> int:
    return order.day if charge.day is None else charge.day


def _comes_to(charge: ChargeRow) -> tuple[int, str, str, Tenk, Tenk]:
    return charge.kind, charge.processor, charge.currency, charge.covers, charge.amount


def match_fees(order: OrderRow) -> Matched:
    """Find the payments that an order's told fees are of: those of the very same amount first, then what is left of any.

    A fee in another currency than the order's is that of a whole payment. What comes out depends on what is told, not on when.
    """
    fees = [
        charge for charge in order.charges
        if charge.kind == ChargeKind.PAYMENT_FEE and charge.status in BOOKED and charge.covers > 0
        and not is_told_again(charge, order) and not balance_tells(charge, order)
    ]  # fmt: skip
    if not fees:
        return NOTHING
    fees.sort(key=lambda fee: (fee.currency != order.currency, -fee.covers, fee.processor, order.day if fee.day is None else fee.day, fee.amount))
    payments = sorted((payment for payment in order.payments if _takes_fees(payment)), key=lambda payment: (payment.processed, payment.external_id))
    left = {payment.part: payment.amount for payment in payments}
    found = Matched()
    for fee in fees:
        same = (payment for payment in _fitting(payments, fee.processor) if left[payment.part] == payment.amount == fee.covers)
        payment = next(same, None) if fee.currency == order.currency else None
        if payment is not None:
            left[payment.part] = 0
            found.payments[fee.id] = payment.part
    for fee in fees:
        if fee.id not in found.payments:
            _take_what_is_left(fee, order, list(_fitting(payments, fee.processor)), left, found)
    for fee in fees:
        if fee.id not in found.payments:
            # no processor takes a part of a payment: its source told several as one, with the name of one of them
            shared = [payment for payment in payments if 0 < left[payment.part] < payment.amount]
            _take_what_is_left(fee, order, shared, left, found)
    found.covered.update((payment.part, payment.amount - left[payment.part]) for payment in payments if left[payment.part] < payment.amount)
    return found


def _take_what_is_left(fee: ChargeRow, order: OrderRow, payments: Sequence[PaymentRow], left: dict[int, Tenk], found: Matched) -> None:
    wanted = fee.covers
    for payment in payments:
        there = left[payment.part]
        if not there:
            continue
        found.payments.setdefault(fee.id, payment.part)
        if fee.currency != order.currency:
            left[payment.part] = 0
            return
        taken = min(there, wanted)
        left[payment.part] -= taken
        wanted -= taken
        if not wanted:
            return


def _takes_fees(payment: PaymentRow) -> bool:
    return is_charge(payment) and payment.amount > 0 and payment.gateway.lower() not in EXEMPT_GATEWAYS


def is_paid_otherwise(gateways: Collection[str], processor: str) -> bool:
    """Tell whether every gateway that an order was paid through names another processor, or takes no fee; of an unpaid order nobody knows."""
    took = [_processors(gateway) for gateway in gateways if gateway.lower() not in EXEMPT_GATEWAYS]
    return bool(gateways) and not any(processor in named or not named for named in took)


def _fitting(payments: Sequence[PaymentRow], processor: str) -> Iterator[PaymentRow]:
    """Yield the payments through a processor, then those whose gateway names none; what went through another one is not its."""
    named = {payment.part: _processors(payment.gateway) for payment in payments}
    yield from (payment for payment in payments if processor in named[payment.part])
    yield from (payment for payment in payments if not named[payment.part])


def _processors(gateway: str) -> set[str]:
    text = gateway.lower()
    return {processor for processor, words in PROCESSORS.items() if any(word in text for word in words)}


def day_of(charge: ChargeRow, order: OrderRow) -> int:
    """Return the day a charge counts on: its own, but for the fee of a payment, which counts on the payment's, whenever it is told."""
    if charge.kind == ChargeKind.PAYMENT_FEE and charge.covers > 0:
        part = match_fees(order).payments.get(charge.id)
        paid = next((payment.day for payment in order.payments if payment.part == part), None)
        if paid is not None:
            return paid
    return _day(charge, order)


def fee_is_stated(charge: ChargeRow, order: OrderRow) -> bool:
    """Tell whether the order's platform states itself the fee that a file tells."""
    part = match_fees(order).payments.get(charge.id)
    return any(payment.part == part and payment.fee is not None for payment in order.payments)
