"""What holds for every order of a Shopify export: its parts are its Total, and what is given back is what was given back, to the cent."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.files.spool import Order as OrderRows
from connectors.platforms.files.shopify.columns import Readers, Row
from connectors.platforms.files.shopify.facts import fact_of
from connectors.platforms.files.shopify.orders import INCLUDED, judge
from connectors.platforms.files.shopify.transactions import Told
from ledger.facts import OrderFact
from ledger.kinds import SaleKind

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PLACED = datetime(2026, 3, 3, 12, tzinfo=UTC)
READERS = Readers(lambda day: ZoneInfo("UTC"), NOW, lambda identity: b"x" * 16)
EMPTY = Row(*[""] * len(Row._fields))

cents = st.integers(0, 9_999)


def written(amount: int) -> str:
    """Write cents as Shopify writes an amount."""
    return f"{amount // 100}.{amount % 100:02}"


@st.composite
def orders(draw: st.DrawFn) -> tuple[OrderRows, int, int]:
    """Make the rows of an order whose figures hold together; return them with its Total and what was given back, in cents."""
    lines = draw(st.lists(st.tuples(cents, st.integers(1, 5), cents, st.booleans()), min_size=1, max_size=4))
    goods = sum(price * units for price, units, _, _ in lines)
    discount, shipping, duties = draw(st.integers(0, goods)), draw(cents), draw(st.sampled_from([0, 0, 250]))
    included = draw(st.booleans())
    taxes = draw(st.integers(0, goods - discount + shipping))
    total = goods - discount + shipping + duties + (0 if included else taxes)
    back = draw(st.integers(0, total))
    head = EMPTY._replace(
        name="#1", line_number="2", id="1", status="refunded" if back == total else "partially_refunded" if back else "paid",
        created="2026-03-03 12:00:00 +0000", currency="EUR", subtotal=written(goods - discount), shipping=written(shipping), taxes=written(taxes),
        total=written(total), discount=written(discount), duties=written(duties), refunded=written(back), payment="Shopify Payments",
        tax_names=draw(st.sampled_from(["", "VAT 19%", "NY State Tax 4%\nCity Tax 4.5%"])), fulfillment=draw(st.sampled_from(["", "fulfilled"])),
    )  # fmt: skip
    rows: list[tuple[str, ...]] = []
    for number, (price, units, off, taxable) in enumerate(lines):
        own = min(off, price * units, discount) if number == 0 else 0
        rows.append(
            (head if number == 0 else EMPTY._replace(name="#1", line_number=str(2 + number)))._replace(
                quantity=str(units), item=f"Thing {number}", price=written(price), sku=f"SKU-{number}", item_discount=written(own),
                taxable="true" if taxable else "false", ships="true",
            )
        )  # fmt: skip
    return ("#1", rows), total, back


@st.composite
def tellings(draw: st.DrawFn, back: int) -> list[Told]:
    """Make the refunds that transactions tell of an order: some of what was given back, in up to three parts."""
    told = []
    for days in draw(st.lists(st.integers(1, 40), max_size=3)):
        amount = draw(st.integers(0, back))
        back -= amount
        told.append(Told(PLACED + timedelta(days=days), "refund", "shopify_payments", "success", amount * 100, "EUR"))
    return sorted(told)


def charged(fact: OrderFact, *kinds: SaleKind) -> int:
    return sum(sale.net + sale.tax for sale in fact.sales if sale.kind in kinds)


@settings(deadline=None)
@given(st.data(), orders())
def test_parts_are_the_total_and_refunds_are_what_was_given_back(data: st.DataObject, order: tuple[OrderRows, int, int]) -> None:
    rows, total, back = order
    told = data.draw(tellings(back))
    verdict = judge(rows, READERS)
    assert (verdict.faults, verdict.undecided) == ([], False)
    fact = fact_of(rows, READERS, told)
    assert charged(fact, SaleKind.ORDER) == fact.stated_total == total * 100
    assert charged(fact, SaleKind.REFUND) == -(fact.stated_refunded or 0) == -back * 100
    assert all(value % 100 == 0 for sale in fact.sales for value in (sale.net, sale.discount, sale.tax))
    assert len({sale.external_id for sale in fact.sales}) == len(fact.sales)
    assert max(len(sale.external_id) for sale in fact.sales) <= 120


@settings(deadline=None)
@given(orders())
def test_no_more_of_a_part_comes_back_than_was_sold(order: tuple[OrderRows, int, int]) -> None:
    fact = fact_of(order[0], READERS, [], INCLUDED)
    sold = {sale.external_id: sale for sale in fact.sales if sale.kind == SaleKind.ORDER}
    for sale in fact.sales:
        if sale.kind == SaleKind.REFUND:
            part = sold[sale.external_id.removeprefix("refund:undated:")]
            assert 0 <= -sale.net <= part.net
            assert 0 <= -sale.tax <= part.tax
            assert -sale.quantity in (0, part.quantity)
            assert sale.estimated
