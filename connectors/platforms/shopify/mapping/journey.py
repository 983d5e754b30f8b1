"""Map what Shopify tells of the visits before an order to touches, and cut from it what may name a person."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from connectors.platforms.shopify.addresses import CLICK_IDS, LONGEST, UTM, cut_address, cut_referrer, host_of, names_somebody, parameters, path_of
from connectors.platforms.shopify.shape import Summary, Utm, Visit, read, tail
from connectors.spec import Context, Json
from ledger.facts import JourneyFact, TouchFact
from ledger.kinds import Evidence, Journey, TouchKind

PLATFORM = "shopify"
SUMMARY = "customerJourneySummary"
DIRECT = "direct"
KNOWS_NOTHING = frozenset({"", DIRECT, "unknown", "an unknown source"})
"""What Shopify calls a source that it does not know."""


class Came(Struct, rename="camel"):
    """An order, asked for nothing but how its customer came."""

    id: str
    customer_journey_summary: Summary | None = None


def journey_facts(record: Json, context: Context) -> Iterator[JourneyFact]:
    """Map how one order's customer came; raise BadPayload when it is not what Shopify documents."""
    came = read(record, Came)
    journey, touches = journey_of(came.customer_journey_summary)
    if journey >= Journey.ENDS:
        yield JourneyFact(PLATFORM, tail(came.id), journey, touches)


def journey_of(summary: Summary | None) -> tuple[Journey, tuple[TouchFact, ...]]:
    """Return how much is told, and the touches in the order of time."""
    if summary is None:
        return Journey.NOT_TOLD, ()
    if not summary.ready:
        return Journey.NOT_READY, ()
    first, last = summary.first_visit, summary.last_visit
    between = summary.moments.nodes if summary.moments is not None else []
    visits = {visit.id: (visit.occurred_at, visit) for visit in (first, *between, last) if visit is not None and visit.occurred_at is not None}
    ends = {TouchKind.FIRST_VISIT: first.id if first is not None else None, TouchKind.LAST_VISIT: last.id if last is not None else None}
    in_order = sorted(visits.values(), key=lambda each: (each[0], each[1].id == ends[TouchKind.LAST_VISIT], each[1].id))
    touches = tuple(_touch(visit, at, _kind(visit, ends, only=len(visits) == 1)) for at, visit in in_order)
    return Journey.ENDS if summary.moments is None else Journey.WHOLE, touches


def _kind(visit: Visit, ends: Mapping[TouchKind, str | None], *, only: bool) -> TouchKind:
    return TouchKind.ONLY_VISIT if only else next((kind for kind, named in ends.items() if named == visit.id), TouchKind.MOMENT)


def _touch(visit: Visit, at: datetime, kind: TouchKind) -> TouchFact:
    """Make a touch; what the link says of itself weighs more than a click id, that more than the page with the link."""
    landing, referrer, said = visit.landing_page or "", _host(visit), _plain(visit.source)
    known = dict(parameters(landing)) if "?" in landing else {}
    told = visit.utm_parameters or Utm()
    words = [_plain(word) or known.get(name, "") for word, name in zip(_words(told), UTM, strict=True)]
    clicks = tuple(f"{name}={value}" for name, value in sorted(known.items()) if name in CLICK_IDS)
    source, evidence = words[0] or said, Evidence.NONE
    if any(words):
        evidence = Evidence.UTM
    elif clicks:
        evidence, source = Evidence.CLICK_ID, CLICK_IDS[clicks[0].partition("=")[0]]
    elif referrer:
        evidence, source = Evidence.REFERRER, referrer if said.lower() in KNOWS_NOTHING else said
    elif said.lower() not in KNOWS_NOTHING:
        evidence = Evidence.PLATFORM
    _, medium, campaign, term, content = words
    path = path_of(landing) if landing else ""
    return TouchFact(at, kind, evidence, source or DIRECT, medium, campaign, term, content, clicks, path, referrer)


def _host(visit: Visit) -> str:
    """Return the host that a visit came from; none where that is the shop itself."""
    host = host_of(visit.referrer_url or "")
    return "" if host and host == host_of(visit.landing_page or "") else host


def _words(told: Utm) -> tuple[str | None, ...]:
    return told.source, told.medium, told.campaign, told.term, told.content


def _plain(text: str | None) -> str:
    return "" if text is None or names_somebody(text) else text.strip()[:LONGEST]


def tidy(record: Json) -> Json:
    """Return an order's record with no more of its visits than may be kept; whatever shape they have."""
    summary = record.get(SUMMARY)
    return record if summary is None else {**record, SUMMARY: _tidied(summary)}


def _tidied(value: Any, name: str = "") -> Any:
    if isinstance(value, str):
        if name == "landingPage":
            return cut_address(value)
        if name == "referrerUrl":
            return cut_referrer(value)
        return "" if names_somebody(value) else value
    if isinstance(value, dict):
        return {key: _tidied(inner, key) for key, inner in value.items()}
    return [_tidied(inner, name) for inner in value] if isinstance(value, list) else value
