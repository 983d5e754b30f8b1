"""Draft the entries of an order from its dated sale events, payments, costs and charges."""

from collections.abc import Callable, Sequence

from msgspec import Struct, structs

from ledger import accounts, countries
from ledger.costs.costing import ESTIMATED_SOURCES
from ledger.costs.fees import FeeRules, is_charge, payment_fee
from ledger.costs.shipping import ShippingCost, ShippingTerms, shipping_cost
from ledger.days import day_number
from ledger.drafts.charges import account_of, part_of
from ledger.drafts.entry import EntryDraft, Fx
from ledger.drafts.order_costs import OrderCostTerms, Share, order_cost_entries, order_shares
from ledger.drafts.told_fees import day_of, match_fees
from ledger.kinds import AWAITS_PAYMENT, COUNTS_AS_REVENUE, GIVEN_BACK, SOLD, Hold, PaymentKind, PaymentStatus, SaleKind, SaleType
from ledger.money import SCALE, Tenk, convert, divide_half_even, minor_step, round_half_even
from ledger.orders.rows import LineRow, OrderRow, SaleRow
from ledger.rates import Rate

RateFinder = Callable[[str, int], Rate | None]
"""Finds the rate from a currency into the book's on a day number; None when there is none to use."""

ACCOUNT_OF_TYPE: dict[int, int] = {
    SaleType.SHIPPING: accounts.SALES_SHIPPING,
    SaleType.TIP: accounts.SALES_OTHER,
    SaleType.FEE: accounts.SALES_OTHER,
    SaleType.DUTY: accounts.MEMO_DUTY,
    SaleType.GIFT_CARD: accounts.MEMO_GIFT_CARD_SOLD,
    SaleType.DISCOUNT: accounts.SALES_DISCOUNTS,
}
"""Types that go to one account whatever happened; product and adjustment depend on the kind."""


class BookTerms(Struct, frozen=True):
    """What every draft of one book needs to know."""

    currency: str
    fees: FeeRules
    shipping: tuple[ShippingTerms, ...] = ()
    order_costs: tuple[OrderCostTerms, ...] = ()


class RateMissing(Exception):
    """Say that an order cannot be posted until a rate is known."""

    def __init__(self, currency: str, day: int) -> None:
        super().__init__(currency, day)
        self.currency, self.day = currency, day


class _Sheet:
    """Collects one order's drafts: converts once, rounds once, drops zeros."""

    def __init__(self, order: OrderRow, terms: BookTerms, find_rate: RateFinder) -> None:
        self.order, self.currency, self.find_rate = order, terms.currency, find_rate
        self.step = minor_step(terms.currency)
        self.country = countries.number(order.country)
        self.entries: list[EntryDraft] = []

    def rate(self, currency: str, day: int) -> Rate | None:
        """Find the rate of a foreign currency; None for the book's own; raise RateMissing when it is not known."""
        if currency == self.currency:
            return None
        rate = self.find_rate(currency, day)
        if rate is None:
            raise RateMissing(currency, day)
        return rate

    def own(self, amount: Tenk, currency: str, day: int) -> tuple[Tenk, Fx | None, bool]:
        """Convert and round an amount; return it with its exchange and whether a stand-in rate was used."""
        rate = self.rate(currency, day)
        if rate is None:
            return round_half_even(amount, self.step), None, False
        fx = Fx(amount, currency, rate.value, day_number(rate.day), rate.source)
        return convert(amount, rate.value, self.step), fx, rate.estimated

    def add(
        self, account: int, part: int, day: int, amount: Tenk, *, estimated: bool = False, variant: int | None = None, currency: str = ""
    ) -> Tenk:
        """Add an amount in the order's currency, or another one, and return what it became in the book's."""
        if not amount:
            return 0
        value, fx, guessed = self.own(amount, currency or self.order.currency, day)
        self.put(account, part, day, value, estimated=estimated or guessed, variant=variant, fx=fx)
        return value

    def put(
        self, account: int, part: int, day: int, amount: Tenk, *, estimated: bool = False, variant: int | None = None, fx: Fx | None = None
    ) -> None:
        """Add an amount that already is in the book's currency (or a count)."""
        if amount:
            order = self.order
            self.entries.append(EntryDraft(account, part, day, amount, estimated, order.day, order.channel, self.country, variant, None, fx))


