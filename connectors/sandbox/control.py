"""Let tests and developers steer the sandbox over HTTP: its clock, and each shop's troubles."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.sandbox.answers import Answer, as_json
from connectors.sandbox.shopify_shop import Shop
from connectors.sandbox.shopify_topics import COMPLIANCE
from connectors.sandbox.troubles import KINDS

if TYPE_CHECKING:
    from connectors.sandbox.server import Sandbox


def answer(sandbox: "Sandbox", method: str, steps: list[str], body: bytes) -> Answer:
    """Answer a request to /sandbox/…; what cannot be done is said with status 400."""
    try:
        asked = msgspec.json.decode(body) if body else {}
        return _answered(sandbox, method, steps, asked)
    except (msgspec.DecodeError, ValueError, TypeError, KeyError) as error:
        return as_json({"error": str(error)}, 400)


def _answered(sandbox: "Sandbox", method: str, steps: list[str], asked: dict[str, Any]) -> Answer:
    match method, steps:
        case "GET", [] | [""]:
            return as_json(_state(sandbox))
        case "POST", ["clock"]:
            _turn(sandbox, asked)
            return as_json(_state(sandbox)["clock"])
        case _, ["shops", domain, *rest] if domain in sandbox.shops:
            return _of_shop(sandbox.shops[domain], method, rest, asked)
    return as_json({"error": "There is nothing here. GET /sandbox/ tells what there is."}, 404)


def _of_shop(shop: Shop, method: str, steps: list[str], asked: dict[str, Any]) -> Answer:
    match method, steps:
        case "GET", ["troubles"]:
            return as_json({"troubles": shop.troubles.said(), "kinds": {kind: what for kind, (_, what) in KINDS.items()}})
        case "POST", ["troubles"]:
            return as_json(shop.troubles.add(asked.pop("kind"), **asked).said(), 201)
        case "DELETE", ["troubles"]:
            shop.troubles.clear(asked.get("kind"))
            return as_json({"troubles": shop.troubles.said()})
        case "GET", ["requests"]:
            return as_json({"requests": list(shop.requests)})
        case "POST", ["uninstall"]:
            shop.uninstall()
            return as_json({"installed": None})
        case "GET", ["deliveries"]:
            return as_json({"waiting": shop.bell.outbox.waiting, "lost": shop.bell.overflowed, **shop.courier.counts, "last": list(shop.courier.log)})
        case "POST", ["compliance"] if "uri" in asked:
            shop.bell.set_compliance(asked["uri"])
            return as_json({"uri": shop.bell.compliance})
        case "POST", ["compliance"]:
            return _comply(shop, asked)
        case "POST", ["secret"]:
            shop.rotate(str(asked["secret"]), former_signs=int(asked.get("former_signs", 3600)))
            return as_json({"client_secret": shop.tokens.app.client_secret})
        case "POST", ["scopes"]:
            shop.tokens.narrow(frozenset(asked["scopes"]))
            return as_json({"installed": sorted(shop.tokens.installed or ())})
    return as_json({"error": "A shop has troubles, requests, deliveries, compliance, secret, uninstall and scopes."}, 404)


def _comply(shop: Shop, asked: dict[str, Any]) -> Answer:
    """Pass a person's request on, or the one to forget the shop."""
    topic = str(asked["topic"])
    if topic not in COMPLIANCE:
        raise ValueError(f"No such topic: {topic}. There are: {', '.join(COMPLIANCE)}.")
    if topic == "shop/redact":
        return as_json({"told": shop.bell.tell(topic, shop.bell.payloads.redact_shop())})
    return as_json({"told": shop.bell.about_customer(topic, int(asked["customer"]))})


def _turn(sandbox: "Sandbox", asked: dict[str, Any]) -> None:
    """Set the clock, let it jump, or let it run."""
    if "set" in asked:
        moment = datetime.fromisoformat(asked["set"])
        sandbox.clock.set(moment.astimezone(UTC))
    if "advance" in asked:
        sandbox.clock.advance(int(asked["advance"]))
    if "speed" in asked:
        sandbox.clock.run(int(asked["speed"]))


def _state(sandbox: "Sandbox") -> dict[str, Any]:
    clock = sandbox.clock
    return {
        "clock": {"now": clock.now().isoformat(), "wall": clock.wall().isoformat(), "speed": clock.speed, "still": clock.still},
        "shops": {
            domain: {
                "address": shop.base_url,
                "installed": sorted(shop.tokens.installed) if shop.tokens.installed is not None else None,
                "troubles": shop.troubles.said(),
                "bulk_operations": {str(operation.number): operation.status for operation in shop.bulk.all()},
                "requests": len(shop.requests),
                "subscriptions": sorted(row["topic"] for row in shop.subscriptions.values()),
            }
            for domain, shop in sandbox.shops.items()
        },
    }
