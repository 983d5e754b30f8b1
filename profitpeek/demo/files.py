"""Write the demo's business into files such as a person would drop: orders, product costs, parcels, commissions."""

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from profitpeek.demo.ads import write_ads
from profitpeek.demo.business import NEWSLETTER, Calendar, Line, Sold
from profitpeek.demo.catalogue import ITEMS, LOSER, Item

INVOICED_AFTER = timedelta(days=9)
"""How long the carriers take to bill a parcel: what was sent later has only the shop's rule."""
NEWSLETTER_NAME, COMMISSION = "The Kiln Letter", 8
"""The partner who is paid by commission, and how many per cent of what was paid for the goods."""


def write_orders(path: Path, sold: Iterable[Sold], days: Calendar) -> None:
    """Write one row per order line, postage, refund and gift card."""
    header = (
        "order", "date", "sku", "title", "quantity", "unit_price", "discount", "vat", "customer", "country", "channel", "grams", "codes", "paid_by",
        "restocked",
    )  # fmt: skip
    _write(path, header, (row for order in sold for row in _order_rows(order)))


def _order_rows(order: Sold) -> Iterable[tuple[Any, ...]]:
    about = (order.customer, order.place.country, order.channel, order.grams or "", " ".join(order.codes), order.gateway)
    for line in order.lines:
        yield order.number, order.at, line.sku, line.title, line.quantity, *_money(line), *about, ""
    if order.postage:
        yield order.number, order.at, "postage", "Postage", 1, *_money(Line("", "", 1, order.postage, 0, order.postage_vat)), *about, ""
    for refund in order.refunds:
        back = refund.line
        yield order.number, refund.at, back.sku, back.title, -back.quantity, *_money(back), *about, "yes" if refund.restocked else "no"


def _money(line: Line) -> tuple[str, str, str]:
    return amount(line.price), amount(line.discount), amount(line.vat)


def write_product_costs(path: Path, sold: Iterable[Sold], days: Calendar) -> None:
    """Write what products cost landed: at first, since freight got dearer, and since clay did."""
    header = ("sku", "effective from", "goods", "freight", "packaging", "currency")
    _write(path, header, (row for item in ITEMS if item.goods and item.costs_known for row in _cost_rows(item, days)))


def _cost_rows(item: Item, days: Calendar) -> Iterable[tuple[str, ...]]:
    freight = item.freight * 140 // 100
    is_clay = item.line in ("Mugs", "Bowls", "Plates", "Table", "Vases", "Planters")
    goods = item.goods * (245 if item.sku == LOSER else 108) // 100 if is_clay else item.goods
    yield item.sku, f"{days.first}", amount(item.goods), amount(item.freight), amount(item.packaging), "EUR"
    yield item.sku, f"{days.dearer_freight}", amount(item.goods), amount(freight), amount(item.packaging), "EUR"
    if is_clay:
        yield item.sku, f"{days.dearer_clay}", amount(goods), amount(freight), amount(item.packaging), "EUR"


def write_parcels(path: Path, sold: Sequence[Sold], days: Calendar) -> None:
    """Write what the carriers billed, and three parcels of orders that nobody knows: samples sent by hand."""
    known = [order for order in sold if order.parcel is not None and order.at.date() <= days.last - INVOICED_AFTER]
    rows = [(order.number, f"CP{order.number[1:]}", order.place.carrier, amount(order.parcel or 0), "EUR", order.at.date()) for order in known]
    rows += [
        (f"SAMPLE-{number}", f"CPX{number}", "Coastline Parcels", "7.40", "EUR", days.first + timedelta(days=90 * number)) for number in (1, 2, 3)
    ]
    _write(path, ("order", "tracking number", "carrier", "label cost", "currency", "date"), rows)


def write_commissions(path: Path, sold: Iterable[Sold], days: Calendar) -> None:
    """Write what the newsletter's network reports: a commission on every order with its code, denied where all of it came back."""
    rows = [_commission(order, days.last) for order in sold if NEWSLETTER in order.codes and not order.lines[0].sku.startswith("GIFT")]
    _write(path, ("commission id", "order", "partner", "commission", "currency", "status", "date"), rows)


def _commission(order: Sold, last: date) -> tuple[Any, ...]:
    goods = sum(line.paid - line.vat for line in order.lines)
    returned = sum(refund.line.quantity for refund in order.refunds) >= sum(line.quantity for line in order.lines)
    age = (last - order.at.date()).days
    status = "denied" if returned else "paid" if age > 60 else "approved" if age > 30 else "pending"
    return f"KL{order.number[1:]}", order.number, NEWSLETTER_NAME, amount(goods * COMMISSION // 100), "EUR", status, order.at.date()


def amount(cents: int) -> str:
    """Return cents as an amount with two decimals."""
    return f"{cents // 100}.{cents % 100:02}"


class Drop(NamedTuple):
    """One file that is given to the store: its name, its kind, and what writes it."""

    filename: str
    kind: str
    write: Callable[[Path, Sequence[Sold], Calendar], None]


ORDERS = Drop("orders.csv", "order-lines", write_orders)
PRODUCT_COSTS = Drop("product-costs.csv", "product-costs", write_product_costs)
PARCELS = Drop("parcels.csv", "shipping-costs", write_parcels)
COMMISSIONS = Drop("commissions.csv", "commissions", write_commissions)
ADS = Drop("ads.csv", "ad-spend", write_ads)
DROPS = (ORDERS, PRODUCT_COSTS, PARCELS, COMMISSIONS, ADS)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
