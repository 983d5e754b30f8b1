"""Files of costs charge orders and set product costs: whole, once, and back."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from connectors.files.costs.cost_files import COMMISSION_FILES, SHIPPING_COST_FILES
from connectors.files.costs.cost_imports import CostReport, import_charges, undo_charges
from connectors.files.kind import Loose
from connectors.files.orders.order_line_imports import import_order_lines
from connectors.files.spool import unpack
from connectors.models import FileImport, RawPayload
from connectors.platforms.files.cost_sheet import Options
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.order_charges import COMMISSIONS, SHIPPING_COSTS
from connectors.platforms.files.template import load
from ledger.accounts import FULFILMENT_SHIPPING
from ledger.book.reposting import repost
from ledger.cause import Cause
from ledger.facts import LineFact
from ledger.kinds import CauseKind, ChargeStatus
from ledger.models import CostChange, Entry, OrderCharge, Partner, Store, VariantCost
from ledger.sealing import unseal
from tests.builders import a_cost, a_line, a_store, an_order
from tests.builders import write as record
from tests.connectors.files import import_product_costs, imports_of, undo_order_lines, write
from tests.ledger_text import assert_entries

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
LABELS = ("fulfilment:shipping",)
HEADER = "Order,Label cost,Tracking number"
TWO = "#1001,6.20,1Z1\n1002,5.10,1Z2"


@pytest.fixture
def store() -> Store:
    store = a_store(slug="mugs")
    record(store, an_order("1001"), an_order("1002"))
    return store


def labels(store: Store, path: Path, **more: bool) -> CostReport:
    """Import shipping costs."""
    return import_charges(store, path, SHIPPING_COSTS, options=Options(), now=NOW, actor="ann", **more)


def undo(store: Store, path: Path) -> int:
    """Undo an import of shipping costs."""
    return undo_charges(imports_of(store, path, SHIPPING_COST_FILES), now=NOW).entries


def command(*words: str) -> str:
    """Run the command and return what it says."""
    out = StringIO()
    call_command("import_file", *words, stdout=out)
    return out.getvalue()


def test_a_file_of_labels_charges_the_orders_it_names(store: Store, tmp_path: Path) -> None:
    report = labels(store, write(tmp_path, f"{TWO}\n1003,4.00,1Z3", header=HEADER))
    assert (report.rows, report.matched, report.loose, report.added, report.entries) == (3, 2, [Loose(4, "1003", "1Z3")], 3, 2)
    assert report.totals == {"EUR": 153_000}
    assert_entries(store, "source amount how\n 1001 -6.20 actual\n 1002 -5.10 actual", only=LABELS)
    row = FileImport.objects.get()
    assert (row.state, row.rows, row.matched, row.orders, row.changed_orders, row.kind) == ("done", 3, 2, 3, 3, "shipping-costs")
    record(store, an_order("1003"))
    assert_entries(store, "source amount\n 1001 -6.20\n 1002 -5.10\n 1003 -4.00", only=LABELS)


def test_a_dry_run_says_the_same_and_writes_nothing(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, f"{TWO}\n1003,4.00,1Z3", header=HEADER)
    report = labels(store, path, dry_run=True)
    assert (report.matched, report.added, [loose.name for loose in report.loose]) == (2, 3, ["1003"])
    assert (FileImport.objects.count(), OrderCharge.objects.count()) == (0, 0)


def test_the_same_file_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, TWO, header=HEADER)
    labels(store, path)
    entries = Entry.objects.count()
    again = labels(store, path)
    assert (again.added, again.changed, again.unchanged, again.matched) == (0, 0, 2, 2)
    assert (Entry.objects.count(), RawPayload.objects.count(), FileImport.objects.get(pk=again.import_id).state) == (entries, 1, "unchanged")


def test_nothing_of_a_file_with_a_wrong_row_is_taken(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="1 row is wrong; nothing was taken"):
        labels(store, write(tmp_path, f"{TWO}\n1003,six,1Z3", header=HEADER))
    assert (FileImport.objects.count(), OrderCharge.objects.count()) == (0, 0)


def test_undo_takes_a_files_charges_back_and_leaves_what_another_tells(store: Store, tmp_path: Path) -> None:
    first = write(tmp_path, TWO, header=HEADER, name="first.csv")
    second = write(tmp_path, "1001,7.00,1Z1\n1002,5.10,1Z2", header=HEADER, name="second.csv")
    labels(store, first)
    labels(store, second)
    assert_entries(store, "source amount\n 1001 -7.00\n 1002 -5.10", only=LABELS, live=True)
    undo(store, second)
    assert_entries(store, "source amount\n 1001 -6.20\n 1002 -5.10", only=LABELS, live=True)
    undo(store, first)
    assert_entries(store, "source amount", only=LABELS, live=True)
    assert list(FileImport.objects.values_list("state", flat=True)) == ["undone", "undone"]


def test_undo_of_the_earlier_file_leaves_what_the_later_one_tells_too(store: Store, tmp_path: Path) -> None:
    first = write(tmp_path, TWO, header=HEADER, name="first.csv")
    second = write(tmp_path, "1001,6.20,1Z1", header=HEADER, name="second.csv")
    labels(store, first)
    labels(store, second)
    undo(store, first)
    assert_entries(store, "source amount\n 1001 -6.20", only=LABELS, live=True)
    assert OrderCharge.objects.get(removed_at=None).cause_ref == f"import:{FileImport.objects.latest('pk').pk}"


def test_undo_finds_what_another_file_tells_though_its_partner_is_called_something_else_by_now(store: Store, tmp_path: Path) -> None:
    header = "Commission id,Order,Partner,Commission"
    first, second = (write(tmp_path, f"C1,1001,Bo,{amount}", header=header, name=f"{amount}.csv") for amount in ("10.00", "12.00"))
    for path in (first, second):
        import_charges(store, path, COMMISSIONS, options=Options(), now=NOW)
    Partner.objects.update(name="Bo Ltd")
    undo_charges(imports_of(store, second, COMMISSION_FILES), now=NOW)
    assert_entries(store, "source amount\n 1001 -10.00", only=("marketing",), live=True)
    assert list(FileImport.objects.order_by("pk").values_list("state", flat=True)) == ["done", "undone"]
    assert OrderCharge.objects.get(removed_at=None).partner == Partner.objects.get(name="Bo")


def test_charges_survive_the_undoing_and_repeating_of_the_orders(tmp_path: Path) -> None:
    store = a_store(slug="files")
    orders = write(tmp_path, "1001,2026-03-03,A,Mug,1,50.00,,DE")
    import_order_lines(store, orders, load("generic-order-lines"), now=NOW)
    labels(store, write(tmp_path, "1001,6.20,1Z1", header=HEADER, name="labels.csv"))
    undo_order_lines(store, orders, load("generic-order-lines"), now=NOW)
    assert_entries(store, "source amount", live=True)
    import_order_lines(store, orders, load("generic-order-lines"), now=NOW)
    assert_entries(store, "source amount\n 1001 -6.20", only=LABELS, live=True)


def test_an_import_that_was_cut_goes_on_where_it_was(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.files.spool.CHUNK_ORDERS", 1)
    path = write(tmp_path, TWO, header=HEADER)

    def cut(step: str, done: int, whole: int) -> None:
        if step == "charging orders":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_charges(store, path, SHIPPING_COSTS, options=Options(), now=NOW, progress=cut)
    row = FileImport.objects.get()
    assert (row.chunks_done, OrderCharge.objects.count()) == (1, 1)
    done = import_charges(store, path, SHIPPING_COSTS, options=Options(), now=NOW, row=row)
    assert (done.rows, done.matched, OrderCharge.objects.count(), RawPayload.objects.count()) == (2, 2, 2, 2)
    row.refresh_from_db()
    assert (row.state, row.changed_orders, row.matched) == ("done", 2, 2)


def test_no_personal_column_is_kept(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, "1001,6.20,1Z1,Ann Example,ann@example.com", header=f"{HEADER},Recipient,E-mail")
    assert labels(store, path).dropped_columns == ("Recipient", "E-mail")
    assert unpack(unseal(bytes(RawPayload.objects.get().body))) == [("1001", [("2", "1001", "6.20", "", "", "1Z1", "", "")])]


def test_a_file_of_commissions_adds_its_partners_and_books_what_is_approved(store: Store, tmp_path: Path) -> None:
    Partner.objects.create(store=store, name="Ann", kind=Partner.Kind.INFLUENCER)
    path = write(
        tmp_path, "c1,1001,ann,5.00,approved\nc2,1002,Ben,4.00,pending\nc3,1002,Ben,3.00,paid", header="id,order,partner,commission,status"
    )  # fmt: skip
    report = import_charges(store, path, COMMISSIONS, options=Options(), now=NOW)
    assert (report.matched, report.new_partners) == (3, ("Ben",))
    assert_entries(store, "source account amount\n 1001 marketing:influencer -5.00\n 1002 marketing:affiliate -3.00", only=("marketing",))
    assert dict(Partner.objects.values_list("name", "kind")) == {"Ann": "influencer", "Ben": "affiliate"}
    write(tmp_path, "c1,1001,ann,5.00,denied\nc2,1002,Ben,4.00,approved\nc3,1002,Ben,3.00,paid", header="id,order,partner,commission,status")
    import_charges(store, path, COMMISSIONS, options=Options(), now=NOW)
    assert_entries(store, "source amount\n 1002 -4.00\n 1002 -3.00", only=("marketing",), live=True)
    assert OrderCharge.objects.get(reference="c1").status == ChargeStatus.DENIED


def test_product_costs_reach_every_variant_with_the_sku_from_their_day_on(tmp_path: Path) -> None:
    store = a_store(slug="mugs")
    line = a_line("1")
    record(store, an_order("1", lines=[line], when="2026-03-03 12:00"), an_order("2", lines=[line], when="2026-03-20 12:00"))
    record(store, an_order("3", platform="market", lines=[line], when="2026-03-20 12:00"))
    path = write(tmp_path, "SKU-1,12.00,1.00,2026-01-01\nSKU-1,15.00,1.00,2026-03-10\nSKU-9,1.00,,", header="sku,cost,freight,effective from")
    report = import_product_costs(store, path, options=Options(), now=NOW, actor="ann")
    assert (report.rows, report.matched, report.added, report.loose) == (3, 2, 4, [Loose(4, "SKU-9")])
    repost(store, cause=Cause(CauseKind.RULE, "repost"))
    assert_entries(store, "source amount how\n 1 -13.00 actual\n 2 -16.00 actual\n 3 -16.00 actual", only=("cogs",), live=True)
    again = import_product_costs(store, path, options=Options(), now=NOW)
    assert (again.added, again.unchanged, FileImport.objects.latest("pk").state) == (0, 2, "unchanged")
    command("mugs", str(path), "--kind", "product-costs", "--undo")
    assert VariantCost.objects.filter(removed_by=None).count() == 0
    assert list(FileImport.objects.values_list("state", flat=True)) == ["undone", "undone"]


def test_a_cost_that_an_earlier_row_ends_begins_again_with_a_later_row(store: Store, tmp_path: Path) -> None:
    for name, rows in (("before.csv", "SKU-1,6.00,2025-12-01"), ("costs.csv", "SKU-1,6.00,2026-02-01\nSKU-1,5.00,2026-01-01")):
        report = import_product_costs(store, write(tmp_path, rows, header="SKU,Cost,Valid from", name=name), options=Options(), now=NOW)
    assert (report.added, report.unchanged) == (2, 0)
    held = VariantCost.objects.filter(removed_by=None).order_by("effective_from").values_list("effective_from", "goods")
    assert [(str(first), goods) for first, goods in held] == [("2025-12-01", 6), ("2026-01-01", 5), ("2026-02-01", 6)]


def test_product_costs_without_a_day_hold_from_today_or_the_day_that_is_said(tmp_path: Path) -> None:
    store = a_store(slug="mugs", zone="America/New_York")
    record(store, an_order("1"))
    path = write(tmp_path, "SKU-1,12.00", header="sku,cost")
    late = datetime(2026, 4, 1, 3, tzinfo=UTC)
    assert import_product_costs(store, path, options=Options(), now=late).effective_from == "2026-03-31"
    assert str(VariantCost.objects.get().effective_from) == "2026-03-31"
    import_product_costs(store, path, options=Options(effective_from="2026-01-01"), now=late)
    assert VariantCost.objects.filter(removed_by=None).count() == 2


def test_a_sku_is_taken_as_it_stands_before_a_spreadsheets_zeros_are_taken_off(tmp_path: Path) -> None:
    store = a_store(slug="mugs")
    lines = [LineFact(key, 1, 500_000, key, sku=sku, title=key) for key, sku in (("five", "5"), ("half", "5.0"), ("seven", "7"))]
    record(store, an_order("1", lines=lines))
    path = write(tmp_path, "5.0,1.00\n5,2.00\n7.0,3.00", header="sku,cost")
    report = import_product_costs(store, path, options=Options(), now=NOW)
    assert (report.matched, report.loose) == (3, [])
    assert dict(VariantCost.objects.values_list("variant__external_id", "goods")) == {"half": 1, "five": 2, "seven": 3}


def test_a_sku_told_twice_for_one_day_is_refused(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, "SKU-1,12.00\nSKU-1,13.00\nSKU-2,-1", header="sku,cost")
    with pytest.raises(FileRefused) as refused:
        import_product_costs(store, path, options=Options(), now=NOW)
    assert [str(fault) for fault in refused.value.faults] == [
        "line 3, sku: line 2 tells the cost of “SKU-1” from the same day; keep one of them", "line 4, cost: a cost is not negative",
    ]  # fmt: skip
    assert CostChange.objects.count() == 0


def test_the_command_says_what_was_matched_and_lists_the_rest(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, f"{TWO}\n,,\n" + "\n".join(f"20{n:02},1.00," for n in range(22)), header=HEADER)
    said = command("mugs", str(path), "--kind", "shipping-costs", "--dry-run").splitlines()
    assert said[:7] == [
        "orders.csv: 24 rows, 2 rows whose order is known, 1 blank rows left out (utf-8, “,”).",
        "Columns: order = “Order”, cost = “Label cost”, tracking number = “Tracking number”.",
        "Sum of all rows: 33.30 EUR.",
        "Decimal sign “.”, currency where a row names none EUR.",
        "Would be: 24 new charges, 0 changed, 0 unchanged.",
        "22 rows without an order (they wait, and are booked when their order arrives):",
        "  line 5: 2000",
    ]
    assert said[-2:] == ["  … and 2 more", "Dry run: nothing was written."]


def test_the_command_imports_tells_machines_and_undoes(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, TWO, header=HEADER)
    told = json.loads(command("mugs", str(path), "--kind", "shipping-costs", "--json"))
    assert {name: told[name] for name in ("rows", "new", "sums", "counts")} == {
        "rows": 2, "new": 2, "sums": [{"label": "all rows", "amount": "11.30", "currency": "EUR"}],
        "counts": [{"label": "rows whose order is known", "value": 2}],
    }  # fmt: skip
    assert (
        command("mugs", str(path), "--kind", "shipping-costs", "--undo")
        == "Undone: 2 taken back or restored, 2 entries written. History stays in the book.\n"
    )
    with pytest.raises(CommandError, match="has not been imported into mugs as shipping-costs; there is nothing to undo"):
        command("mugs", str(path), "--kind", "shipping-costs", "--undo")


def test_the_command_asks_for_a_template_of_order_lines_only(store: Store, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Name a template for order lines"):
        command("mugs", str(write(tmp_path, "x")), "--kind", "order-lines")
    with pytest.raises(CommandError, match="“EU” is no ISO 4217 currency code"):
        command("mugs", str(write(tmp_path, TWO, header=HEADER)), "--kind", "shipping-costs", "--currency", "eu")


def test_the_platforms_own_label_cost_is_told_of_in_the_report(store: Store, tmp_path: Path) -> None:
    record(store, an_order("1002", costs=[a_cost(FULFILMENT_SHIPPING, "-5.00")]))
    assert labels(store, write(tmp_path, TWO, header=HEADER)).left_out == 1
    said = command("mugs", str(tmp_path / "orders.csv"), "--kind", "shipping-costs", "--dry-run")
    assert "1 labels are kept but not booked: the orders' platform states what their label cost itself." in said
    assert_entries(store, "source amount\n 1001 -6.20\n 1002 -5.00", only=LABELS, live=True)


def test_labels_without_tracking_numbers_of_several_days_stand_beside_each_other(store: Store, tmp_path: Path) -> None:
    header = "Order,Label cost,Ship date"
    first = write(tmp_path, "1001,6.20,2026-03-04\n1001,1.00,2026-03-04", header=header, name="first.csv")
    second = write(tmp_path, "1001,3.10,2026-03-09", header=header, name="second.csv")
    labels(store, first)
    report = labels(store, second)
    assert (report.added, report.changed) == (1, 0)
    again = labels(store, write(tmp_path, "1001,6.30,2026-03-04\n1001,1.00,2026-03-04", header=header, name="mended.csv"))
    assert (again.added, again.changed, again.unchanged) == (0, 1, 1)
    assert sorted(OrderCharge.objects.values_list("reference", "amount")) == [
        ("2026-03-04 row 1", Decimal("6.30")), ("2026-03-04 row 2", 1), ("2026-03-09 row 1", Decimal("3.10")),
    ]  # fmt: skip
