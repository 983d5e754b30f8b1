"""Make spreadsheets, and go through taking them in and out as a person does."""

import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ledger.models import (
    CostChange,
    Store,
    Variant,
    VariantCost,
)
from ledger.models.rules import Rule
from ledger.rules import rules
from tests.builders import at, day

NOW = at("2026-03-03 12:00")
COSTS = "/admin/ledger/variantcost"
HEADINGS = "SKU,Goods,Freight,Currency,From"


def variant(sku: str) -> Variant:
    """Return what is sold under a SKU."""
    return Variant.objects.get(sku=sku)


def standing(store: Store, *added: Rule) -> None:
    """Let rules hold in a store."""
    rules.write(store, add=added, actor="before", now=NOW)


def a_cost(sku: str, goods: str, since: str | None = None, **parts: Any) -> VariantCost:
    """Make the cost of a variant."""
    return VariantCost(variant=variant(sku), goods=Decimal(goods), currency="EUR", effective_from=day(since) if since else None, **parts)


def csv_file(*lines: str, name: str = "costs.csv") -> SimpleUploadedFile:
    """Make a CSV file."""
    return SimpleUploadedFile(name, "\n".join(lines).encode(), "text/csv")


def workbook(*rows: Sequence[Any], formats: dict[str, str] | None = None) -> SimpleUploadedFile:
    """Make an Excel workbook; `formats` gives cells a number format."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(list(row))
    for place, number_format in (formats or {}).items():
        sheet[place].number_format = number_format
    saved = io.BytesIO()
    book.save(saved)
    return SimpleUploadedFile("costs.xlsx", saved.getvalue())


def look(client: Client, store: Store, file: SimpleUploadedFile, page: str = COSTS, reason: str = "") -> Any:
    """Choose a file and return the page that shows what it would change."""
    return client.post(f"{page}/import/", {"store": store.pk, "import_file": file, "reason": reason, "resource": "0"})


def confirm(client: Client, looked: Any, page: str = COSTS) -> Any:
    """Confirm what was looked at and return the answer."""
    return client.post(f"{page}/process_import/", {"digest": looked.context["held"].digest})


def counts(looked: Any) -> tuple[int, int, int]:
    """Return how many rows are new, changed and unchanged."""
    (_, new), (_, changed) = looked.context["kinds"]
    return len(new), len(changed), looked.context["unchanged"]


def problems(looked: Any) -> list[tuple[int, str, str]]:
    """Return what is to be mended: row, column, words."""
    return [tuple(problem) for problem in looked.context["resource"].problems]


def refusal(looked: Any) -> str:
    """Return why a file was not read."""
    return " ".join(looked.context["form"].errors["import_file"])


def exported(client: Client, page: str, kind: str = "0", query: str = "") -> bytes:
    """Take a list out as a file: CSV is 0, a workbook 1."""
    answer = client.post(f"{page}/export/{query}", {"format": kind, "resource": "0"})
    assert answer.status_code == 200, answer
    assert "attachment" in answer.get("Content-Disposition", ""), answer.content.decode()
    return bytes(answer.content)


def lines_of(data: bytes) -> list[str]:
    """Return the lines of a CSV file."""
    return data.decode("utf-8-sig").split("\r\n")[:-1]


def nothing_saved() -> bool:
    """Tell whether no rule was written and no change made."""
    return not any(kind.objects.exists() for kind in (*rules.SCOPES, CostChange))


def file_of(data: bytes, name: str = "again.csv") -> SimpleUploadedFile:
    """Make a file of what was taken out."""
    return SimpleUploadedFile(name, data)
