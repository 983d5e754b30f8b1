"""Write order-line files for tests."""

import gzip
from datetime import datetime
from pathlib import Path

from connectors.files.costs.cost_imports import CostReport
from connectors.files.costs.product_cost_imports import read_product_costs, take_product_costs
from connectors.files.imports import new_import, standing
from connectors.files.kind import FileKind, Undone
from connectors.files.orders import order_line_imports
from connectors.files.orders.order_line_files import ORDER_LINE_FILES
from connectors.models import FileImport
from connectors.platforms.files.cost_sheet import Options
from connectors.platforms.files.product_costs import PRODUCT_COSTS
from connectors.platforms.files.reading import file_digest
from connectors.platforms.files.template import FOLDER, Template, as_json
from ledger.models import Store
from ledger.rules import proposals

GENERIC = (FOLDER / "generic-order-lines.toml").read_text()
HEADER = "order,date,sku,title,quantity,unit_price,customer,country"
RETAILER_HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"

RETAILER = """
    536001,85001A,PAPER LANTERN,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
    536001,71001,TIN WATERING CAN,2,2010-12-01 08:26:00,3.39,17850.0,United Kingdom
    536001,71001,TIN WATERING CAN,2,2010-12-01 08:26:00,3.39,17850.0,United Kingdom
    536001,POST,POSTAGE,1,2010-12-01 08:27:00,18.00,17850.0,United Kingdom
    536002,22001,GLASS JAR,10,2010-12-02 10:00:00,1.005,,EIRE
    536003,22001,damaged,-4,2010-12-02 11:00:00,0.0,,United Kingdom
    C536004,85001A,PAPER LANTERN,-1,2011-01-05 09:00:00,2.55,17850.0,United Kingdom
    C536005,D,Discount,-1,2011-01-06 09:00:00,27.50,14527.0,United Kingdom
    C536006,AMAZONFEE,AMAZON FEE,-1,2011-01-07 09:00:00,135.41,,United Kingdom
    536007,M,Manual,1,2011-01-08 09:00:00,2.55,,Unspecified
    536008,gift_0001_10,Gift Voucher 10.00,1,2011-01-09 09:00:00,8.33,,United Kingdom
    536002,22002,GLASS LID,10,2010-12-02 10:01:00,0.50,,EIRE
"""
"""Invented rows with every trouble the real retailer's file has, worth 63.83 - 135.41 in all."""


def write(folder: Path, rows: str, *, name: str = "orders.csv", header: str = HEADER, encoding: str = "utf-8", pack: bool = False) -> Path:
    """Write a header and rows into a file and return its path."""
    text = "\n".join([header, *(line.strip() for line in rows.strip().splitlines())]) + "\n"
    path = folder / name
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if pack else data)
    return path


def own_template(folder: Path, text: str, name: str = "own") -> str:
    """Write a person's own template and return its path."""
    path = folder / f"{name}.toml"
    path.write_text(text)
    return str(path)


def imports_of(store: Store, path: Path, kind: FileKind, template: Template | None = None) -> list[FileImport]:
    """Return the imports of a file that can be undone, the latest first."""
    return list(standing(store, kind, file_digest(path), template=None if template is None else as_json(template)))


def undo_order_lines(store: Store, path: Path, template: Template, *, now: datetime) -> Undone:
    """Undo every import of a file of order lines."""
    return order_line_imports.undo_order_lines(imports_of(store, path, ORDER_LINE_FILES, template), now=now)


def import_product_costs(store: Store, path: Path, *, options: Options, now: datetime, actor: str = "") -> CostReport:
    """Take a file of product costs, and save the change that it proposes."""
    read = read_product_costs(store, path, options=options, now=now)
    row = new_import(store, PRODUCT_COSTS.name, {}, filename=path.name, sha256=file_digest(path), actor=actor, now=now)
    take_product_costs(read, row, now=now)
    if row.proposal is not None:
        proposals.apply(row.proposal, actor=actor, now=now)
    return read.report
