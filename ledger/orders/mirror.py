"""Read and write the mirror of orders: the only writer of orders, lines, sales, payments and order costs.

What files charge an order with is read along (ledger/charges/charge_rows.py writes it).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db import connection

from ledger.book import pgcopy as pg
from ledger.drafts import DRAFT_VERSION
from ledger.money import SCALE
from ledger.orders.rows import ChargeRow, Columns, CostRow, LineRow, OrderRow, PaymentRow, SaleRow

_ORDER_COLUMNS = (
    "id, store_id, platform, external_id, number, placed_at, day, currency, channel, customer_id, country, region, financial_status, "
    "is_test, counts, cancelled_at, shipped, withdrawn_at, hold, stated_total, stated_refunded, revenue, cogs, shipping, tax, payment_fees, "
    "other_fees, marketing_costs, estimated_share, sales_basis, platform_updated_at, facts_digest, draft_version, cause_ref, hold_currency, "
    "discount_codes, shipping_method, grams, journey, location"
)
_CHILD = "store_id, order_id, external_id, part"
_LINE_COLUMNS = f"{_CHILD}, variant_id, quantity, unit_price, unit_cost, cost_source, cost_percentage, cost_currency, sku, title, stated_cost"
_SALE_COLUMNS = f"{_CHILD}, line_part, happened_at, day, kind, type, quantity, net, discount, tax, restocked, estimated"
_PAYMENT_COLUMNS = f"{_CHILD}, kind, status, gateway, amount, fee, fee_currency, processed_at, day"
_COST_COLUMNS = f"{_CHILD}, account, amount, happened_at, day"
CHILD_TABLES = ("ledger_orderline", "ledger_sale", "ledger_payment", "ledger_ordercost")


def new_ids(count: int) -> list[int]:
    """Take a block of order ids from the sequence."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('ledger_order', 'id')) FROM generate_series(1, %s)", [count])
        return [row[0] for row in cursor.fetchall()]


def write(store_id: int, orders: Sequence[OrderRow], *, replaced: Collection[int]) -> None:
    """Write orders with everything under them; `replaced` names those that were there before.

    A changed order is deleted and written anew under the same id: its rows are few, and one way of writing is
    one way to be wrong.
    """
    delete(store_id, replaced)
    pg.copy_rows("ledger_order", _ORDER_COLUMNS, (_order(store_id, order) for order in orders))
    pg.copy_rows("ledger_orderline", _LINE_COLUMNS, _lines(store_id, orders))
    pg.copy_rows("ledger_sale", _SALE_COLUMNS, _sales(store_id, orders))
    pg.copy_rows("ledger_payment", _PAYMENT_COLUMNS, _payments(store_id, orders))
    pg.copy_rows("ledger_ordercost", _COST_COLUMNS, _costs(store_id, orders))


_CALLED = "SELECT id FROM ledger_order WHERE store_id = %s AND platform = %s AND external_id = ANY(%s)"
_RENAME = """
    UPDATE ledger_order o SET external_id = named.id FROM unnest(%s::text[], %s::text[]) AS named (was, id)
    WHERE o.store_id = %s AND o.platform = %s AND o.external_id = named.was
        AND NOT EXISTS (SELECT 1 FROM ledger_order t WHERE t.store_id = o.store_id AND t.platform = o.platform AND t.external_id = named.id)
"""


def rename(store_id: int, platform: str, names: Mapping[str, str]) -> None:
    """Call orders by another id of their platform, where no other order has it."""
    with connection.cursor() as cursor:
        cursor.execute(_CALLED, [store_id, platform, list(names)])
        found = [row[0] for row in cursor.fetchall()]
        if found:
            hold(store_id, found)
            cursor.execute(_RENAME, [list(names), list(names.values()), store_id, platform])


def forget_regions(store_id: int, order_ids: Sequence[int]) -> None:
    """Forget where in their countries orders went to."""
    hold(store_id, order_ids)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_order SET region = '' WHERE store_id = %s AND id = ANY(%s) AND region <> ''", [store_id, list(order_ids)])


