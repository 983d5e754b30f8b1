"""Say what rows can be searched by, and sorted."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from connectors.sandbox import bank
from connectors.sandbox.shopify_money import Row
from connectors.sandbox.shopify_search import Fact
from connectors.sandbox.told import BalanceTransaction, Dispute, Payout


def of_row(row: Row) -> Mapping[str, Fact]:
    """Return what a row of the catalogue can be searched by."""
    fields = {
        "updated_at": "updatedAt", "created_at": "createdAt", "sku": "sku", "title": "title", "vendor": "vendor", "product_type": "productType",
        "status": "status", "tag": "tags", "handle": "handle", "gift_card": "isGiftCard", "tracked": "tracked",
    }  # fmt: skip
    facts: dict[str, Fact] = {name: _fact(row, field) for name, field in fields.items() if field in row}
    if "product" in row:
        facts["product_id"] = lambda: int(row["product"]["legacyResourceId"])
    return facts


def _fact(row: Row, field: str) -> Fact:
    if field in ("updatedAt", "createdAt"):
        return lambda: datetime.fromisoformat(row[field])
    return lambda: row[field]


def of_event(row: Row) -> Mapping[str, Fact]:
    """Return what an event can be searched by."""
    return {
        "action": lambda: row["action"], "subject_type": lambda: row["subjectType"], "created_at": _fact(row, "createdAt"),
    }  # fmt: skip


def of_move(move: BalanceTransaction) -> Mapping[str, Fact]:
    """Return what a movement of the balance can be searched by."""
    return {
        "id": lambda: move.id, "processed_at": lambda: move.at, "transaction_type": lambda: move.type, "currency": lambda: move.currency,
        "payout_status": lambda: move.payout_status, "payments_transfer_id": lambda: move.payout,
        "payout_date": lambda: _day(bank.payout_day(move.at)), "available_on": lambda: _day(bank.payout_day(move.at)),
    }  # fmt: skip


def _day(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def of_payout(payout: Payout) -> Mapping[str, Fact]:
    """Return what a payout can be searched by."""
    return {
        "issued_at": lambda: payout.issued_at, "status": lambda: payout.status, "currency": lambda: payout.currency,
        "transaction_type": lambda: payout.type, "amount": lambda: payout.net,
    }  # fmt: skip


def of_dispute(dispute: Dispute) -> Mapping[str, Fact]:
    """Return what a dispute can be searched by."""
    return {"initiated_at": lambda: dispute.initiated_at, "status": lambda: dispute.status, "order_id": lambda: dispute.order}
