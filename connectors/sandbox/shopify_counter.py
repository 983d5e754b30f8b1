"""Show the shop's counter: a page on which a person places orders and watches what is told of them. It works by forms alone."""

import html
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from connectors.sandbox.answers import Answer
from connectors.sandbox.business import Variant
from connectors.sandbox.coming import CAMPAIGNS
from connectors.sandbox.money import amount
from connectors.sandbox.shopify_oauth import STYLE, dict_of
from connectors.sandbox.shopping import METHODS, Counter, NotPossible, Standing
from connectors.sandbox.story import Story
from connectors.sandbox.telling import order_at

if TYPE_CHECKING:
    from connectors.sandbox.shopify_shop import Shop

SHOWN, TOLD = 20, 12
"""How many orders and deliveries are shown, the newest first."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
}
PAYS = {"card": "By card", "paypal": "By PayPal", "deposit": "By bank deposit, later"}
SHIPS = {"standard": "Standard, 4.99", "express": "Express, 12.99", "none": "Not at all"}
DONE = {
    "place": "The order is placed.", "pay": "The deposit came in.", "refund": "It is given back.", "cancel": "The order is cancelled.",
    "dispute": "The bank took the money back.", "won": "The dispute is won.", "lost": "The dispute is lost.",
}  # fmt: skip
LOOK = """
main{width:min(60rem,100vw - 2rem)}h2{font-size:1.1rem;margin:2rem 0 .5rem}label{display:grid;gap:.25rem;font-size:.9rem;flex:1 1 9rem}
input,select{font:inherit;box-sizing:border-box;width:100%;padding:.5rem;border:1px solid #888;border-radius:.4rem;background:#fff;color:#1a1c1d}
form.order{align-items:end}label.goods{flex:1 1 100%}.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;color:#5c6166;padding-bottom:.25rem}
th,td{text-align:left;padding:.5rem .75rem .5rem 0;border-bottom:1px solid #8884;vertical-align:top}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.acts{display:flex;flex-wrap:wrap;gap:.4rem}.acts form{gap:.3rem;flex-wrap:nowrap}
.acts button{background:none;color:inherit;border:1px solid #888;padding:.25rem .6rem;font-weight:500;white-space:nowrap}
.order input,.order select{height:2.5rem}.note{font-weight:400}.acts input{width:3.6rem;padding:.2rem .3rem}
p.done{padding:.6rem .8rem;border-radius:.4rem;background:#dff3ea;color:#0b3d2c}
p.problem{padding:.6rem .8rem;border-radius:.4rem;background:#fbe3e1;color:#5d1410}
@media (prefers-color-scheme:dark){input,select{background:#111315;color:#e9eaeb;border-color:#777}caption{color:#a3a9ae}
p.done{background:#12382b;color:#c9f0e0}p.problem{background:#43201d;color:#f6d5d2}}
@media (max-width:40rem){.placed thead{position:absolute;clip-path:inset(50%)}.placed tr{display:block;padding:.6rem 0;border-bottom:1px solid #8884}
.placed td,.placed th{display:block;border:0;padding:.1rem 0;text-align:left}}
"""


def answer(shop: "Shop", method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Answer:
    """Show the counter (GET), or do what one of its forms asks for and show it again (POST)."""
    if method == "GET":
        done = DONE.get(query.get("done", ""), "")
        return _page(shop, f'<p class="done" role="status">{done}</p>' if done else "")
    if not comes_from_here(headers):
        return _page(shop, '<p class="problem" role="alert">Nothing was done: the form came from another site.</p>', 403)
    asked = dict_of(body.decode("utf-8", "replace"))
    try:
        did = _do(shop, asked)
    except (NotPossible, ValueError) as problem:
        said = str(problem) if isinstance(problem, NotPossible) else "Nothing was done: give whole numbers."
        return _page(shop, f'<p class="problem" role="alert">{html.escape(said)}</p>', 400)
    return Answer(303, b"", {"Location": f"{_path(shop)}?done={did}"})


def comes_from_here(headers: Mapping[str, str]) -> bool:
    """Tell whether a form was sent by a page of this address, or by no page at all, as programs do."""
    known = {name.lower(): value for name, value in headers.items()}
    host, origin = known.get("host", ""), known.get("origin")
    if (urlsplit(f"//{host}").hostname or "") not in ("127.0.0.1", "localhost", "::1"):
        return False  # a name that somebody else let lead here
    if origin is None:
        return known.get("sec-fetch-site", "same-origin") == "same-origin"
    return origin in (f"http://{host}", f"https://{host}")


def _do(shop: "Shop", asked: Mapping[str, str]) -> str:
    """Do what a form asks for and return what was done."""
    counter, bell, what = Counter(shop.rows.world), shop.bell, asked.get("what", "")
    with bell.lock:
        now = shop.now()
        if what == "place":
            bell.place(
                counter.place(
                    now, int(asked.get("variant", "0")), units=int(asked.get("units") or 1), percent=int(asked.get("percent") or 0),
                    carriage=asked.get("carriage", "standard"), pays=asked.get("pays", "card"), came_by=asked.get("came_by", ""),
                )
            )  # fmt: skip
            return what
        story = next((each for each in shop.rows.world.placed() if str(each.id) == asked.get("order")), None)
        if story is None:
            raise NotPossible("There is no such order.")
        match what:
            case "pay":
                bell.place(counter.pay(story, now))
            case "refund":
                bell.place(counter.refund(story, now, units=int(asked["units"]) if asked.get("units") else None))
            case "cancel":
                bell.place(counter.cancel(story, now))
            case "dispute":
                bell.place(counter.dispute(story, now))
            case "won" | "lost":
                bell.place(counter.settle(story, now, won=what == "won"))
            case _:
                raise NotPossible("Nobody can do that here.")
    return what


# The page


def _page(shop: "Shop", said: str, status: int = 200) -> Answer:
    now, name = shop.now(), html.escape(shop.rows.world.shop.name)
    zone = ZoneInfo(shop.rows.world.shop.at(now).zone)
    inside = (
        f'<p class="note">{html.escape(shop.domain)} · a simulated shop · {now.astimezone(zone):%d %B %Y, %H:%M:%S} by its clock</p>'
        f"<h1>The counter of {name}</h1>{said}{_form(shop, now)}{_orders(shop, now, zone)}{_told(shop)}"
    )
    page = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>The counter of {name}</title><style>{STYLE}{LOOK}</style></head><body><main>{inside}</main></body></html>"
    )
    return Answer(status, page.encode(), dict(HEADERS))


def _path(shop: "Shop") -> str:
    return f"/shops/{shop.domain}/counter"


def _form(shop: "Shop", now: datetime) -> str:
    goods = sorted(Counter(shop.rows.world).goods(now), key=lambda each: (_named(shop, each), each.id))
    currency = shop.rows.world.shop.at(now).currency
    variants = "".join(
        f'<option value="{each.id}">{html.escape(_named(shop, each))} · {amount(each.price_at(now).minor, currency)} {currency}</option>'
        for each in goods
    )  # fmt: skip
    came = {"": "No visit is known", "direct": "By itself"} | {name: f"{source}: {name}" for source, _, name in CAMPAIGNS}
    return (
        f'<h2 id="buy">Place an order</h2><form class="order" method="post" action="{_path(shop)}" aria-labelledby="buy">'
        f'<input type="hidden" name="what" value="place"><label class="goods">Goods <select name="variant" required>{variants}</select></label>'
        '<label>Units <input name="units" type="number" value="1" min="1" max="100" required></label>'
        '<label>Discount in % <input name="percent" type="number" value="0" min="0" max="100" required></label>'
        f"{_choice('Shipped', 'carriage', {key: SHIPS[key] for key in SHIPS if key in METHODS})}{_choice('Paid', 'pays', PAYS)}"
        f'{_choice("Came by", "came_by", came)}<button type="submit">Place the order</button></form>'
    )


def _choice(label: str, name: str, options: Mapping[str, str]) -> str:
    rows = "".join(f'<option value="{html.escape(value)}">{html.escape(text)}</option>' for value, text in options.items())
    return f'<label>{label} <select name="{name}">{rows}</select></label>'


def _named(shop: "Shop", variant: Variant) -> str:
    product = shop.rows.world.catalogue.products[variant.product]
    return f"{product.title}, {variant.title}" if variant.title else product.title


def _orders(shop: "Shop", now: datetime, zone: ZoneInfo) -> str:
    placed = sorted(shop.rows.world.placed(), key=lambda each: (each.created_at, each.id), reverse=True)
    if not placed:
        return "<h2>Orders placed here</h2><p>None yet. What the business sells by itself is not listed here.</p>"
    rows = "".join(_order(shop, story, now, zone) for story in placed[:SHOWN])
    caption = f"The newest {SHOWN} of {len(placed)}" if len(placed) > SHOWN else "The newest first"
    return (
        f'<h2 id="orders">Orders placed here</h2><div class="scroll" role="region" aria-labelledby="orders" tabindex="0">'
        f'<table class="placed"><caption>{caption}</caption>'
        '<thead><tr><th scope="col">Order</th><th scope="col">Goods</th><th scope="col" class="n">Comes to</th><th scope="col">State</th>'
        f'<th scope="col">What happens next</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _order(shop: "Shop", story: Story, now: datetime, zone: ZoneInfo) -> str:
    order, standing = order_at(story, max(now, story.happenings[-1].at if story.happenings else story.created_at)), Standing(story)
    if order is None:  # no order that was placed here is ever deleted
        return ""
    goods = "<br>".join(html.escape(f"{line.quantity} × {line.name}") for line in order.lines)
    state = order.financial_status.replace("_", " ").capitalize()
    state += ", cancelled" if standing.cancelled else ""
    state += ", disputed" if standing.dispute else ", dispute lost" if standing.lost else ""
    return (
        f'<tr><th scope="row">{html.escape(story.name)}<br><span class="note">{story.created_at.astimezone(zone):%d %b, %H:%M:%S}</span></th>'
        f'<td>{goods}</td><td class="n">{amount(order.totals.current_total, order.currency)} {order.currency}</td><td>{state}</td>'
        f'<td><div class="acts">{_acts(shop, story, standing)}</div></td></tr>'
    )


def _acts(shop: "Shop", story: Story, standing: Standing) -> str:
    """Return a form for each thing that may happen to an order now."""
    found = []

    def act(what: str, label: str, field: str = "") -> None:
        found.append(
            f'<form method="post" action="{_path(shop)}"><input type="hidden" name="what" value="{what}">'
            f'<input type="hidden" name="order" value="{story.id}">{field}'
            f'<button type="submit" aria-label="{label} {html.escape(story.name)}">{label}</button></form>'
        )

    if standing.waits is not None:
        act("pay", "Pay")
    if standing.may_refund:
        number = f'<input name="units" type="number" min="1" max="{standing.units}" value="1" aria-label="Units of {html.escape(story.name)}">'
        act("refund", "Give back", number if standing.units > 1 else "")
        if standing.units > 1:
            act("refund", "Give all back")
    if standing.may_cancel:
        act("cancel", "Cancel")
    if standing.disputable is not None:
        act("dispute", "Dispute")
    if standing.dispute is not None:
        act("won", "Win the dispute")
        act("lost", "Lose the dispute")
    return "".join(found) or "Nothing more"


def _told(shop: "Shop") -> str:
    """Show whom is told, and what was told last."""
    addresses = sorted({row["uri"] for row in list(shop.subscriptions.values())})
    if not addresses:
        return "<h2>What was told</h2><p>Nobody has subscribed to this shop: what happens is found when somebody asks for it.</p>"
    log = list(shop.courier.log)[-TOLD:][::-1]
    rows = "".join(
        f'<tr><th scope="row">{html.escape(each["topic"])}</th><td class="n">{each["try"]}</td><td>{_answered(each["status"])}</td></tr>'
        for each in log
    )  # fmt: skip
    waiting = shop.bell.outbox.waiting if shop.bell.has_something else 0
    where = ", ".join(html.escape(urlsplit(uri).netloc) for uri in addresses)
    table = (
        '<div class="scroll" role="region" aria-labelledby="told" tabindex="0">'
        "<table><caption>The last first; reload to see more</caption><thead><tr>"
        f'<th scope="col">Topic</th><th scope="col" class="n">Try</th><th scope="col">Answer</th></tr></thead><tbody>{rows}</tbody></table></div>'
        if rows else ""
    )  # fmt: skip
    return f'<h2 id="told">What was told</h2><p>{len(shop.subscriptions)} subscriptions of {where}; {waiting} deliveries wait.</p>{table}'


def _answered(status: int | None) -> str:
    return "none in time" if status is None else str(status)
