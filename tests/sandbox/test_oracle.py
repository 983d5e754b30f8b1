"""Hold the oracle to days that were computed by hand, and to a second sum of what Shopify would tell."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors.sandbox import told
from connectors.sandbox.oracle import ORDER, Oracle, Statement
from connectors.sandbox.scenarios import SCENARIOS
from connectors.sandbox.world import World
from tests.sandbox.small_worlds import WORLDS

DAYS = Path(__file__).parent / "days"
TEXTS = sorted(DAYS.glob("*.txt"))
YEARS_LATER = datetime(2027, 6, 1, tzinfo=UTC)
ROW = re.compile(r"^([\w-]+): (.+)$")


def test_ten_days_and_more_were_computed_by_hand() -> None:
    assert [path.stem[3:] for path in TEXTS] == list(WORLDS)


def tables(text: str) -> list[tuple[str, str, dict[str, str]]]:
    """Find the tables of a text: how it was asked, of what, and the rows by name."""
    found: list[tuple[str, str, dict[str, str]]] = []
    for line in text.splitlines():
        if " come to" in line and not ROW.match(line) and not line.startswith(" "):
            heading = line.split(" come to")[0]
            found.append((heading, heading.split()[-1], {}))
        elif found and (row := ROW.match(line)):
            found[-1][2][row[1]] = row[2]
    return found


def printed(statement: Statement, *, profit: bool = True) -> str:
    """Print a statement as the texts do."""
    lines = ", ".join(f"{line} {amount}" for line, amount in statement.moved.items())
    return f"{lines}; net_profit {statement.net_profit}" if profit else lines


def answers(world: World, heading: str, subject: str) -> Mapping[str, str]:
    """Ask the oracle as a heading says."""
    zone = ZoneInfo(world.shop.settings[0].zone)
    days = [date.fromisoformat(day) for day in re.findall(r"\d{4}-\d\d-\d\d", heading)]
    asked = datetime.combine(days[0], time(23, 59, 59), zone) if heading.startswith("Asked on") else YEARS_LATER
    noons = [datetime.combine(day, time(12), zone) for day in days]
    since = noons[0] if "watches since" in heading else None
    oracle = Oracle(world, at=asked, watched_since=since, looks=noons if "looks on" in heading else ())
    if subject == "orders":
        return {str(order): printed(statement) for order, statement in oracle.by_order().items()}
    if subject == "products":
        titles = {product.id: product.title for product in world.catalogue.products.values()}
        return {titles[product]: printed(statement, profit=False) for product, statement in oracle.by_product().items()}
    basis = ORDER if heading.startswith("By the day of the order") else "event"
    return {day.isoformat(): printed(statement) for day, statement in oracle.by_day(basis=basis).items()}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_oracle_equals_what_was_computed_by_hand(path: Path) -> None:
    world = WORLDS[path.stem[3:]]()
    found = tables(path.read_text())
    assert found
    for heading, subject, rows in found:
        assert answers(world, heading, subject) == rows, heading


def as_told(order: told.Order) -> dict[str, int]:
    """Add an order's lines of the statement up from what Shopify tells: the sum that a reader of its agreements makes."""
    found = dict.fromkeys(("gross_sales", "discounts", "returns", "shipping_charged", "other_income", "tax", "gift_cards"), 0)
    for agreement in order.agreements:
        for sale in agreement.sales:
            net = sale.total - sale.tax
            found["tax"] += sum(line.amount for line in sale.taxes if not line.channel_liable)
            if sale.line_type == "PRODUCT" and sale.action == "RETURN" and agreement.kind != "OrderEditAgreement":
                found["returns"] += net
            elif sale.line_type == "PRODUCT":
                found["gross_sales"] += net + sale.discount_before_taxes
                found["discounts"] -= sale.discount_before_taxes
            else:
                found[LINE_OF_TYPE[sale.line_type]] += net
    for payment in order.transactions:
        if payment.status == "SUCCESS" and payment.gateway == "gift_card":
            found["gift_cards"] += payment.amount if payment.kind == "REFUND" else -payment.amount
    found["other_income"] += order.totals.rounding_paid - order.totals.rounding_refunded
    return found


LINE_OF_TYPE = {
    "SHIPPING": "shipping_charged",
    "TIP": "other_income",
    "FEE": "other_income",
    "ADDITIONAL_FEE": "other_income",
    "DUTY": "tax",
    "GIFT_CARD": "gift_cards",
    "ADJUSTMENT": "returns",
}
PAID = ("PAID", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "REFUNDED")
WAITING = ("PENDING", "AUTHORIZED")
SOON = datetime(2026, 1, 20, tzinfo=UTC)
"""In the middle of what happens in the worlds below."""


@pytest.mark.parametrize("asked", [SOON, YEARS_LATER], ids=["soon", "later"])
@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_what_shopify_tells_adds_up_to_what_is_true(scenario: str, asked: datetime) -> None:
    world = World.live(seed=6, start=date(2026, 1, 1), days=30, orders_per_day=6, scenario=scenario)
    true = Oracle(world, at=asked).by_order()
    for order in world.orders(asked):
        statement = true.get(order.id, Statement({}))
        if order.test:
            assert statement.moved == {}
        elif order.financial_status in PAID:
            expected = as_told(order)
            stated = {line: int(statement[line] * 100) for line in expected}
            stated["returns"] -= int(statement.chargebacks * 100)
            assert stated == expected, order.name
        else:
            waits = order.financial_status in WAITING and order.cancelled_at is None
            by_others = sum(line.amount for line in order.taxes if line.channel_liable)
            assert statement["unpaid"] * 100 == (order.totals.current_total - by_others if waits else 0), order.name
            assert statement.net_profit == 0


@pytest.mark.parametrize("scenario", sorted(set(SCENARIOS) - {"foreign_payouts", "currency_change", "deleted_orders"}))
def test_what_the_bank_keeps_is_what_fees_and_disputes_cost(scenario: str) -> None:
    world = World.live(seed=7, start=date(2026, 1, 1), days=30, orders_per_day=6, scenario=scenario)
    statement = Oracle(world, at=YEARS_LATER).statement()
    moves = world.balance(YEARS_LATER, transfers=False)
    stated_fees = statement["fees"] - statement.estimated.get("fees", Decimal(0))
    assert stated_fees * 100 == -sum(move.fee for move in moves)
    assert statement.chargebacks * 100 == sum(move.amount for move in moves if move.type.startswith("DISPUTE"))


@pytest.mark.parametrize("basis", ["event", "order"])
def test_days_orders_and_products_are_parts_of_one_whole(basis: str) -> None:
    oracle = Oracle(World.live(seed=8, start=date(2026, 1, 1), days=30, orders_per_day=6, scenario="refund_storm"), at=YEARS_LATER)
    whole = oracle.statement()
    assert sum(statement.net_profit for statement in oracle.by_day(basis=basis).values()) == whole.net_profit
    assert sum(statement.net_profit for statement in oracle.by_order().values()) == whole.net_profit
    of_products = sum(statement["cogs"] for statement in oracle.by_product(basis=basis).values())
    assert of_products == sum(row.amount for row in oracle.rows() if row.line == "cogs" and row.variant is not None)


def test_a_statement_knows_no_line_of_another_name() -> None:
    with pytest.raises(KeyError):
        Statement({})["profit"]
