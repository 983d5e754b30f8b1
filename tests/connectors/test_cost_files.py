"""Files of costs are read as people and spreadsheets write them, or refused in words that say what to do."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors.platforms.files import reading
from connectors.platforms.files.cost_sheet import Checker, Context, KeptRow, Kind, Options, survey
from connectors.platforms.files.cost_values import amount_reader, day_reader, find_day_order, find_decimal_sign, read_name
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.headers import recognise
from connectors.platforms.files.order_charges import COMMISSIONS, SHIPPING_COSTS, ChargeReader, facts_of
from connectors.platforms.files.product_costs import PRODUCT_COSTS, CostReader
from connectors.platforms.files.values import BadCell
from ledger.charges.charges import ChargeFact
from ledger.kinds import ChargeKind, ChargeStatus
from tests.connectors.files import write

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
CONTEXT = Context(lambda day: ZoneInfo("Europe/Berlin"), "EUR", NOW)
PARTNERS = {"Ann": 1, "Ben": 2}


def rows_of(path: Path, kind: Kind, options: Options = Options(), now: datetime = NOW) -> tuple[list[KeptRow], ChargeReader, Checker]:  # noqa: B008
    """Read a file of charges as the import does."""
    context = CONTEXT._replace(now=now)
    dialect = reading.find_dialect(path)
    found = survey(lambda: reading.rows(path, dialect), kind, options, context)
    reader = ChargeReader(kind, found.layout, context)
    lines = reading.rows(path, dialect)
    checker = Checker(kind, found, reader.check, len(next(lines)[1]))
    kept = [row for line, fields in lines if (row := checker.keep(line, fields)) is not None]
    return kept, reader, checker


def told(path: Path, kind: Kind = SHIPPING_COSTS, **options: str) -> list[ChargeFact]:
    """Return the charges of a sound file whose rows are all about one order."""
    kept, reader, checker = rows_of(path, kind, Options(**options))
    assert checker.faults == []
    return facts_of([reader.told(row) for row in kept], PARTNERS)


def faults(path: Path, kind: Kind = SHIPPING_COSTS, **options: str) -> list[str]:
    """Return what is wrong with a file's rows."""
    return [str(fault) for fault in rows_of(path, kind, Options(**options))[2].faults]


def test_shipping_costs_are_read_by_common_headers(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        #1001,UPS,1Z9,6.20,2026-03-04,Ann Example,USD
        #1001,UPS,,1.00,,Ann Example,
        #1001,,,0.50,,Ann Example,
        #1001,UPS,,2.00,,Ann Example,
        """,
        header="Order Number,Carrier,Tracking Number,Label Cost,Ship Date,Recipient,Currency",
    )
    label = ChargeKind.LABEL
    assert told(path) == [
        ChargeFact(label, "1001", "1Z9", 62_000, "USD", date(2026, 3, 4)), ChargeFact(label, "1001", "UPS row 1", 10_000, "EUR"),
        ChargeFact(label, "1001", "row 1", 5_000, "EUR"), ChargeFact(label, "1001", "UPS row 2", 20_000, "EUR"),
    ]  # fmt: skip


def test_a_tracking_number_that_comes_again_is_another_charge(tmp_path: Path) -> None:
    path = write(tmp_path, "1,6.20,1Z9\n1,-1.20,1Z9", header="order,cost,tracking")
    assert [(fact.reference, fact.amount) for fact in told(path)] == [("1Z9", 62_000), ("1Z9 (2)", -12_000)]


def test_a_type_of_cost_can_say_that_it_is_packing(tmp_path: Path) -> None:
    path = write(tmp_path, "1,6.20,Label\n1,0.80,Pick & Pack", header="order,cost,cost type")
    assert [fact.kind for fact in told(path)] == [ChargeKind.LABEL, ChargeKind.FULFILMENT]
    assert faults(write(tmp_path, "1,6.20,tea", header="order,cost,type")) == ["line 2, type: what “tea” is for is not known; write label or packing"]


def test_commissions_tell_partner_status_and_gifts(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        c1,1001,Ann,5.00,Pending,commission
        c2,1001,Ben,4.00,cancelled,
        c3,1001,Ann,,paid,gift
        ,1001,Ben,3.00,,
        """,
        header="id,order id,partner,commission (usd),status,type",
    )
    assert told(path, COMMISSIONS) == [
        ChargeFact(ChargeKind.COMMISSION, "1001", "c1", 50_000, "USD", None, ChargeStatus.PENDING, 1),
        ChargeFact(ChargeKind.COMMISSION, "1001", "c2", 40_000, "USD", None, ChargeStatus.DENIED, 2),
        ChargeFact(ChargeKind.GIFT, "1001", "c3", 0, "USD", None, ChargeStatus.PAID, 1),
        ChargeFact(ChargeKind.COMMISSION, "1001", "row 1", 30_000, "USD", None, ChargeStatus.APPROVED, 2),
    ]


