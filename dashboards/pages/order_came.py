"""Say how an order's customer came: the visits its platform told and the codes it used, or why nothing is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.kinds import Evidence, Journey, TouchKind
from ledger.orders.orders_view import OrderView
from ledger.orders.touches import TouchView

NAMES = {
    "gclid": "Google ad click", "gbraid": "Google ad click", "wbraid": "Google ad click", "dclid": "Google ad click",
    "fbclid": "Facebook or Instagram click", "msclkid": "Microsoft ad click", "ttclid": "TikTok click", "twclid": "X click",
    "epik": "Pinterest click", "sccid": "Snapchat click",
    "li_fat_id": "LinkedIn click", "_kx": "Klaviyo link",
}  # fmt: skip
"""What the parameters behind links say of a visit."""
KNOWN_BY = {
    Evidence.NONE: "Nothing tells where from", Evidence.UTM: "Known by the link's own words (UTM)", Evidence.CLICK_ID: "Known by the link's click id",
    Evidence.REFERRER: "Known by the page with the link", Evidence.PLATFORM: "As the shop platform says",
    Evidence.DISCOUNT_CODE: "Known by the discount code",
}  # fmt: skip
MOST_VISITS = 22
"""So many visits are asked for: the first twenty, the first of all, and the last."""

HOME, HOME_PAGE = "/", "the home page"
ERASED = "The buyer was erased by request, and how they came with them."


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact before the order, in words."""

    touch: TouchView
    what: str
    source: str
    words: str
    """Medium and campaign."""
    known_by: str
    """What tells of it, what the link said besides, and to which page it led."""


@dataclass(frozen=True, slots=True)
class Coming:
    """How the customer came, as far as it is told."""

    contacts: list[Contact]
    why_not: str
    """Why no visit is told; empty where one is."""
    note: str
    """What is not told of the visits."""


def coming(order: OrderView, touches: Sequence[TouchView], *, erased: bool) -> Coming:
    """Lay out how an order's customer came; of one who was erased by request, that is not known any more."""
    contacts = [_contact(touch) for touch in touches]
    visits = sum(touch.kind != TouchKind.CODE for touch in touches)
    return Coming(contacts, "" if visits else ERASED if erased else _why_not(order), _note(order, visits) if visits else "")


def _contact(touch: TouchView) -> Contact:
    what = "Used a discount code" if touch.kind == TouchKind.CODE else touch.kind.label.capitalize()
    clicks = dict.fromkeys(NAMES.get(each.partition("=")[0], each.partition("=")[0]) for each in touch.click_ids)
    told = [f"term “{touch.term}”" if touch.term else "", f"content “{touch.content}”" if touch.content else "", *clicks]
    said = ": ".join(part for part in (KNOWN_BY[touch.evidence], ", ".join(part for part in told if part)) if part)
    places = [
        f"from {touch.referrer}" if touch.referrer not in ("", touch.source) else "",
        f"to {touch.landing if touch.landing != HOME else HOME_PAGE}" if touch.landing else "",
    ]
    source = touch.code or ("Came directly" if touch.evidence == Evidence.NONE else touch.source)
    known_by = "; ".join(part for part in (said, " ".join(part for part in places if part)) if part)
    return Contact(touch, what, source, " · ".join(word for word in (touch.medium, touch.campaign) if word), known_by)


def _why_not(order: OrderView) -> str:
    platform = order.platform.replace("_", " ").capitalize()
    if order.journey >= Journey.ENDS:
        return f"{platform} knows of no visit before this order."
    if order.journey == Journey.NOT_READY:
        return (
            f"Not ready yet: {platform} takes minutes to a day to put together how a customer came. "
            "It is asked again every hour, for two days after the order."
        )
    if not order.told_by_platform:
        return "Not told: this order is known from a file, and files do not say how customers came. Connect the shop to read it."
    return (
        f"Not told by {platform}. It tells of no visits for orders at a till, drafts and orders that other apps made, "
        "and of an order just placed only after some minutes."
    )


def _note(order: OrderView, visits: int) -> str:
    if order.journey == Journey.ENDS and visits > 1:
        return "The first visit and the last are known; whether there were others between them was not asked."
    return "There may have been more visits between these." if visits >= MOST_VISITS else ""
