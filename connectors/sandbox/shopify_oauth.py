"""Show Shopify's consent page and answer its token address."""

import html
from collections.abc import Mapping
from urllib.parse import parse_qs

import msgspec

from connectors.sandbox.answers import Answer, as_json
from connectors.sandbox.shopify_access import KNOWN_SCOPES
from connectors.sandbox.shopify_shop import Shop
from connectors.sandbox.shopify_tokens import Refused
from connectors.sandbox.troubles import OAUTH

WHAT_SCOPES_MEAN = {
    "read_orders": "View orders, payments and refunds of the last 60 days",
    "read_all_orders": "View orders older than 60 days",
    "read_customers": "View customers",
    "read_products": "View products and their variants",
    "read_inventory": "View stock and unit costs",
    "read_locations": "View locations",
    "read_returns": "View returns and exchanges",
    "read_markets": "View markets",
    "read_shopify_payments": "View the Shopify Payments account",
    "read_shopify_payments_accounts": "View the Shopify Payments balance and payouts",
    "read_shopify_payments_disputes": "View disputes",
}
STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:#f1f2f3;color:#1a1c1d}
main{box-sizing:border-box;width:min(32rem,100vw - 2rem);margin:1rem;padding:2rem;border-radius:.75rem;background:#fff;box-shadow:0 1px 4px #0003}
h1{font-size:1.35rem;line-height:1.3;margin:.25rem 0 1rem}ul{margin:0 0 1.5rem;padding:0;list-style:none}
li{padding:.5rem 0;border-bottom:1px solid #8884}code{font-size:.8rem;color:#5c6166}li code{display:block}
form{display:flex;gap:1rem;align-items:center;flex-wrap:wrap}
button{font:inherit;font-weight:600;padding:.6rem 1.2rem;border:0;border-radius:.5rem;background:#0a6b4c;color:#fff;cursor:pointer}
a{color:#0a6b4c}.note{font-size:.9rem;color:#5c6166;margin:0}:focus-visible{outline:3px solid #1f6feb;outline-offset:2px}
@media (prefers-color-scheme:dark){body{background:#111315;color:#e9eaeb}main{background:#1d2023}code,.note{color:#a3a9ae}a{color:#63d2a8}}
"""


def authorize(shop: Shop, method: str, query: Mapping[str, str], form: Mapping[str, str]) -> Answer:
    """Ask the owner for consent (GET), or take it and send the owner back with a code (POST)."""
    if "oauth_error" in shop.troubles.strike(OAUTH):
        return _page("Something went wrong", "<h1>Something went wrong</h1><p>Try again in a moment.</p>", 503)
    asked = query if method == "GET" else form
    scopes = frozenset(scope for scope in asked.get("scope", "").replace(" ", ",").split(",") if scope)
    problem = _problem(shop, asked, scopes)
    if problem:
        return _page("Oauth error", f"<h1>Oauth error</h1><p>{html.escape(problem)}</p>", 400)
    redirect, state = asked["redirect_uri"], asked.get("state")
    granted = shop.tokens.installed
    if method == "POST" or (granted is not None and granted == scopes):
        # who has granted the very same before is not asked again
        return Answer(302, b"", {"Location": shop.tokens.callback(redirect, shop.tokens.code(scopes, redirect), state)})
    return _page(f"Install {shop.tokens.app.name}", _question(shop, asked, scopes))


def _problem(shop: Shop, asked: Mapping[str, str], scopes: frozenset[str]) -> str | None:
    if asked.get("client_id") != shop.tokens.app.client_id:
        return "invalid_request: Could not find Shopify API application with that api_key"
    if not shop.tokens.app.allows(asked.get("redirect_uri", "")):
        return "invalid_request: The redirect_uri is not whitelisted"
    strange = sorted(scope for scope in scopes if scope.replace("write_", "read_", 1) not in KNOWN_SCOPES)
    return f"invalid_scope: {', '.join(strange)}" if strange else None


def _question(shop: Shop, asked: Mapping[str, str], scopes: frozenset[str]) -> str:
    app = html.escape(shop.tokens.app.name)
    rows = "".join(f"<li>{html.escape(WHAT_SCOPES_MEAN.get(scope, scope))}<code>{html.escape(scope)}</code></li>" for scope in sorted(scopes))
    kept = ("client_id", "scope", "redirect_uri", "state")
    hidden = "".join(f'<input type="hidden" name="{key}" value="{html.escape(asked[key])}">' for key in kept if key in asked)
    return (
        f'<p class="note">{html.escape(shop.domain)} · a simulated shop</p><h1>Install {app}?</h1>'
        f"<p>{app} will be able to:</p><ul>{rows}</ul>"
        f'<form method="post" action="{html.escape(shop.base_url)}/admin/oauth/authorize">{hidden}'
        f'<button type="submit">Install app</button><a href="{html.escape(shop.base_url)}/admin">Cancel</a></form>'
    )


def _page(title: str, inside: str, status: int = 200) -> Answer:
    page = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body><main>{inside}</main></body></html>"
    )
    return Answer(status, page.encode(), {"Content-Type": "text/html; charset=utf-8"})


def admin(shop: Shop) -> Answer:
    """Show the shop's own first page, where cancelling leads."""
    installed = "is installed" if shop.tokens.installed is not None else "is not installed"
    return _page(shop.domain, f"<h1>{html.escape(shop.domain)}</h1><p>{html.escape(shop.tokens.app.name)} {installed}.</p>")


def access_token(shop: Shop, content_type: str, body: bytes) -> Answer:
    """Answer a request for a token, posted as JSON or as a form."""
    trouble = shop.troubles.strike(OAUTH).get("oauth_error")
    if trouble is not None:
        return as_json({"error": "server_error"}, trouble.settings.get("status", 503))
    try:
        asked = msgspec.json.decode(body) if "json" in content_type else dict_of(body.decode())
        token = shop.tokens.grant(asked)
    except (msgspec.DecodeError, UnicodeDecodeError, AttributeError):
        return as_json({"error": "invalid_request", "error_description": "The body cannot be read"}, 400)
    except Refused as refused:
        return as_json({"error": refused.error, "error_description": refused.description}, refused.status)
    return as_json(token.said(shop.wall()), 200, **{"Cache-Control": "no-store"})


def dict_of(query: str) -> dict[str, str]:
    """Return the first value of each parameter of a query or form."""
    return {key: values[0] for key, values in parse_qs(query, keep_blank_values=True).items()}
