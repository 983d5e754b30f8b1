"""Tell an order as Shopify tells it at a moment: fold what had happened to it until then."""

from datetime import datetime
from functools import singledispatchmethod
from typing import Any

from msgspec import structs

from connectors.sandbox import told
from connectors.sandbox.money import tax
from connectors.sandbox.remains import Portion, Remains, tax_lines
from connectors.sandbox.story import (
    GIFT_CARD,
    TIP,
    Banked,
    Cancelled,
    Closed,
    Deleted,
    Disputed,
    Edited,
    Expired,
    ExtraFee,
    FeeTold,
    GoodsBack,
    Happening,
    Item,
    Merged,
    Paid,
    Payment,
    ProcessorFee,
    Refunded,
    Returned,
    Settled,
    Shipped,
    Story,
    Touched,
)
from connectors.sandbox.totals import journey_of, line_items, order_taxes, shipping_lines, states, totals_of

LINE_TYPE = {GIFT_CARD: "GIFT_CARD", TIP: "TIP"}
AGREEMENTS_EACH, SALES_EACH = 100, 1000
"""Room for ids: an order has fewer agreements than this, an agreement fewer sales."""
SILENT = (Disputed, Settled, FeeTold, Banked)
"""What happens at the bank leaves an order's updated_at as it is."""


def order_at(story: Story, moment: datetime) -> told.Order | None:
    """Tell an order as of a moment; None before the platform knew of it and after it was deleted."""
    if story.created_at > moment:
        return None
    telling = Telling(story)
    for happening in story.happenings:
        if happening.at > moment:
            break
        if isinstance(happening, Deleted):
            return None
        telling.hear(happening)
    return telling.order(moment)


def updated_at(story: Story, moment: datetime) -> datetime:
    """Return when an order last changed by a moment, as the platform says it."""
    return max([each.at for each in story.happenings if each.at <= moment and not isinstance(each, SILENT)] + [story.created_at])


