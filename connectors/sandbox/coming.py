"""Make up how customers come to the online shop before they buy, and say it as the truth that a reader is held to."""

import random
from datetime import datetime, timedelta

from msgspec import Struct

from connectors.sandbox.business import Visit
from connectors.sandbox.people import mix
from connectors.sandbox.story import Story
from connectors.sandbox.totals import JOURNEY_TAKES

SHOP = "https://shop.example.com"
CAMPAIGNS = (
    ("google", "cpc", "brand-search"),
    ("facebook", "paid_social", "spring-collection"),
    ("klaviyo", "email", "newsletter-week"),
    ("instagram", "paid_social", "retargeting"),
    ("google", "cpc", "shopping-all"),
)
CLICKS = {"google": "gclid", "facebook": "fbclid", "klaviyo": "_kx"}
"""What advertisers and mailers put behind links that are clicked; a mailer's names the person."""
PATHS = ("/products/linen-shirt", "/collections/spring", "/", "/pages/about-us", "/products/wool-socks")
SEARCHES = (("Google", "www.google.com"), ("Bing", "www.bing.com"), ("an unknown source", "blog.example.org"))
PERSONAL = "&email=somebody%40example.com&customer=jo%40example.com"
"""What careless tools put into links."""


class Came(Struct, frozen=True):
    """One contact before an order, as it really was."""

    at: datetime
    kind: str
    """first, between, last, only."""
    evidence: str
    """utm, click, referrer, none."""
    source: str
    medium: str
    campaign: str
    click: str
    """The click id's name and value; without the value where that names a person."""
    path: str
    host: str


def visits_before(order: int, at: datetime, r: random.Random) -> tuple[Visit, ...]:
    """Make up the visits before an order that was placed at a moment, in the order of time: the first, some between, the last."""
    ends: list[Visit] = []
    for back in sorted((r.randrange(3600, 25 * 86_400), r.randrange(60, 3600)), reverse=True):
        moment = at - timedelta(seconds=back)
        if r.random() < 0.4:
            ends.append(_without_words(moment, mix(order, len(ends), 31)))
            continue
        ends.append(_by_campaign(moment, CAMPAIGNS[int(r.random() * len(CAMPAIGNS))], mix(order, len(ends), 31)))
    first, last = ends
    count = mix(order, 32) % 4
    step = (last.occurred_at - first.occurred_at) // (count + 1)
    moments = [(first.occurred_at + step * place).replace(microsecond=0) for place in range(1, count + 1)]
    between = [_between(moment, mix(order, place, 33)) for place, moment in enumerate(moments)]
    return (first, *between, last)


def _between(at: datetime, drawn: int) -> Visit:
    return _without_words(at, drawn >> 4) if drawn % 2 else _by_campaign(at, CAMPAIGNS[(drawn >> 4) % len(CAMPAIGNS)], drawn >> 8)


def _by_campaign(at: datetime, campaign: tuple[str, str, str], drawn: int) -> Visit:
    source, medium, name = campaign
    path, click = PATHS[drawn % len(PATHS)], None
    query = f"?utm_source={source}&utm_medium={medium}&utm_campaign={name}"
    if source in CLICKS and (drawn >> 8) % 2:
        click = (CLICKS[source], f"c{drawn % 10**12}")
        query += f"&{click[0]}={click[1]}"
    query += PERSONAL if (drawn >> 12) % 4 == 0 else ""
    host = f"{source}.example.com"
    return Visit(at, f"{SHOP}{path}{query}", f"https://{host}/", source, None, (source, medium, name, None, None), path, click, host)


def _without_words(at: datetime, drawn: int) -> Visit:
    """Make up a visit by a link that says nothing of itself: by an ad all the same, from a search or another's page, or directly."""
    path, way = PATHS[drawn % len(PATHS)], (drawn >> 8) % 4
    if way == 0:
        click = ("gclid", f"c{drawn % 10**12}")
        address = f"{SHOP}{path}?variant=1&gclid={click[1]}"
        return Visit(at, address, "https://www.google.com/search?q=jo%40example.com", "Google", "AD", None, path, click, "google.com")
    if way == 1:
        source, host = SEARCHES[(drawn >> 10) % len(SEARCHES)]
        return Visit(at, f"{SHOP}{path}", f"https://{host}/search?q=jo+smith", source, "SEO", None, path, None, host.removeprefix("www."))
    return Visit(at, f"{SHOP}{path}", path=path) if way == 2 else Visit(at, f"{SHOP}{path}#jo@example.com", f"{SHOP}/account/login", path=path)


def came(story: Story, at: datetime) -> tuple[Came, ...] | None:
    """State how an order's customer came, as far as the shop's platform can know by a moment; None while or where it tells nothing."""
    if story.first_visit is None or story.last_visit is None or at < story.created_at + JOURNEY_TAKES:
        return None
    if story.first_visit == story.last_visit:
        return (_came(story.first_visit, "only"),)
    visits = (story.first_visit, *story.other_visits, story.last_visit)
    kinds = ("first", *["between"] * len(story.other_visits), "last")
    return tuple(_came(visit, kind) for visit, kind in zip(visits, kinds, strict=True))


def _came(visit: Visit, kind: str) -> Came:
    click = "" if visit.click is None else f"{visit.click[0]}={'' if visit.click[0] == '_kx' else visit.click[1]}"
    if visit.utm is not None:
        source, medium, campaign = visit.utm[:3]
        return Came(visit.occurred_at, kind, "utm", source or "", medium or "", campaign or "", click, visit.path, visit.came_from)
    if click:
        return Came(visit.occurred_at, kind, "click", "google", "", "", click, visit.path, visit.came_from)
    if visit.came_from:
        source = visit.came_from if visit.source == "an unknown source" else visit.source
        return Came(visit.occurred_at, kind, "referrer", source, "", "", "", visit.path, visit.came_from)
    return Came(visit.occurred_at, kind, "none", "direct", "", "", "", visit.path, "")
