"""Look through what payment processors' balances tell."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from ledger.admin.base import StoreFilter, StoreModelAdmin
from ledger.admin.typed import shown
from ledger.models import BalanceTransaction, Payout


class ToldAdmin(StoreModelAdmin):
    """Lists what a processor tells; it alone changes it."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no: the processor tells what moved."""
        return False


@admin.register(BalanceTransaction)
class BalanceTransactionAdmin(ToldAdmin):
    """Lists the rows of balances, so that a person can look at those that are in no figure."""

    note = (
        "Every row by which a payment processor's balance moved. Fees, chargebacks and labels of an order are charges of it; advertising is ad "
        "spend. Other costs, corrections, what is not known and what names no order are in no figure: enter what is a cost under Costs."
    )
    empty = "No payment processor's balance has been read yet. Connect Shopify with access to Shopify Payments."
    list_display = ["at", "type", "meaning", "money", "kept", "order_ref", "payout_ref", "store"]
    list_filter = [StoreFilter, "meaning", "type"]
    list_select_related = ["store"]
    search_fields = ["external_id", "order_ref", "payout_ref"]
    fields = [
        "store", "platform", "external_id", "at", "day", "type", "meaning", "money", "kept", "order_ref", "payment_ref", "payout_ref", "reason"
    ]  # fmt: skip
    ordering = ["-at", "-pk"]

    @admin.display(description="amount", ordering="amount")
    def money(self, row: BalanceTransaction) -> str:
        """Return the amount with its currency."""
        return f"{shown(row.amount)} {row.currency}"

    @admin.display(description="fee", ordering="fee")
    def kept(self, row: BalanceTransaction) -> str:
        """Return the fee with its currency."""
        return f"{shown(row.fee)} {row.currency}"


@admin.register(Payout)
class PayoutAdmin(ToldAdmin):
    """Lists payouts."""

    note = "Money that a payment processor sent to the store's bank. Each is held against the rows of the balance that are in it."
    empty = "No payout has been read yet. Connect Shopify with access to Shopify Payments."
    list_display = ["issued_at", "money", "status", "external_id", "platform", "store"]
    list_filter = [StoreFilter, "status"]
    list_select_related = ["store"]
    search_fields = ["external_id"]
    fields = ["store", "platform", "external_id", "issued_at", "money", "status"]
    ordering = ["-issued_at", "-pk"]

    @admin.display(description="amount", ordering="amount")
    def money(self, row: Payout) -> str:
        """Return the amount with its currency."""
        return f"{shown(row.amount)} {row.currency}"