def delete(store_id: int, order_ids: Collection[int]) -> None:
    """Delete orders and everything under them from the mirror; their entries stay in the book."""
    if not order_ids:
        return
    ids = pg.array(order_ids)
    with connection.cursor() as cursor:
        for table in CHILD_TABLES:
            cursor.execute(f"DELETE FROM {table} WHERE store_id = %s AND order_id = ANY(%s::bigint[])", [store_id, ids])
        cursor.execute("DELETE FROM ledger_order WHERE store_id = %s AND id = ANY(%s::bigint[])", [store_id, ids])


def _order(store_id: int, o: OrderRow) -> bytes:
    c = o.columns
    return b"".join((
        b"\0\x28", pg.i8(o.id), pg.i4(store_id), pg.text(o.platform), pg.text(o.external_id), pg.text(o.number), pg.i8(o.placed), pg.i4(o.day),
        pg.text(o.currency), pg.i2(o.channel), pg.optional_i8(o.customer), pg.text(o.country), pg.text(o.region), pg.i2(o.financial_status),
        pg.boolean(o.is_test), pg.boolean(o.counts), pg.optional_i8(o.cancelled), pg.boolean(o.shipped), pg.optional_i8(o.withdrawn), pg.i2(o.hold),
        pg.optional_money(o.stated_total), pg.optional_money(o.stated_refunded), pg.money(c.revenue), pg.money(c.cogs), pg.money(c.shipping),
        pg.money(c.tax), pg.money(c.payment_fees), pg.money(c.other_fees), pg.money(c.marketing_costs), pg.optional_money(c.estimated_share),
        pg.i2(o.sales_basis), pg.optional_i8(o.platform_updated), pg.binary(o.digest), pg.i2(DRAFT_VERSION), pg.text(o.cause_ref),
        pg.text(o.hold_currency), pg.texts(o.discount_codes), pg.text(o.shipping_method), pg.optional_i4(o.grams),
        pg.i2(o.journey), pg.text(o.location),
    ))  # fmt: skip


def _lines(store_id: int, orders: Sequence[OrderRow]) -> Iterator[bytes]:
    store = b"\0\x0e" + pg.i4(store_id)
    for order in orders:
        head = store + pg.i8(order.id)
        for row in order.lines:
            yield (
                head + pg.text(row.external_id) + pg.i4(row.part) + pg.optional_i8(row.variant) + pg.i4(row.quantity) + pg.money(row.unit_price)
                + pg.optional_money(row.unit_cost) + pg.i2(row.cost_source) + pg.optional_money(row.cost_percentage)
                + pg.text(row.cost_currency) + pg.text(row.sku) + pg.text(row.title) + pg.optional_money(row.stated_cost)
            )  # fmt: skip


def _sales(store_id: int, orders: Sequence[OrderRow]) -> Iterator[bytes]:
    store = b"\0\x0f" + pg.i4(store_id)
    for order in orders:
        head = store + pg.i8(order.id)
        for row in order.sales:
            yield (
                head + pg.text(row.external_id) + pg.i4(row.part) + pg.optional_i4(row.line_part) + pg.i8(row.happened) + pg.i4(row.day)
                + pg.i2(row.kind) + pg.i2(row.type) + pg.i4(row.quantity) + pg.money(row.net) + pg.money(row.discount) + pg.money(row.tax)
                + pg.boolean(row.restocked) + pg.boolean(row.estimated)
            )  # fmt: skip


def _payments(store_id: int, orders: Sequence[OrderRow]) -> Iterator[bytes]:
    store = b"\0\x0c" + pg.i4(store_id)
    for order in orders:
        head = store + pg.i8(order.id)
        for row in order.payments:
            yield (
                head + pg.text(row.external_id) + pg.i4(row.part) + pg.i2(row.kind) + pg.i2(row.status) + pg.text(row.gateway) + pg.money(row.amount)
                + pg.optional_money(row.fee) + pg.text(row.fee_currency) + pg.i8(row.processed) + pg.i4(row.day)
            )  # fmt: skip


