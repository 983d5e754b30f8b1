"""List every kind of file that can be imported, and recognise what a file is from its header."""

from pathlib import Path
from typing import Any, NamedTuple

from connectors.files.costs.cost_files import COMMISSION_FILES, PRODUCT_COST_FILES, SHIPPING_COST_FILES
from connectors.files.costs.fee_files import PAYPAL_FILES, SHOPIFY_PAYMENTS_FILES, STRIPE_FILES
from connectors.files.costs.product_exports import SHOPIFY_PRODUCT_FILES
from connectors.files.costs.spend_files import AD_SPEND_FILES, GOOGLE_ADS_FILES, META_ADS_FILES
from connectors.files.foreign import foreign_of
from connectors.files.imports import standing
from connectors.files.kind import FileKind
from connectors.files.orders.order_line_files import ORDER_LINE_FILES
from connectors.files.orders.shopify_files import SHOPIFY_ORDER_FILES, SHOPIFY_TRANSACTION_FILES
from connectors.models import FileImport
from connectors.platforms.files import reading
from connectors.platforms.files.faults import FileRefused
from ledger.models import Store

FILE_KINDS: tuple[FileKind, ...] = (
    SHOPIFY_ORDER_FILES, SHOPIFY_TRANSACTION_FILES, SHOPIFY_PAYMENTS_FILES, STRIPE_FILES, PAYPAL_FILES, META_ADS_FILES, GOOGLE_ADS_FILES,
    SHOPIFY_PRODUCT_FILES, PRODUCT_COST_FILES, COMMISSION_FILES, SHIPPING_COST_FILES, ORDER_LINE_FILES, AD_SPEND_FILES,
)  # fmt: skip
"""Every kind, the most particular first: where several recognise a header, the first is suggested."""


class UnknownFileKind(LookupError):
    """Say that this version reads no such kind of file."""


def find(name: str) -> FileKind:
    """Return a kind by its name; raise UnknownFileKind when there is none."""
    for kind in FILE_KINDS:
        if kind.name == name:
            return kind
    raise UnknownFileKind(f"This version of ProfitPeek reads no file of the kind “{name}”.")


class Candidate(NamedTuple):
    """A kind that a file may be of, and how it would be read; None where a person has to say that first."""

    kind: FileKind
    template: dict[str, Any] | None


class Recognised(NamedTuple):
    """What a file's header says it is."""

    header: list[str]
    candidates: list[Candidate]
    """The likeliest first; empty when no kind fits."""
    foreign: str
    """What it looks like where that is a file which is not read here, and which one to take instead."""


def recognise(store: Store, path: Path) -> Recognised:
    """Find out what a file is; raise FileRefused where it is no text, or empty."""
    header = header_of(path)
    found = [Candidate(kind, kind.template_for(store, header)) for kind in FILE_KINDS if kind.recognises(header)]
    own = ORDER_LINE_FILES.template_for(store, header)
    if own is not None and all(candidate.kind is not ORDER_LINE_FILES for candidate in found):
        # somebody has said once how this very header is read: nothing is surer
        found.insert(0, Candidate(ORDER_LINE_FILES, own))
    return Recognised(header, found, foreign_of(header) if not found else "")


def standing_with(row: FileImport) -> list[FileImport]:
    """Return the imports that are undone together with one: those of the same file as its kind, the latest first."""
    return list(standing(row.store, find(row.kind), row.sha256, template=row.template).select_related("store", "proposal"))


def header_of(path: Path) -> list[str]:
    """Return a file's first row that is not blank; raise FileRefused where it is no text, or empty."""
    first = next(reading.table(path, reading.find_dialect(path)), None)
    if first is None or not any(text.strip() for text in first[1]):
        raise FileRefused(f"{path.name} is empty: it has no row that names the columns.")
    return [text.strip() for text in first[1]]
