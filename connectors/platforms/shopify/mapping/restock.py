"""Find what of a return went back to the shelf: agreements do not tell, the lines of refunds do."""

from datetime import timedelta

from connectors.platforms.shopify.shape import Agreement, Order, Refund, Sold


class Restocked:
    """Hands out the units of an order's refunds that were restocked, each once."""

    def __init__(self, order: Order) -> None:
        self._refunds = order.refunds
        self.is_told = all(refund.refund_line_items is not None for refund in order.refunds)
        self._shelved: dict[tuple[str, str], int] = {}
        self._kept: dict[tuple[str, str], int] = {}
        for refund in order.refunds:
            for line in refund.refund_line_items.nodes if refund.refund_line_items is not None else ():
                book = self._shelved if line.restocked else self._kept
                key = (refund.id, line.line_item.id)
                book[key] = book.get(key, 0) + line.quantity

    def take(self, agreement: Agreement, sold: Sold) -> int:
        """Return how many units of a return were restocked: by its own refund, else by the nearest in time."""
        if sold.line_item is None or not self._refunds:
            return 0
        wanted, shelved = -(sold.quantity or 0), 0
        for refund in sorted(self._refunds, key=lambda refund: self._distance(refund, agreement)):
            key = (refund.id, sold.line_item.id)
            for book, counts in ((self._shelved, True), (self._kept, False)):
                taken = min(wanted, book.get(key, 0))
                if taken:
                    book[key] -= taken
                    wanted -= taken
                    shelved += taken if counts else 0
            if not wanted:
                break
        return shelved

    def _distance(self, refund: Refund, agreement: Agreement) -> tuple[bool, timedelta]:
        own = agreement.refund is not None and agreement.refund.id == refund.id
        return not own, abs(refund.at - agreement.happened_at)
