"""Walk from what orders' payments say should have come in a payout to what came, cause by cause. Pure: rows and payments in, causes out.

Every row of the payout and every payment of its span is in exactly one cause, so that what is expected and the causes always add up to what
was paid out. What no cause explains is a cause of its own, and is never hidden.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from msgspec import Struct, field

from ledger.kinds import BalanceMeaning

ZERO = Decimal(0)
TOLD_WITHIN = timedelta(days=5)
"""A payment that no row of the balance tells for longer is missing from them."""
MOST_LISTED = 100
"""Rows or payments that are listed under one cause; the rest is counted."""


class Row(Struct, frozen=True):
    """A payment or refund in the payout, as the processor tells it."""

    day: date
    meaning: int
    amount: Decimal
    order: str
    """The platform's id; empty where it names none."""
    payment: str
    number: str = ""
    """The order's; empty where no order of ours is known."""


class Paid(Struct, frozen=True):
    """A payment or refund of an order through the processor, as the order tells it. `amount` is signed; a refund is negative."""

    order: str
    payment: str
    """The platform's ids."""
    number: str
    at: datetime
    day: date
    amount: Decimal
    currency: str
    converted: Decimal | None
    """In the payout's currency, at the rate of its day; None where there is no rate."""
    in_span: bool


class Elsewhere(Struct, frozen=True):
    """A row about an order that is not in this payout: in another one (its key here), or in none that is known."""

    order: str
    payment: str
    meaning: int
    amount: Decimal
    payout: int | None


class Item(Struct, frozen=True):
    """One payment or row under a cause, in the payout's currency."""

    day: date
    number: str
    """The order's; empty where none of ours is known."""
    amount: Decimal
    note: str = ""
    payout: int | None = None


class Cause(Struct):
    """Why what came differs from what was expected, and by how much: positive came besides, negative did not come."""

    key: str
    words: str
    why: str
    amount: Decimal = ZERO
    items: list[Item] = field(default_factory=list)
    count: int = 0
    explains: bool = True
    """False for what no cause explains."""

    def add(self, item: Item) -> None:
        """Add a payment or row."""
        self.amount += item.amount
        self.count += 1
        if len(self.items) < MOST_LISTED:
            self.items.append(item)

    @property
    def unlisted(self) -> int:
        """Return how many are not listed."""
        return self.count - len(self.items)


class Walk(Struct):
    """The way from what was expected to what was paid out."""

    expected: Decimal
    payments: int
    causes: list[Cause]
    reported: Decimal
    without_rate: list[Paid]
    """Payments in a currency without a rate that no row of the payout converts: in no sum."""

    @property
    def unexplained(self) -> Decimal:
        """Return what no cause explains."""
        return sum((cause.amount for cause in self.causes if not cause.explains), ZERO)

    @property
    def explained(self) -> Decimal:
        """Return what the causes that explain something add up to."""
        return sum((cause.amount for cause in self.causes if cause.explains), ZERO)

    def items_of(self, key: str) -> list[Item]:
        """Return what is listed under a cause."""
        return next((cause.items for cause in self.causes if cause.key == key), [])


class Moved(Struct, frozen=True):
    """What the other rows of a payout, of one meaning, moved the balance by, and what was kept of them."""

    meaning: int
    rows: int
    amount: Decimal
    fee: Decimal


OTHERS: dict[BalanceMeaning, tuple[str, str]] = {
    BalanceMeaning.DISPUTE: ("Chargebacks", "money that banks took back for their customers, and what came back of it"),
    BalanceMeaning.DISPUTE_FEE: ("Fees of disputes", "what the processor takes for a chargeback"),
    BalanceMeaning.FEE: ("Fees in rows of their own", "fees that are of no single payment"),
    BalanceMeaning.LABEL: ("Shipping labels", "labels that were bought and taken off the balance"),
    BalanceMeaning.ADVERTISING: ("Advertising", "campaigns that were taken off the balance"),
    BalanceMeaning.COST: ("Other costs", "costs that are in no figure by themselves: enter them under Costs"),
    BalanceMeaning.ADJUSTMENT: ("Corrections", "corrections of the processor; its own word says why"),
    BalanceMeaning.FINANCING: ("Loans and advances", "lent or paid back: never profit"),
    BalanceMeaning.TAX: ("Tax that is passed on", "tax that the processor keeps or gives back"),
    BalanceMeaning.TRANSFER: ("Reserves and transfers", "held back for a while, or given free again"),
    BalanceMeaning.UNKNOWN: ("Not known", "rows of a type that is not known here: look at them"),
    BalanceMeaning.RETURNED: ("Paid again", "payouts from before that did not reach the bank"),
}


