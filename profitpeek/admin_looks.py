"""Say how the admin looks in unfold; read by the settings, so what needs the database is only named here."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

# The site's tokens (static/css/tokens.css): 600 and darker on light, 500 and lighter on dark.
PRIMARY = {
    "50": "#eef6fb", "100": "#e6f1f8", "200": "#b7e0f8", "300": "#a0d6f5", "400": "#8accf1", "500": "#7cc4ee",
    "600": "#0b5c8a", "700": "#084a70", "800": "#073e5e", "900": "#122a38", "950": "#05202f",
}  # fmt: skip

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "ProfitPeek",
    "SITE_HEADER": "ProfitPeek",
    "SITE_SUBHEADER": "Costs and settings",
    "SITE_URL": reverse_lazy("home"),
    "SITE_ICON": lambda request: static("img/mark.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/mark.svg")}],
    "COLORS": {"primary": PRIMARY},
    "THEME": "profitpeek.admin_menu.theme",
    "ENVIRONMENT": "profitpeek.admin_menu.environment",
    "STYLES": [lambda request: static("css/admin.css")],
    "SCRIPTS": [lambda request: static("js/admin-theme.js")],
    "SIDEBAR": {"navigation": "profitpeek.admin_menu.menu"},
    "ACCOUNT": {
        "navigation": [
            {"title": "Password", "link": reverse_lazy("account_change_password")},
            {"title": "Second factor", "link": reverse_lazy("mfa_index")},
        ]
    },
}
