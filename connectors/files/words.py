"""Say in sentences what a file holds and what was done with it."""

from connectors.files.kind import Found

MOST_NAMED = 20
"""Loose and listed rows that are named one by one."""


def lines_of(found: Found, *, written: bool) -> list[str]:
    """Return a report in sentences, one a line, with the first rows that fit nothing."""
    counts = "".join(f", {count.value:,} {count.label}" for count in found.counts)
    lines = [f"{found.filename}: {found.rows:,} rows{counts} ({found.encoding}, “{found.delimiter}”)."]
    if found.columns:
        lines.append(f"Columns: {', '.join(f'{name} = “{header}”' for name, header in found.columns)}.")
    if found.dropped_columns:
        lines.append(f"Columns not read: {', '.join(found.dropped_columns)}.")
    lines += [f"Sum of {one.label}: {one.amount} {one.currency}." for one in found.sums]
    lines += [*found.notes, *found.warnings, done_line(found, written=written), *_listed_lines(found), *_loose_lines(found)]
    return lines if written else [*lines, "Dry run: nothing was written."]


def done_line(found: Found, *, written: bool) -> str:
    """Say how many of what a file tells is new, or how many would be."""
    head, tail = (f"Import {found.import_id}: ", f"; {found.entries:,} entries") if written else ("Would be: ", "")
    return f"{head}{found.new:,} new {found.unit}, {found.changed:,} changed, {found.unchanged:,} unchanged{tail}."


def _listed_lines(found: Found) -> list[str]:
    lines = []
    for listed in found.lists:
        lines += [f"{listed.title}:", *(f"  {', '.join(row)}" for row in listed.rows[:MOST_NAMED])]
        lines += [f"  … and {listed.count - MOST_NAMED:,} more"] if listed.count > MOST_NAMED else []
    return lines


def _loose_lines(found: Found) -> list[str]:
    if not found.loose_count:
        return []
    means = f" ({found.loose_means})" if found.loose_means else ""
    lines = [f"{found.loose_count:,} row{'s' if found.loose_count > 1 else ''} without {article(found.loose_what)}{means}:"]
    for loose in found.loose[:MOST_NAMED]:
        more = " (several fit)" if loose.ambiguous else ""
        lines.append(f"  line {loose.line}: {loose.name}{f', {loose.reference}' if loose.reference else ''}{more}")
    rest = found.loose_count - MOST_NAMED
    return [*lines, f"  … and {rest:,} more"] if rest > 0 else lines


def article(noun: str) -> str:
    """Return a noun with its indefinite article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