def walk(
    rows: Sequence[Row], paid: Sequence[Paid], elsewhere: Iterable[Elsewhere], others: Sequence[Moved], *, fees: Decimal, currency: str,
    reported: Decimal, now: datetime,
) -> Walk:  # fmt: skip
    """Set payments beside rows and return the way from the one to the other.

    `paid` are the payments of the span, and of the orders that the rows name; of these only the ones that a row tells count. `others` are the
    payout's other rows, `fees` what was kept of all of them, `reported` is what the processor says it paid out.
    """
    pairs, left_rows, left_paid = _match(rows, [each for each in paid if each.converted is not None or each.currency != currency])
    conversion = Cause("conversion", "Currency conversion", "what the processor’s rate gave more or less than the central bank’s rate of the day")
    differing = Cause("differs", "Amounts that differ", "the order and the processor tell the same payment with different amounts", explains=False)
    expected, count = ZERO, len(pairs)
    for row, payment in pairs:
        should = row.amount if payment.converted is None else payment.converted
        expected += should
        if row.amount != should:
            cause = differing if payment.currency == currency else conversion
            cause.add(Item(row.day, payment.number, row.amount - should))
    strange = Cause(
        "strange", "Rows that no payment tells", "their orders are not here (deleted, or older than may be read), or tell no such payment"
    )
    for row in left_rows:
        strange.add(Item(row.day, row.number, row.amount, f"order {row.order}" if row.order else "names no order"))
    timing, without_rate = _timing([each for each in left_paid if each.in_span], elsewhere, now)
    for cause in timing:
        expected -= cause.amount
        count += cause.count
    kept = Cause("fees", "Fees kept of payments", "what the processor kept of each row", -fees)
    unread = Cause(
        "unread", "Rows that are missing", "what the payout is more or less than the rows in it: not read yet, or not told", explains=False
    )
    told = sum((row.amount for row in rows), ZERO) + sum((each.amount for each in others), ZERO) - fees
    unread.amount = reported - told
    moved = [_other(each) for each in others]
    causes = [cause for cause in (*timing, strange, conversion, kept, *moved, differing, unread) if cause.amount or cause.count]
    return Walk(expected, count, causes, reported, without_rate)


def _other(moved: Moved) -> Cause:
    words, why = OTHERS[BalanceMeaning(moved.meaning)]
    return Cause(BalanceMeaning(moved.meaning).name.lower(), words, why, moved.amount, count=moved.rows)


def _match(rows: Sequence[Row], paid: Sequence[Paid]) -> tuple[list[tuple[Row, Paid]], list[Row], list[Paid]]:
    """Pair rows and payments: by the payment's id; those left by order, direction and amount, as often as each is there."""
    by_id = {(each.order, each.payment): each for each in paid}
    pairs: list[tuple[Row, Paid]] = []
    rest: list[Row] = []
    taken: set[tuple[str, str]] = set()
    for row in rows:
        found = by_id.get((row.order, row.payment))
        if found is None or (row.order, row.payment) in taken or (found.amount < 0) != (row.amount < 0):
            rest.append(row)
        else:
            taken.add((row.order, row.payment))
            pairs.append((row, found))
    alike: dict[tuple[str, Decimal], list[Paid]] = {}
    for each in paid:
        if (each.order, each.payment) not in taken:
            alike.setdefault((each.order, each.amount), []).append(each)
    left: list[Row] = []
    for row in rest:
        same = alike.get((row.order, row.amount)) if row.order else None
        if same:
            found = same.pop(0)
            taken.add((found.order, found.payment))
            pairs.append((row, found))
        else:
            left.append(row)
    return pairs, left, [each for each in paid if (each.order, each.payment) not in taken]


def _timing(paid: Sequence[Paid], elsewhere: Iterable[Elsewhere], now: datetime) -> tuple[list[Cause], list[Paid]]:
    """Say of payments of the span that are not in the payout where they are; and return those that cannot be converted."""
    waiting = Cause("waiting", "On the way", "paid in the days of this payout, and not in any payout that is known yet")
    later = Cause("elsewhere", "In other payouts", "paid in the days of this payout, and paid out with another one")
    fresh = Cause("fresh", "Not told yet", f"paid less than {TOLD_WITHIN.days} days ago; the processor’s rows do not tell them yet")
    missing = Cause(
        "missing", "Missing from the processor’s rows", f"paid more than {TOLD_WITHIN.days} days ago by what the order says, and no row tells of it"
    )
    told = list(elsewhere)
    by_id = {(each.order, each.payment): each for each in told if each.payment}
    alike: dict[tuple[str, Decimal], list[Elsewhere]] = {}
    known = {(each.order, each.payment) for each in paid}
    for each in told:
        if (each.order, each.payment) not in known:
            alike.setdefault((each.order, each.amount), []).append(each)
    without_rate: list[Paid] = []
    for payment in paid:
        if payment.converted is None:
            without_rate.append(payment)
            continue
        row = by_id.get((payment.order, payment.payment))
        if row is None and (same := alike.get((payment.order, payment.amount))):
            row = same.pop(0)
        item = Item(payment.day, payment.number, -payment.converted, payout=row.payout if row is not None else None)
        if row is not None:
            (waiting if row.payout is None else later).add(item)
        else:
            (fresh if now - payment.at < TOLD_WITHIN else missing).add(item)
    return [waiting, later, fresh, missing], without_rate