class _BookedCost:
    """What a line's units have cost so far, so that units that come back are worth what was booked for them.

    Cost of r remaining units = booked × r ÷ units, rounded; an event is the difference of two such values. So any
    number of partial returns of a whole line adds up to exactly what was booked.
    """

    def __init__(self) -> None:
        self.units = self.remaining = 0
        self.amount: Tenk = 0
        self.estimated = False
        self.fx: Fx | None = None

    def sell(self, units: int, amount: Tenk, fx: Fx | None, *, estimated: bool) -> None:
        """Note units sold and the (negative) amount booked for them; what comes back is as estimated as that was."""
        self.estimated = self.estimated or estimated
        self.units += units
        self.remaining += units
        self.amount += amount
        self.fx = fx

    def take_back(self, units: int, step: Tenk) -> tuple[Tenk, int]:
        """Return the (positive) amount to give back for units, and how many units it covers."""
        covered = min(units, self.remaining)
        if covered <= 0:
            return 0, 0
        before = self._value(self.remaining, step)
        self.remaining -= covered
        return self._value(self.remaining, step) - before, covered

    def _value(self, units: int, step: Tenk) -> Tenk:
        return divide_half_even(self.amount * units, self.units * step) * step


def draft(order: OrderRow, *, terms: BookTerms, find_rate: RateFinder) -> list[EntryDraft]:
    """Draft every entry an order should have now, and set `counts` and `hold` on it.

    An order that misses an exchange rate has none and is held. Unpaid value is memo, test and withdrawn
    orders have no entries. Source: docs/metrics (order formulas, days, which orders count).
    """
    order.hold, order.hold_currency, order.counts = Hold.NONE, "", False
    if order.is_test or order.withdrawn is not None:
        return []
    sheet = _Sheet(order, terms, find_rate)
    try:
        for cost in order.costs:
            sheet.add(cost.account, -cost.part, cost.day, cost.amount)
        _draft_charges(sheet)
        if COUNTS_AS_REVENUE[order.status]:
            _draft_sales(sheet)
            _draft_shipping(sheet, terms.shipping)
            _draft_payments(sheet, terms.fees)
            _draft_count(sheet)
            sheet.entries.extend(order_cost_entries(order, _order_shares(sheet, terms), country=sheet.country))
        elif order.status in AWAITS_PAYMENT and order.cancelled is None:
            sheet.add(accounts.MEMO_UNPAID, 0, order.day, sum(sale.net + sale.tax for sale in order.sales))
    except RateMissing as missing:
        order.hold, order.hold_currency, order.counts = Hold.RATE_MISSING, missing.currency, False
        return []
    return sheet.entries


def _draft_charges(sheet: _Sheet) -> None:
    order = sheet.order
    for charge in order.charges:
        account = account_of(charge, order)
        if account is not None:
            sheet.add(account, part_of(charge), day_of(charge, order), -charge.amount, currency=charge.currency)


def _draft_sales(sheet: _Sheet) -> None:
    lines = {line.part: line for line in sheet.order.lines}
    booked: dict[int, _BookedCost] = {}
    for sale in _in_time_order(sheet.order.sales):
        account = ACCOUNT_OF_TYPE.get(sale.type)
        if account is not None:
            # a list value sold with its own discount (shipping) shows after discount: there is one line for it
            sheet.add(account, sale.part, sale.day, sale.net, estimated=sale.estimated)
        elif sale.type == SaleType.PRODUCT:
            _draft_product(sheet, sale, lines.get(sale.line_part) if sale.line_part is not None else None, booked)
        else:
            account = accounts.SALES_OTHER if sale.kind in SOLD else accounts.SALES_RETURNS
            sheet.add(account, sale.part, sale.day, sale.net, estimated=sale.estimated)
        if sale.tax:
            sheet.add(accounts.MEMO_TAX, sale.part, sale.day, sale.tax, estimated=sale.estimated)


def _in_time_order(sales: Sequence[SaleRow]) -> Sequence[SaleRow]:
    # only later events care for order, and most orders have none: then the order they came in will do
    if all(sale.kind == SaleKind.ORDER for sale in sales):
        return sales
    return sorted(sales, key=lambda sale: (sale.happened, sale.kind, sale.external_id))


def _draft_product(sheet: _Sheet, sale: SaleRow, line: LineRow | None, booked: dict[int, _BookedCost]) -> None:
    variant = line.variant if line is not None else None
    if sale.kind in SOLD:
        sheet.add(accounts.SALES_GROSS, sale.part, sale.day, sale.net + sale.discount, estimated=sale.estimated, variant=variant)
        sheet.add(accounts.SALES_DISCOUNTS, sale.part, sale.day, -sale.discount, estimated=sale.estimated, variant=variant)
        sheet.put(accounts.STAT_UNITS, sale.part, sale.day, sale.quantity * SCALE, estimated=sale.estimated, variant=variant)
    else:
        sheet.add(accounts.SALES_RETURNS, sale.part, sale.day, sale.net, estimated=sale.estimated, variant=variant)
        if sale.kind in GIVEN_BACK:
            sheet.put(accounts.STAT_RETURNED_UNITS, sale.part, sale.day, -sale.quantity * SCALE, estimated=sale.estimated, variant=variant)
    if line is None or not sale.quantity:
        return
    if sale.kind in SOLD or (sale.kind in GIVEN_BACK and sale.restocked):
        if line.unit_cost is not None:
            _draft_cogs(sheet, sale, line, booked.setdefault(line.part, _BookedCost()))
        elif line.cost_currency:
            raise RateMissing(line.cost_currency, sheet.order.day)