class Telling:
    """One order while its happenings are heard."""

    def __init__(self, story: Story) -> None:
        self.story, self.included = story, story.taxes_included
        self.lines = {item.id: self._remains(item) for item in story.items}
        self.carriages = {each.id: Remains(each, included=self.included) for each in story.carriages}
        self.duties = {duty.id: duty.amount for duty in story.duties}
        self.agreements: list[told.Agreement] = []
        self.payments: list[Payment] = []
        self.refunds: list[told.Refund] = []
        self.returns: list[told.Return] = []
        self.disputes: dict[int, told.DisputeSummary] = {}
        self.shipped: dict[int, int] = {}
        self.removed_by_edit: dict[int, int] = {}
        self.cancelled: Cancelled | None = None
        self.closed_at: datetime | None = None
        self.tags = list(story.tags)
        self.edited = self.expired = False
        self._untold = {each.payment for each in story.happenings if isinstance(each, FeeTold)}
        self._fees: dict[int, ProcessorFee | None] = {}
        self.updated, self.customer = story.created_at, story.customer
        self._sales: list[told.Sale] = []
        self._placed()

    def _remains(self, item: Item) -> Remains[Item]:
        return Remains(item, included=self.included)

    def _placed(self) -> None:
        for remains in self.lines.values():
            self._sell(remains.source, remains)
        for carriage in self.carriages.values():
            self._sale("ORDER", "SHIPPING", carriage, carriage.source.id, carriage)
        for duty in self.story.duties:
            self._plain("ORDER", "DUTY", duty.amount, duty.id)
        for fee in self.story.fees:
            self._charge_fee("ADDITIONAL_FEE", fee)
        self._agree("OrderAgreement", "ORDER", self.story.created_at)

    # Sales and agreements

    def _agree(self, kind: str, reason: str, at: datetime, subject: int | None = None) -> None:
        number = self.story.id * AGREEMENTS_EACH + len(self.agreements)
        self.agreements.append(told.Agreement(number, kind, at, reason, tuple(self._sales), subject))
        self._sales = []

    def _sale_id(self) -> int:
        return (self.story.id * AGREEMENTS_EACH + len(self.agreements)) * SALES_EACH + len(self._sales)

    def _sale(self, action: str, line_type: str, part: Portion, subject: int, line: Remains[Any], sign: int = 1) -> None:
        quantity = sign * part.units if line_type != "SHIPPING" else sign
        if action == "UPDATE":
            quantity = 0
        self._sales.append(
            told.Sale(
                self._sale_id(), action, line_type, quantity, sign * part.total, sign * part.tax, sign * part.discount_before,
                sign * part.discount, subject, tax_lines(line.levies, part.taxes, sign),
            )
        )  # fmt: skip

    def _sell(self, item: Item, remains: Remains[Item]) -> None:
        self._sale("ORDER", LINE_TYPE.get(item.kind, "PRODUCT"), remains, item.id, remains)

    def _plain(self, action: str, line_type: str, total: int, subject: int | None = None) -> None:
        quantity = None if line_type == "ADJUSTMENT" else 1 if total > 0 else -1
        self._sales.append(told.Sale(self._sale_id(), action, line_type, quantity, total, 0, 0, 0, subject))

    def _charge_fee(self, line_type: str, fee: ExtraFee) -> None:
        taxes = tax(fee.amount, [levy.rate for levy in fee.levies], included=False)
        lines = tax_lines(fee.levies, taxes)
        self._sales.append(told.Sale(self._sale_id(), "ORDER", line_type, 1, fee.amount + sum(taxes), sum(taxes), 0, 0, fee.id, lines))

    # Happenings

    def hear(self, happening: Happening) -> None:
        """Take in what happened."""
        if not isinstance(happening, SILENT):
            self.updated = max(self.updated, happening.at)
        self._hear(happening)

    @singledispatchmethod
    def _hear(self, happening: Happening) -> None:
        raise TypeError(happening)

    @_hear.register
    def _(self, happening: Paid) -> None:
        payment = happening.payment
        self.payments.append(structs.replace(payment, fee=None) if payment.id in self._untold else payment)
        self._fees[payment.id] = payment.fee

    @_hear.register
    def _(self, happening: FeeTold) -> None:
        fee = self._fees.get(happening.payment)
        self.payments = [structs.replace(each, fee=fee) if each.id == happening.payment else each for each in self.payments]

    @_hear.register
    def _(self, happening: Banked) -> None:
        """Leave what an order does not tell."""

    @_hear.register
    def _(self, happening: Expired) -> None:
        self.expired = True

    @_hear.register
    def _(self, happening: Shipped) -> None:
        for item, units in happening.items or tuple((key, line.units) for key, line in self.lines.items()):
            self.shipped[item] = min(self.shipped.get(item, 0) + units, self.lines[item].first.units)

    @_hear.register
    def _(self, happening: Edited) -> None:
        self.edited = True
        for item in happening.added:
            self.lines[item.id] = remains = self._remains(item)
            self._sell(item, remains)
        for item_id, units in happening.removed:
            line = self.lines[item_id]
            part = line.take(units)
            self.removed_by_edit[item_id] = self.removed_by_edit.get(item_id, 0) + part.units
            self._sale("RETURN", LINE_TYPE.get(line.source.kind, "PRODUCT"), part, item_id, line, -1)
        for item_id, discount in happening.discounts:
            line = self.lines[item_id]
            self._sale("UPDATE", "PRODUCT", line.cut(discount), item_id, line, -1)
        if happening.carriage is not None:
            self.carriages[happening.carriage.id] = added = Remains(happening.carriage, included=self.included)
            self._sale("ORDER", "SHIPPING", added, happening.carriage.id, added)
        self._agree("OrderEditAgreement", "ORDER_EDIT", happening.at)

    @_hear.register
    def _(self, happening: Refunded) -> None:
        lines = tuple(self._give_back(goods) for goods in happening.goods)
        carried = tuple(self._give_back_shipping(happening.id + place, *each) for place, each in enumerate(happening.shipping, 1))
        duties = tuple(self._give_back_duty(each) for each in happening.duties)
        adjustment = happening.withheld - happening.goodwill
        if adjustment:
            self._plain("RETURN", "ADJUSTMENT", adjustment)
        self._agree("RefundAgreement", "REFUND", happening.at, happening.id)
        adjusted = (told.Adjustment(happening.id, "REFUND_DISCREPANCY", adjustment, 0),) if adjustment else ()
        self._refund(
            happening.id, happening.at, happening.processed_at, happening.note, None, lines, carried, adjusted, duties, happening.payments
        )  # fmt: skip

    @_hear.register
    def _(self, happening: Returned) -> None:
        lines = tuple(self._give_back(goods) for goods in happening.goods)
        for item in happening.exchanged:
            self.lines[item.id] = remains = self._remains(item)
            self._sell(item, remains)
        for fee in happening.fees:
            self._charge_fee("FEE", fee)
        self._agree("ReturnAgreement", "RETURN", happening.at, happening.id)
        self._agree("RefundAgreement", "REFUND", happening.at, happening.refund_id)
        self.returns.append(
            told.Return(
                happening.id, f"{self.story.name}-R{len(self.returns) + 1}", happening.at, "CLOSED",
                tuple((goods.item, goods.quantity) for goods in happening.goods), tuple(item.id for item in happening.exchanged),
                tuple((fee.id, fee.name, fee.amount) for fee in happening.fees),
            )
        )  # fmt: skip
        self._refund(happening.refund_id, happening.at, None, "", happening.id, lines, (), (), (), happening.payments)

    def _refund(
        self, refund: int, at: datetime, processed_at: datetime | None, note: str, return_id: int | None, lines: tuple[told.RefundLine, ...],
        carried: tuple[told.RefundShippingLine, ...], adjusted: tuple[told.Adjustment, ...], duties: tuple[int, ...], payments: tuple[Payment, ...],
    ) -> None:  # fmt: skip
        self.payments += payments
        money = sum(each.amount for each in payments if each.kind == "REFUND" and each.status == "SUCCESS")
        told_refund = told.Refund(refund, at, processed_at or at, at, note, return_id, money, lines, carried, adjusted, duties, payments)
        self.refunds.append(told_refund)

    def _give_back(self, goods: GoodsBack) -> told.RefundLine:
        line = self.lines[goods.item]
        part = line.take(goods.quantity)
        self._sale("RETURN", LINE_TYPE.get(line.source.kind, "PRODUCT"), part, goods.item, line, -1)
        return told.RefundLine(
            goods.id, goods.item, part.units, goods.restock, goods.restocked, goods.location, line.price, part.shown, part.tax
        )  # fmt: skip

    def _give_back_shipping(self, number: int, carriage: int, shown: int) -> told.RefundShippingLine:
        line = self.carriages[carriage]
        part = line.take_money(shown)
        self._sale("RETURN", "SHIPPING", part, carriage, line, -1)
        return told.RefundShippingLine(number, carriage, part.shown, part.tax)

    def _give_back_duty(self, duty: int) -> int:
        amount = self.duties[duty]
        self.duties[duty] = 0
        self._plain("RETURN", "DUTY", -amount, duty)
        return amount

    @_hear.register
    def _(self, happening: Cancelled) -> None:
        self.cancelled = happening

    @_hear.register
    def _(self, happening: Disputed) -> None:
        self.disputes[happening.id] = told.DisputeSummary(happening.id, happening.type, "NEEDS_RESPONSE")

    @_hear.register
    def _(self, happening: Settled) -> None:
        began = self.disputes[happening.dispute]
        self.disputes[happening.dispute] = told.DisputeSummary(began.id, began.initiated_as, happening.status)

    @_hear.register
    def _(self, happening: Touched) -> None:
        if happening.tag and happening.tag not in self.tags:
            self.tags.append(happening.tag)

    @_hear.register
    def _(self, happening: Merged) -> None:
        self.customer = happening.into

    @_hear.register
    def _(self, happening: Closed) -> None:
        self.closed_at = happening.at

    # The order

    def order(self, moment: datetime) -> told.Order:
        """Return the order as what was heard makes it."""
        story = self.story
        totals = totals_of(self)
        financial, fulfilment = states(self, totals)
        return told.Order(
            story.id, story.name, story.created_at, story.processed_at, self.updated, self.cancelled.at if self.cancelled else None,
            self.cancelled.reason if self.cancelled else None, self.closed_at, story.test, self.edited, story.source_name, story.app,
            story.location, story.currency, story.presentment_currency, story.presentment_rate, self.included, financial, fulfilment,
            "RETURNED" if self.returns else "NO_RETURN", tuple(dict.fromkeys(each.gateway for each in self.payments)), story.discounts,
            tuple(self.tags), totals, order_taxes(self), story.country, story.province, story.zip, self.customer,
            journey_of(story, moment), line_items(self), shipping_lines(self), tuple(self.payments), tuple(self.refunds), tuple(self.returns),
            tuple(self.agreements), tuple(self.disputes.values()), tuple((fee.id, fee.name, fee.amount) for fee in story.fees),
        )  # fmt: skip
