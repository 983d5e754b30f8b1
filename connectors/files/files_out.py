"""Write rows of a file that are wrong, or fit nothing, as a CSV file for the person who mends them."""

import csv
import io
from collections.abc import Iterable

from connectors.files.kind import Found, Listed
from connectors.platforms.files.faults import RowFault

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def faults_csv(faults: Iterable[RowFault]) -> str:
    """Write what is wrong with a file's rows."""
    return _csv(("line", "column", "what to mend"), ((str(fault.line), fault.column, fault.message) for fault in faults))


def loose_csv(found: Found) -> str:
    """Write the rows that fit no order or product."""
    why = {False: f"no {found.loose_what} fits", True: "several fit"}
    rows = ((str(row.line), row.name, row.reference, why[row.ambiguous]) for row in found.loose)
    return _csv(("line", found.loose_what, "reference", "why"), rows)


def listed_csv(listed: Listed) -> str:
    """Write rows that a person should see one by one."""
    return _csv(listed.headings, listed.rows)


def _csv(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write rows so that no spreadsheet runs a text as a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([f"'{text}" if text.startswith(FORMULA) else text for text in row] for row in rows)
    return out.getvalue()