def _draft_cogs(sheet: _Sheet, sale: SaleRow, line: LineRow, booked: _BookedCost) -> None:
    """Draft what the units of a sale cost, or give back what units that come back were booked at."""
    unit_cost, currency = line.unit_cost or 0, line.cost_currency or sheet.order.currency
    guessed = line.cost_source in ESTIMATED_SOURCES
    if sale.quantity > 0:
        amount, fx, stand_in = sheet.own(-unit_cost * sale.quantity, currency, sale.day)
        booked.sell(sale.quantity, amount, fx, estimated=guessed or stand_in)
        sheet.put(accounts.COGS_PRODUCT, sale.part, sale.day, amount, estimated=guessed or stand_in or sale.estimated, variant=line.variant, fx=fx)
        return
    back = -sale.quantity
    amount, covered = booked.take_back(back, sheet.step)
    guessed = guessed or booked.estimated
    fx = booked.fx._replace(original_amount=unit_cost * covered) if booked.fx is not None else None
    if covered < back:
        # more comes back than this order sold (a return without its sale): at today's unit cost
        extra, fx, stand_in = sheet.own(unit_cost * (back - covered), currency, sale.day)
        amount, guessed = amount + extra, guessed or stand_in
    sheet.put(accounts.COGS_PRODUCT, sale.part, sale.day, amount, estimated=guessed or sale.estimated, variant=line.variant, fx=fx)


def _draft_shipping(sheet: _Sheet, rules: tuple[ShippingTerms, ...]) -> None:
    cost = _shipping(sheet, rules)
    sheet.add(accounts.FULFILMENT_SHIPPING, 0, sheet.order.day, -cost.amount, estimated=cost.estimated, currency=cost.currency)


def _shipping(sheet: _Sheet, rules: tuple[ShippingTerms, ...]) -> ShippingCost:
    order = sheet.order
    return shipping_cost(order, rules=rules, currency=sheet.currency, value=lambda amount: sheet.own(amount, order.currency, order.day)[0])


def shipping_reason(order: OrderRow, *, terms: BookTerms, find_rate: RateFinder) -> str:
    """Say why shipping the order costs what it costs."""
    try:
        return _shipping(_Sheet(order, terms, find_rate), terms.shipping).reason
    except RateMissing as missing:
        return f"unknown until there is an exchange rate from {missing.currency}"


def _order_shares(sheet: _Sheet, terms: BookTerms) -> list[Share]:
    return order_shares(sheet.order, terms.order_costs, sold=sheet.entries, currency=sheet.currency, own=sheet.own) if terms.order_costs else []


def order_cost_reasons(order: OrderRow, *, terms: BookTerms, find_rate: RateFinder) -> list[Share]:
    """Say which rules about orders cost the order how much on which days; none while it is held or does not count as revenue."""
    if order.is_test or order.withdrawn is not None or not COUNTS_AS_REVENUE[order.status]:
        return []
    sheet = _Sheet(order, terms, find_rate)
    try:
        _draft_sales(sheet)
        return _order_shares(sheet, terms)
    except RateMissing:
        return []


def _draft_payments(sheet: _Sheet, rules: FeeRules) -> None:
    currency, covered = sheet.order.currency, match_fees(sheet.order).covered
    for payment in sheet.order.payments:
        if payment.status != PaymentStatus.SUCCESS:
            continue
        told = covered.get(payment.part, 0)
        charged, fx, stand_in = sheet.own(payment.amount - told, currency, payment.day)
        stated = None
        if payment.fee is not None:
            stated, fx, stand_in = sheet.own(payment.fee, payment.fee_currency or currency, payment.day)
        terms = rules.on(payment.gateway, currency, payment.day)
        if terms.currency not in ("", sheet.currency):
            terms = structs.replace(terms, fixed=sheet.own(terms.fixed, terms.currency, payment.day)[0])
        fee = payment_fee(payment, charged=charged, stated=stated, terms=terms, step=sheet.step, told=told)
        if fx is not None:
            fx = fx._replace(original_amount=None if payment.fee is None else -payment.fee)
        sheet.put(accounts.FEES_PAYMENT, payment.part, payment.day, -fee.amount, estimated=fee.estimated or stand_in, fx=fx)
        if payment.gateway == "gift_card":
            redeemed = -payment.amount if is_charge(payment) else payment.amount if payment.kind == PaymentKind.REFUND else 0
            sheet.add(accounts.MEMO_GIFT_CARD_REDEEMED, payment.part, payment.day, redeemed)


def _draft_count(sheet: _Sheet) -> None:
    order = sheet.order
    order.counts = sum(sale.net + sale.tax for sale in order.sales if sale.kind == SaleKind.ORDER) > 0
    if order.counts:
        sheet.put(accounts.STAT_ORDERS, 0, order.day, SCALE)