def test_every_fault_names_its_line_its_column_and_what_to_do(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        1.00123E+12,6.20,,
        ,6.20,,
        1003,,,
        1004,six,,
        1005,6.20,XX,
        1006,£6.20,USD,
        1007,6.20,,soon
        1008,6.20,,2031-01-01
        1009,6.20
        """,
        header="Order,Cost,Currency,Date",
    )
    assert faults(path) == [
        "line 2, Order: a spreadsheet has turned it into 1.00123E+12, and its last digits are lost; export the file again and do not open it in "
        "between, or give the column the format “text”",
        "line 3, Order: the order is missing; give its number, or take the row out",
        "line 4, Cost: the amount is missing; write 0 where it cost nothing",
        "line 5, Cost: “six” is no amount; write it as 1234.50",
        "line 6, Currency: “XX” is no ISO 4217 currency code such as EUR",
        "line 7, Currency: the sign beside the amount means GBP, and the row's currency is USD; correct one of them",
        "line 8, Date: “soon” is no date; write it as 2026-03-31",
        "line 9, Date: “2031-01-01” lies before 1990 or in the future",
        "line 10, row: has 2 fields where the header has 4; check its quotes and delimiters",
    ]


def test_blank_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    kept, _, checker = rows_of(write(tmp_path, "1,6.20\n,\n , \n2,5.00", header="order,cost"), SHIPPING_COSTS)
    assert ([row[0] for row in kept], checker.blank_rows, checker.faults) == (["2", "5"], 2, [])


def test_a_missing_column_is_named_with_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"no column for the cost\. Name it “Label cost” in the first row\. The file has: order, weight\."):
        rows_of(write(tmp_path, "1,2", header="order,weight"), SHIPPING_COSTS)


def test_two_columns_that_could_be_meant_are_refused() -> None:
    with pytest.raises(FileRefused, match="The header has “Cost” and “COST” for the cost; which one is meant is not sure"):
        recognise(["Order", "Cost", "COST "], SHIPPING_COSTS.fields)


def test_the_surest_header_wins_and_the_others_are_told() -> None:
    found = recognise(["Name", "Order Number", "Total", "Shipping Cost (EUR)"], SHIPPING_COSTS.fields)
    assert (found.columns, found.dropped, found.currency) == (
        {"order": "Order Number", "amount": "Shipping Cost (EUR)"}, ("Name", "Total"), "EUR",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "sign"),
    [
        (["1,234.50"], "."), (["1.234,50", "7"], ","), (["12,5", "1,234"], ","), (["1,234,567"], "."), (["1.234.567"], ","), (["7", ""], "."),
        (["0.125"], "."), (["1234,567"], ","), (["€ 1 234,5"], ","), (["$12.50"], "."),
    ],
)  # fmt: skip
def test_the_decimal_sign_is_found(texts: list[str], sign: str) -> None:
    assert find_decimal_sign(texts) == sign


def test_a_decimal_sign_that_is_not_sure_is_asked_for() -> None:
    with pytest.raises(FileRefused, match="“1,234” can mean two amounts"):
        find_decimal_sign(["1,234", "17"])
    with pytest.raises(FileRefused, match=r"“1\.50” and “1,50”"):
        find_decimal_sign(["1,50", "1.50"])


@pytest.mark.parametrize(
    ("text", "units", "currencies"),
    [
        ("12.50", 125_000, set()), ("€12.50", 125_000, {"EUR"}), ("12.50 €", 125_000, {"EUR"}), ("EUR 1,200", 12_000_000, {"EUR"}),
        ("-£3", -30_000, {"GBP"}), ("£-3", -30_000, {"GBP"}), ("\u2212 2.00", -20_000, set()), ("us$ 1", 10_000, {"USD"}),
    ],
)  # fmt: skip
def test_amounts_with_a_currencys_sign(text: str, units: int, currencies: set[str]) -> None:
    read = amount_reader(".")(text)
    assert (read.units, read.currencies) == (units, currencies)


def test_amounts_that_are_none_are_told_in_words() -> None:
    read = amount_reader(".")
    for text, said in (("12 apples", "what “apples” means is not known"), ("1.5E+03", "powers of ten"), ("12,50", "write it as 1234.50")):
        with pytest.raises(BadCell, match=re.escape(said)):
            read(text)


def test_a_dollar_sign_is_any_dollar_the_row_says(tmp_path: Path) -> None:
    path = write(tmp_path, "1,$6.20,CAD", header="order,cost,currency")
    assert told(path)[0].currency == "CAD"
    assert faults(write(tmp_path, "1,$6.20", header="order,cost"))[0].startswith("line 2, currency: the sign beside the amount means ARS or AUD or")
    assert told(write(tmp_path, "1,$6.20", header="order,cost"), currency="USD")[0].currency == "USD"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-03", date(2026, 3, 3)), ("2026-03-03 23:30", date(2026, 3, 3)), ("2026-03-03T23:30:00Z", date(2026, 3, 4)),
        ("2026-03-03 23:30:00 +0000", date(2026, 3, 4)), ("2026-03-03 23:30:00 UTC", date(2026, 3, 4)), ("03.04.2025", date(2025, 4, 3)),
        ("03/04/2025", date(2025, 4, 3)), ("3/4/25 10:00", date(2025, 4, 3)), ("3 Mar 2026", date(2026, 3, 3)), ("Mar 3, 2026", date(2026, 3, 3)),
    ],
)  # fmt: skip
def test_days_as_exports_write_them(text: str, expected: date) -> None:
    assert day_reader("day", CONTEXT.zone_on, NOW)(text) == expected


def test_the_order_of_day_and_month_is_found_or_asked_for() -> None:
    assert (find_day_order(["03/04/2026", "31/03/2026"]), find_day_order(["3/31/26"]), find_day_order(["2026-03-04", "5/5/2026"])) == (
        "day", "month", "day",
    )  # fmt: skip
    with pytest.raises(FileRefused, match="“03/04/2026” can mean two days"):
        find_day_order(["03/04/2026"])
    with pytest.raises(FileRefused, match="“31/03/2026” has its day first and “03/31/2026” its month"):
        find_day_order(["31/03/2026", "03/31/2026"])


def test_names_lose_what_spreadsheets_add() -> None:
    assert [read_name(text) for text in ("'00123", "1001.0", "#1001.0", "A-1.0")] == ["00123", "1001", "#1001", "A-1.0"]


def test_product_costs_are_read_with_their_parts(tmp_path: Path) -> None:
    path = write(tmp_path, "MUG;4,20;0,30;;0,10;2026-03-01\nCAP;1.000,00;;;;", header="SKU;Unit cost;Freight;Duty;Packaging;Valid from")
    dialect = reading.find_dialect(path)
    found = survey(lambda: reading.rows(path, dialect), PRODUCT_COSTS, Options(), CONTEXT)
    reader = CostReader(found.layout, CONTEXT)
    checker = Checker(PRODUCT_COSTS, found, reader.check, 6)
    rows = [checker.keep(line, fields) for line, fields in list(reading.rows(path, dialect))[1:]]
    assert [reader.told(row)[1:] for row in rows if row is not None] == [
        ("MUG", (42_000, 3_000, 0, 1_000), "EUR", date(2026, 3, 1)), ("CAP", (10_000_000, 0, 0, 0), "EUR", None),
    ]  # fmt: skip