def _costs(store_id: int, orders: Sequence[OrderRow]) -> Iterator[bytes]:
    store = b"\0\x08" + pg.i4(store_id)
    for order in orders:
        head = store + pg.i8(order.id)
        for row in order.costs:
            yield (
                head + pg.text(row.external_id) + pg.i4(row.part) + pg.i2(row.account) + pg.money(row.amount) + pg.i8(row.happened) + pg.i4(row.day)
            )  # fmt: skip


_TELL_JOURNEYS = """
    UPDATE ledger_order o SET journey = told.journey FROM unnest(%s::bigint[], %s::smallint[]) AS told (id, journey)
    WHERE o.store_id = %s AND o.id = told.id
"""


def tell_journeys(store_id: int, journeys: Mapping[int, int]) -> None:
    """Note on held orders how much is told of how their customers came (ledger/orders/touches.py keeps what)."""
    with connection.cursor() as cursor:
        cursor.execute(_TELL_JOURNEYS, [pg.array(journeys), pg.array(journeys.values()), store_id])


_DAY = "day - DATE '2000-01-01'"


def _moment(column: str) -> str:
    return f"(extract(epoch FROM {column} - TIMESTAMPTZ '2000-01-01 00:00+00') * 1000000)::bigint"


def _units(column: str) -> str:
    return f"({column} * {SCALE})::bigint"


_COLUMN_UNITS = ", ".join(
    _units(name) for name in ("revenue", "cogs", "shipping", "tax", "payment_fees", "other_fees", "marketing_costs", "estimated_share")
)
_LOAD_ORDERS = f"""
    SELECT id, platform, external_id, number, {_moment("placed_at")}, {_DAY}, currency, channel, financial_status, sales_basis, customer_id,
        country, region, is_test, {_moment("cancelled_at")}, shipped, {_moment("withdrawn_at")}, hold, counts, {_units("stated_total")},
        {_units("stated_refunded")}, {_moment("platform_updated_at")}, facts_digest, cause_ref, hold_currency, discount_codes, shipping_method, grams,
        journey, location, {_COLUMN_UNITS}
    FROM ledger_order WHERE store_id = %s AND id = ANY(%s) ORDER BY id
"""
_LOAD_LINES = f"""
    SELECT l.order_id, l.external_id, l.part, l.quantity, {_units("l.unit_price")}, l.variant_id, v.product_id, l.sku, l.title,
        {_units("l.unit_cost")}, l.cost_source, {_units("l.cost_percentage")}, l.cost_currency, {_units("l.stated_cost")}, v.grams
    FROM ledger_orderline l LEFT JOIN ledger_variant v ON v.id = l.variant_id
    WHERE l.store_id = %s AND l.order_id = ANY(%s) ORDER BY l.order_id, l.part
"""
_LOAD_SALES = f"""
    SELECT order_id, external_id, part, line_part, {_moment("happened_at")}, {_DAY}, kind, type, quantity, {_units("net")}, {_units("discount")},
        {_units("tax")}, restocked, estimated
    FROM ledger_sale WHERE store_id = %s AND order_id = ANY(%s) ORDER BY order_id, part
"""
_LOAD_PAYMENTS = f"""
    SELECT order_id, external_id, part, kind, status, gateway, {_units("amount")}, {_units("fee")}, fee_currency, {_moment("processed_at")}, {_DAY}
    FROM ledger_payment WHERE store_id = %s AND order_id = ANY(%s) ORDER BY order_id, part
"""
_LOAD_COSTS = f"""
    SELECT order_id, external_id, part, account, {_units("amount")}, {_moment("happened_at")}, {_DAY}
    FROM ledger_ordercost WHERE store_id = %s AND order_id = ANY(%s) ORDER BY order_id, part
"""
_LOAD_CHARGES = f"""
    SELECT c.order_id, c.id, c.kind, c.status, c.partner_id, coalesce(p.kind = 'influencer', false), {_units("c.amount")}, c.currency,
        {_DAY}, {_units("c.covers")}, c.processor, c.reference
    FROM ledger_ordercharge c LEFT JOIN ledger_partner p ON p.id = c.partner_id
    WHERE c.store_id = %s AND c.order_id = ANY(%s) AND c.removed_at IS NULL ORDER BY c.order_id, c.id
"""


