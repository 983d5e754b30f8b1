"""Turn a sheet's rows into rules to be added and rules to be taken back. Nothing is saved here: the result is proposed."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any, ClassVar

import tablib
from django.core.exceptions import ValidationError
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.results import Result, RowResult

from ledger.admin.cells import CellRefused, has_decimal_comma, refuse_thousands, tidied
from ledger.admin.names import Names
from ledger.admin.sheet_files import LINE, FileRefused
from ledger.admin.sheet_lines import Differences, Line, Problem, Row
from ledger.models import Store
from ledger.models.rules import Rule
from ledger.rules import rules

FIRST = date.min
"""Stands for the first day of a rule that always has held, where days are put in order."""
NEVER_READ = ["store", "added_by", "removed_by", "product", "variant", "bundle", "component", "partner"]
"""Not checked with a row: its names have been found among the store's own already."""


class RuleResource(ModelResource):  # type: ignore[misc]  # the library has no types
    """Reads and writes the rules of one kind. A row is about the standing rule with the same key."""

    key: ClassVar[tuple[str, ...]]
    """The fields that say what a rule is about, from when."""
    needed: ClassVar[tuple[str, ...]]
    """The headings a sheet cannot do without."""

    most: ClassVar[int] = 1_000
    """Rows of one file: each is a rule of its own to be tried, shown and made while the person waits."""
    order: ClassVar[tuple[str, ...]] = ("pk",)
    """Of several standing rules with one key, the first is the one that a changed row is about."""
    twice: ClassVar[str] = "Keep one of them."
    """What to do about two rows with one key."""

    class Meta:
        use_bulk = True  # no savepoint for each row; nothing is ever gathered for it
        chunk_size = 2_000

    def __init__(self, store: Store | None = None, **kwargs: Any) -> None:
        super().__init__()
        self.store = store
        self.problems: list[Problem] = []
        self.lines: list[Line] = []
        self._names: dict[int, Names] = {}
        self._standing: dict[tuple[Any, ...], list[Rule]] = {}
        self._allowed: dict[tuple[Any, ...], int] = {}
        self._read: dict[tuple[Any, ...], list[int]] = {}
        self._old: Rule | None = None

    # Writing.

    def names(self, store_id: int) -> Names:
        """Return the names of a store's things."""
        if store_id not in self._names:
            known = self.store is not None and self.store.pk == store_id
            self._names[store_id] = Names(self.store if known and self.store else Store.objects.get(pk=store_id))
        return self._names[store_id]

    def export_field(self, field: Field, instance: Any, **kwargs: Any) -> Any:
        """Write one cell, with names in place of keys; `native` keeps numbers and days as such."""
        return field.widget.render(field.get_value(instance), names=self.names(instance.store_id), native=kwargs.get("native", False))

    def written(self, rule: Rule) -> list[str]:
        """Write a rule as a row."""
        return [self.export_field(field, rule) for field in self.get_import_fields()]

    # Reading.

    @classmethod
    def get_diff_class(cls) -> Any:
        """Return what compares a rule before and after."""
        return Differences

    @classmethod
    def get_row_result_class(cls) -> Any:
        """Return what tells of one row."""
        return Row

    def read(self, sheet: tablib.Dataset, *, semicolons: bool = False) -> Result:
        """Read every row against what stands now, and write nothing. Look at `problems` before `changes`; raise FileRefused for wrong headings.

        `semicolons` says that they stood between the cells.
        """
        assert self.store is not None  # noqa: S101  # a sheet is read for a store
        self._put_headings_right(sheet)
        if len(sheet) > self.most:
            raise FileRefused(f"More than {self.most:,} rows of this kind are not taken at once. Split the file.")
        for rule in rules.live(self._meta.model, self.store).order_by(*self.order):
            self._standing.setdefault(self._key_of(rule), []).append(rule)
        self._allowed = {key: len(standing) for key, standing in self._standing.items()}
        result = self.import_data(sheet, dry_run=True, names=self.names(self.store.pk))
        for failed in (*result.base_errors, *(error for _, errors in result.row_errors() for error in errors)):
            raise failed.error
        for row in result.invalid_rows:
            self.problems += self._told(sheet[row.number - 1][0], row.error)
        self._refuse_thousands(sheet, semicolons)
        self._settle_days()
        self.problems.sort(key=lambda problem: problem.line)
        return result

    def _refuse_thousands(self, sheet: tablib.Dataset, semicolons: bool) -> None:
        """Note amounts that may be thousands: where cells are set apart by semicolons, the decimal sign most likely is a comma."""
        headings = [field.column_name for field in self.get_import_fields() if field.widget.is_amount and field.column_name in sheet.headers]
        if semicolons or any(has_decimal_comma(text) for heading in headings for text in sheet[heading]):
            for heading in headings:
                for line, text in zip(sheet[LINE], sheet[heading], strict=True):
                    try:
                        refuse_thousands(text)
                    except CellRefused as refused:
                        self.problems.append(Problem(line, heading, str(refused)))

    def changes(self) -> tuple[list[Rule], list[Rule]]:
        """Return the rules to add and those to take back."""
        changed = [line for line in self.lines if line.result.import_type != RowResult.IMPORT_TYPE_SKIP]
        return [self.to_add(line.rule) for line in changed], [line.old for line in changed if line.old is not None and self.replaces(line.old)]

    def replaces(self, old: Rule) -> bool:
        """Tell whether a changed row takes the place of the rule it is about."""
        return True

    def to_add(self, rule: Rule) -> Rule:
        """Return a rule as it is to be added."""
        return rule

    def _told(self, line: int, error: ValidationError) -> list[Problem]:
        headings = {field.attribute: field.column_name for field in reversed(self.get_import_fields())}
        by_field: dict[str, list[ValidationError]] = getattr(error, "error_dict", None) or {"": error.error_list}
        return [
            Problem(line, headings.get(name) or headings.get(f"{name}_id", ""), "Give a value." if each.code in ("null", "blank") else text)
            for name, errors in by_field.items() for each in errors for text in each.messages
        ]  # fmt: skip

    def _put_headings_right(self, sheet: tablib.Dataset) -> None:
        known = {field.column_name.casefold(): field.column_name for field in self.get_import_fields()}
        given = [heading for heading in sheet.headers or [] if heading != LINE]
        strange = [heading for heading in given if heading.casefold() not in known]
        if strange:
            raise FileRefused(f"The heading “{strange[0][:60]}” is not known here. Headings: {', '.join(known.values())}.")
        missing = [heading for heading in self.needed if heading.casefold() not in {each.casefold() for each in given}]
        if missing:
            raise FileRefused(f"The heading “{missing[0]}” is missing. Export the list to see how a sheet looks.")
        sheet.headers = [LINE, *(known[heading.casefold()] for heading in given)]

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        """Refuse the row of another store."""
        self._old = None
        named = row.get("Store", "")
        if named and self.store is not None and tidied(named).casefold() != self.store.name.casefold():
            raise ValidationError({"store": f"This row is of “{named}”, and the file is read for {self.store}. Take it out, or choose that store."})

    def init_instance(self, row: Any = None) -> Any:
        """Begin a new rule."""
        return self._meta.model(store_id=self.store.pk if self.store is not None else None)

    def get_instance(self, instance_loader: Any, row: Any) -> Rule | None:
        """Return a copy of the standing rule that a row is about; None where there is none, or where the row does not tell."""
        candidate = self.init_instance()
        try:
            for field in self.get_import_fields():
                if field.attribute in self.key:
                    self.import_field(field, candidate, row, names=self.names(candidate.store_id))
        except CellRefused:
            return None  # told with the row's other problems
        key, number = self._key_of(candidate), row[LINE]
        earlier, standing = self._read.setdefault(key, []), self._standing.get(key, [])
        if len(earlier) >= max(1, self._allowed.get(key, 0)):
            raise ValidationError(f"This row is about the same thing and day as row {earlier[-1]}. {self.twice}")
        earlier.append(number)
        if not standing:
            return None
        self._old = next((rule for rule in standing if self._says(row, rule)), standing[0])
        standing.remove(self._old)
        return rules.copy_of(self._old)

    def _says(self, row: Any, rule: Rule) -> bool:
        """Tell whether a row says just what a rule does."""
        said: Any = rules.copy_of(rule)
        try:
            self.import_instance(said, row, names=self.names(rule.store_id))
        except ValidationError:
            return False
        return self._same(said, rule)

    def _key_of(self, rule: Rule) -> tuple[Any, ...]:
        return tuple(getattr(rule, name) for name in self.key)

    def _same(self, one: Rule, other: Rule) -> bool:
        return all(getattr(one, field.attname) == getattr(other, field.attname) for field in rules.value_fields(self._meta.model))

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        """Tell whether a row leaves the standing rule as it is; its values are brought into their form first."""
        if import_validation_errors or self._old is None:
            return False
        try:
            self._clean(instance, {})
        except ValidationError:
            return False
        return self._same(instance, self._old)

    def validate_instance(self, instance: Any, import_validation_errors: Any = None, validate_unique: bool = True) -> None:
        """Check the rule as its own form would; raise ValidationError with what the cells told as well."""
        self._clean(instance, dict(import_validation_errors or {}))

    def _clean(self, rule: Rule, errors: dict[str, Any]) -> None:
        exclude = {*NEVER_READ, *errors}
        try:
            rule.full_clean(exclude=exclude, validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            # A cell that could not be read is told once; that its value is missing then is no news.
            errors = {**{name: told for name, told in error.error_dict.items() if name not in errors}, **errors}
        if errors:
            raise ValidationError(errors)

    def save_instance(self, instance: Any, is_create: bool, row: Any, **kwargs: Any) -> None:
        """Save nothing: rules are written when their proposal is applied."""

    def after_import_row(self, row: Any, row_result: RowResult, **kwargs: Any) -> None:
        """Keep a good row for what is decided once all are read."""
        self.lines.append(Line(row[LINE], row_result.instance, self._old, row_result))

    def import_row(self, row: Any, instance_loader: Any, **kwargs: Any) -> RowResult:
        """Read one row and keep the rule it says."""
        result: RowResult = super().import_row(row, instance_loader, **{**kwargs, "retain_instance_in_row_result": True})
        return result

    # What rows say of each other's days.

    def _settle_days(self) -> None:
        """Let a rule without a last day end where the sheet's next about the same thing begins; refuse two on one day."""
        scope = rules.SCOPES[self._meta.model]
        if scope is None or "effective_from" in scope:
            return
        about = [self._meta.model._meta.get_field(name).attname for name in scope]
        groups: dict[tuple[Any, ...], list[Line]] = {}
        for line in self.lines:
            groups.setdefault(tuple(getattr(line.rule, name) for name in about), []).append(line)
        for lines in groups.values():
            lines.sort(key=lambda line: line.rule.effective_from or FIRST)
            for line, following in pairwise(lines):
                self._settle(line, following)

    def _settle(self, line: Line, following: Line) -> None:
        rule, begins = line.rule, following.rule.effective_from
        if rule.effective_to is not None and begins <= rule.effective_to:
            told = f"This row and row {line.number} would both hold on {begins:%-d %b %Y}. End row {line.number} the day before."
            self.problems.append(Problem(following.number, "From", told))
        if rule.effective_to is not None or line.result.import_type == RowResult.IMPORT_TYPE_SKIP:
            return
        rule.effective_to = begins - timedelta(days=1)
        compared = Differences(self, line.old or rule, new=line.old is None)
        compared.compare_with(self, rule)
        line.result.diff = compared.as_html()
        if line.old is not None and self._same(rule, line.old):
            line.result.import_type = RowResult.IMPORT_TYPE_SKIP
