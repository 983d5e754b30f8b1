"""Make a seeded business as facts, and the same business as plain ledger rows for the peers.

The shape follows common direct-to-consumer figures: one to four lines an order, a discount on about a fifth,
refunds on six per cent, shipping on small baskets, four tax rates; two years in time order.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ledger.facts import LineFact, OrderFact, PaymentFact, SaleFact
from ledger.kinds import FinancialStatus, PaymentKind, PaymentStatus, SaleKind, SaleType

START = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 730
CENT = 100
PRODUCTS = 400


def catalogue(seed: int) -> list[tuple[str, int]]:
    """Return (sku, price in cents) of every variant."""
    random_of = random.Random(f"{seed}:catalogue")
    variants = []
    for product in range(PRODUCTS):
        price = random_of.randrange(900, 15_000, 50)
        variants += [(f"SKU-{product:04d}-{size}", price + size * 100) for size in range(random_of.randint(1, 4))]
    return variants


def orders(count: int, *, seed: int = 1, first: int = 0, revision: int = 0) -> Iterator[OrderFact]:
    """Yield `count` orders of a business that spreads over two years; `revision` changes each order's shipping by a cent."""
    variants = catalogue(seed)
    for number in range(first, count):
        yield order(number, count, random.Random(f"{seed}:{number}"), variants, revision)


def order(number: int, count: int, r: random.Random, variants: list[tuple[str, int]], revision: int) -> OrderFact:
    """Make one order."""
    placed = START + timedelta(seconds=int((number + r.random()) * DAYS * 86_400 / count))
    share = (5, 10, 15, 20)[r.randrange(4)] if r.random() < 0.22 else 0
    rate = (0, 7, 8, 20)[r.randrange(4)]
    lines, sales, charged = [], [], 0
    for position in range(1, (1, 1, 1, 2, 2, 3, 3, 4)[r.randrange(8)] + 1):
        sku, price = variants[r.randrange(len(variants))]
        quantity = 1 if r.random() < 0.8 else 2 + r.randrange(2)
        discount = price * quantity * share // 100
        net = price * quantity - discount
        tax = net * rate // 100
        charged += net + tax
        lines.append(LineFact(str(position), quantity, price * CENT, sku, sku, "Product"))
        sales.append(
            SaleFact(f"s{position}", placed, SaleKind.ORDER, SaleType.PRODUCT, net * CENT, str(position), quantity, discount * CENT, tax * CENT)
        )
    if charged < 7_500:
        shipping = (499, 799, 999)[r.randrange(3)] + revision
        charged += shipping
        sales.append(SaleFact("ship", placed, SaleKind.ORDER, SaleType.SHIPPING, shipping * CENT))
    refunded = 0
    if r.random() < 0.06:
        back = sales[0]
        day = placed + timedelta(days=2 + r.randrange(25))
        sales.append(
            SaleFact("r1", day, SaleKind.RETURN, SaleType.PRODUCT, -back.net, back.line, -back.quantity, -back.discount, -back.tax, r.random() < 0.7)
        )
        refunded = back.net + back.tax
    payment = PaymentFact(
        "p1", placed, PaymentKind.SALE, PaymentStatus.SUCCESS, charged * CENT, "shopify_payments", (charged * 29 // 1000 + 30) * CENT
    )
    buyer = r.randrange(max(count // 2, 1)).to_bytes(16, "big")
    return OrderFact(
        "bench",
        str(number),
        f"#{number}",
        placed,
        "USD",
        FinancialStatus.PAID,
        "online",
        tuple(lines),
        tuple(sales),
        (payment,),
        customer=buyer,
        country=("US", "CA", "GB")[number % 3],
        updated_at=placed + timedelta(hours=revision),
        stated_total=charged * CENT,
        stated_refunded=refunded,
    )
