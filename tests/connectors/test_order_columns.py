"""Files may tell an order's weight, shipping method and discount codes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.files.orders.order_line_imports import import_order_lines
from connectors.files.spool import pack, unpack
from connectors.models import FileImport, RawPayload
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.template import as_json, load
from ledger.models import Order, Payment, Sale, Store
from ledger.sealing import seal, unseal
from ledger.stores import open_store
from tests.connectors.files import GENERIC, HEADER, own_template, undo_order_lines, write

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
COLUMNS = {"grams": "order weight", "unit_grams": "weight", "shipping_method": "method", "discount_codes": "codes"}
WIDE = f"{HEADER},order weight,weight,method,codes"


@pytest.fixture
def store() -> Store:
    return open_store(slug="shop", name="Shop", currency="EUR", zone="Europe/Berlin")


def template(folder: Path, *names: str) -> str:
    named = "".join(f'{name} = "{COLUMNS[name]}"\n' for name in names or COLUMNS)
    return own_template(folder, GENERIC.replace("[columns]\n", f"[columns]\n{named}"))


def told(store: Store) -> dict[str, tuple[int | None, str, list[str]]]:
    return {order.number: (order.grams, order.shipping_method, order.discount_codes) for order in Order.objects.filter(store=store)}


def test_weight_method_and_codes_are_read_from_any_row_of_an_order(store: Store, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        1,2026-01-05,A,Mug,2,10.00,,DE,,,Express,
        1,2026-01-05,B,Bowl,1,10.00,,DE,1250,,,"spring, ann10"
        2,2026-01-05,A,Mug,1,10.00,,DE,,,,SPRING ann10
        """,
        header=WIDE,
    )
    import_order_lines(store, path, load(template(tmp_path)), now=NOW)
    assert told(store) == {"1": (1250, "Express", ["ANN10", "SPRING"]), "2": (None, "", ["ANN10", "SPRING"])}


def test_an_order_weighs_the_sum_of_its_goods_only_where_all_of_them_tell(store: Store, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        1,2026-01-05,A,Mug,3,10.00,,DE,,350.5,,
        1,2026-01-05,B,Bowl,1,10.00,,DE,,100,,
        1,2026-01-05,shipping,Post,1,4.90,,DE,,,,
        2,2026-01-05,A,Mug,1,10.00,,DE,,350,,
        2,2026-01-05,B,Bowl,1,10.00,,DE,,,,
        3,2026-01-05,A,Mug,1,10.00,,DE,900,350,,
        """,
        header=WIDE,
    )
    import_order_lines(store, path, load(template(tmp_path)), now=NOW)
    assert {number: grams for number, (grams, _, _) in told(store).items()} == {"1": 1150, "2": None, "3": 900}


@pytest.mark.parametrize("weight", ["-5", "2 kg", "100000001"])
def test_a_weight_that_is_none_is_refused_in_words(store: Store, tmp_path: Path, weight: str) -> None:
    path = write(tmp_path, f"1,2026-01-05,A,Mug,1,10.00,,DE,{weight},,,", header=WIDE)
    with pytest.raises(FileRefused) as refused:
        import_order_lines(store, path, load(template(tmp_path)), now=NOW)
    assert str(refused.value.faults[0]) == f"line 2, order weight: “{weight}” is no weight; write grams, such as 250"


BACK = {"gateway": "paid by", "restocked": "restocked"}


def test_who_took_the_money_and_what_went_back_on_the_shelf_are_read(store: Store, tmp_path: Path) -> None:
    named = "".join(f'{name} = "{header}"\n' for name, header in BACK.items())
    own = load(own_template(tmp_path, GENERIC.replace("[columns]\n", f'gateway = "stripe"\n\n[columns]\n{named}', 1)))
    path = write(
        tmp_path,
        """
        1,2026-01-05,A,Mug,3,10.00,,DE,,
        1,2026-01-05,shipping,Post,1,4.90,,DE,paypal,
        1,2026-01-09,A,Mug,-1,10.00,,DE,,Yes
        1,2026-01-10,A,Mug,-1,10.00,,DE,,no
        1,2026-01-11,A,Mug,-1,10.00,,DE,,
        2,2026-01-05,A,Mug,1,10.00,,DE,,
        """,
        header=f"{HEADER},paid by,restocked",
    )
    import_order_lines(store, path, own, now=NOW)
    gateways = {order.number: Payment.objects.get(order_id=order.pk).gateway for order in Order.objects.filter(store=store)}
    back = Sale.objects.filter(store_id=store.pk, quantity__lt=0).order_by("day").values_list("day", "restocked")
    assert gateways == {"1": "paypal", "2": "stripe"}
    assert [(f"{day}", restocked) for day, restocked in back] == [("2026-01-09", True), ("2026-01-10", False), ("2026-01-11", False)]


def test_an_answer_that_is_neither_yes_nor_no_is_refused_in_words(store: Store, tmp_path: Path) -> None:
    own = own_template(tmp_path, GENERIC.replace("[columns]\n", '[columns]\nrestocked = "restocked"\n'))
    path = write(tmp_path, "1,2026-01-05,A,Mug,1,10.00,,DE,perhaps", header=f"{HEADER},restocked")
    with pytest.raises(FileRefused) as refused:
        import_order_lines(store, path, load(own), now=NOW)
    assert str(refused.value.faults[0]) == "line 2, restocked: “perhaps” is neither yes nor no"


def test_a_template_without_these_columns_is_kept_as_it_always_was() -> None:
    assert set(as_json(load("generic-order-lines"))["columns"]) & {*COLUMNS, *BACK} == set()


def test_rows_archived_before_there_were_these_columns_are_still_read(store: Store, tmp_path: Path) -> None:
    plain = load("generic-order-lines")
    first, second = (write(tmp_path, f"1,2026-01-05,A,Mug,{units},10.00,,DE", name=f"{units}.csv") for units in (1, 2))
    import_order_lines(store, first, plain, now=NOW)
    payload = RawPayload.objects.get()
    payload.body = seal(pack([(number, [tuple(row[:13]) for row in rows]) for number, rows in unpack(unseal(bytes(payload.body)))]))
    payload.save()
    import_order_lines(store, second, plain, now=NOW)
    undo_order_lines(store, second, plain, now=NOW)
    assert (FileImport.objects.count(), str(Order.objects.get().revenue)) == (2, "10.0000")
