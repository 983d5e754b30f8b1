"""Fill the admin's frame in unfold: the menu, the theme of the site, and a label on demo data."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from dashboards.theme import SYSTEM, theme_of
from ledger.people import EDITORS, stores_of

ICONS = {
    "VariantCost": "sell", "CogsRule": "percent", "FeeRule": "credit_card", "ShippingRule": "local_shipping", "CostChange": "history",
    "ProposedChange": "rate_review", "BundlePart": "package_2", "CostOverride": "edit_note", "OrderCharge": "receipt_long",
    "Partner": "handshake", "PartnerCode": "loyalty", "ProfitGoal": "target",
    "Variant": "category", "ManualCost": "payments", "Product": "inventory_2", "CostDefaults": "tune", "Store": "storefront", "Membership": "group",
    "Book": "menu_book", "Finding": "flag", "FileImport": "upload_file", "Job": "schedule", "Pause": "pause_circle", "Erasure": "delete_forever",
    "BalanceTransaction": "account_balance_wallet", "Payout": "account_balance",
    "User": "person", "Authenticator": "key", "UserSession": "devices",
}  # fmt: skip
OTHER_ICON = "table_rows"


def menu(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the way back to the pages, then the subjects of the index page, which knows what the person may open."""
    back = {"title": "Back to the pages", "icon": "arrow_back", "link": reverse("home"), "active": False}
    subjects = [{"title": group["name"], "items": [_item(page) for page in group["models"]]} for group in admin.site.get_app_list(request)]
    return [{"items": [back]}, *subjects]


def _item(page: dict[str, Any]) -> dict[str, Any]:
    return {"title": page["name"], "icon": ICONS.get(page["object_name"], OTHER_ICON), "link": page["admin_url"]}


def theme(request: HttpRequest) -> str | None:
    """Return light or dark as chosen on the site; None follows the system."""
    chosen = theme_of(request)
    return None if chosen == SYSTEM else chosen


def environment(request: HttpRequest) -> list[str] | None:
    """Return a label where all the person sees is made up."""
    kinds = set(stores_of(request.user, EDITORS).values_list("is_demo", flat=True))
    return ["Demo data", "warning"] if kinds == {True} else None