_LOCK = "SELECT id FROM ledger_order WHERE store_id = %s AND id = ANY(%s) ORDER BY id FOR UPDATE"
_ARE_THERE = "SELECT id FROM ledger_order WHERE store_id = %s AND id = ANY(%s)"


def hold(store_id: int, order_ids: Sequence[int]) -> None:
    """Hold orders until the transaction ends.

    Writers replace an order's row, and who waited for the old one is not given the new one: so look again.
    """
    held: set[int] | None = None
    there: set[int] = set()
    with connection.cursor() as cursor:
        while held != there:
            cursor.execute(_LOCK, [store_id, list(order_ids)])
            held = {row[0] for row in cursor.fetchall()}
            cursor.execute(_ARE_THERE, [store_id, list(order_ids)])
            there = {row[0] for row in cursor.fetchall()}


def load(store_id: int, order_ids: Sequence[int], *, lock: bool = False) -> list[OrderRow]:
    """Read orders with everything under them, in id order; with `lock`, held until the transaction ends."""
    orders: dict[int, OrderRow] = {}
    if not order_ids:
        return []
    if lock:
        hold(store_id, order_ids)
    with connection.cursor() as cursor:
        cursor.execute(_LOAD_ORDERS, [store_id, list(order_ids)])
        for row in cursor.fetchall():
            order = OrderRow(*[*row[:22], _bytes(row[22]), row[23], row[24], tuple(row[25]), row[26], row[27], row[28], row[29]])
            order.columns = Columns(*row[30:])
            orders[order.id] = order
        for sql, row_type, name in (
            (_LOAD_LINES, LineRow, "lines"),
            (_LOAD_SALES, SaleRow, "sales"),
            (_LOAD_PAYMENTS, PaymentRow, "payments"),
            (_LOAD_COSTS, CostRow, "costs"),
            (_LOAD_CHARGES, ChargeRow, "charges"),
        ):
            cursor.execute(sql, [store_id, list(orders)])
            for order_id, *fields in cursor.fetchall():
                getattr(orders[order_id], name).append(row_type(*fields))
    return list(orders.values())


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def prepare() -> None:
    """Make empty tables of this connection for what SQL works out: `prepared_line` and `prepared_order`, by what the mirror names them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS prepared_line AS SELECT order_id, external_id, unit_cost, cost_source, cost_percentage "
            "FROM ledger_orderline WITH NO DATA"
        )
        cursor.execute("CREATE TEMP TABLE IF NOT EXISTS prepared_order AS SELECT id, cogs, estimated_share FROM ledger_order WITH NO DATA")
        cursor.execute("TRUNCATE prepared_line, prepared_order")


def update_prepared(store_id: int) -> None:
    """Write the prepared unit costs, in the order's currency, and columns onto held orders.

    Between the first and the last of them, or a join by merging walks there from the first order of all.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_orderline l SET unit_cost = p.unit_cost, cost_source = p.cost_source, cost_percentage = p.cost_percentage, "
            "cost_currency = '' FROM prepared_line p WHERE l.store_id = %s AND l.order_id = p.order_id AND l.external_id = p.external_id "
            "AND l.order_id BETWEEN (SELECT min(order_id) FROM prepared_line) AND (SELECT max(order_id) FROM prepared_line)",
            [store_id],
        )
        cursor.execute(
            "UPDATE ledger_order o SET cogs = p.cogs, estimated_share = p.estimated_share FROM prepared_order p "
            "WHERE o.store_id = %s AND o.id = p.id "
            "AND o.id BETWEEN (SELECT min(id) FROM prepared_order) AND (SELECT max(id) FROM prepared_order)", [store_id],
        )  # fmt: skip
