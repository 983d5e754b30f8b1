"""Write order-line files for tests."""

import gzip
from pathlib import Path

from connectors.platforms.files.template import FOLDER

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
