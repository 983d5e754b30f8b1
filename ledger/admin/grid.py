"""Fill in what variants cost, many at a time, on one page per store; what is typed is proposed, never saved from here."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.http import urlencode

from ledger.admin import cells, grid_rows
from ledger.admin.base import stores_of
from ledger.admin.cells import CellRefused
from ledger.admin.grid_rows import PAGE, PARTS, Gap, Refused, Typed
from ledger.admin.names import Names
from ledger.admin.proposals import actor_of, to_review
from ledger.admin.sheets import MOST_TOLD, SheetAdmin
from ledger.admin.typed import CurrencyField
from ledger.models import ProposedChange, Store, Variant
from ledger.models.stores import valid_currency
from ledger.people import EDITORS
from ledger.rules.proposals import propose
from ledger.rules.rules import RuleRefused
from ledger.stores import today_of

LONGEST_PASTED = 1_000_000
"""Characters that may be pasted."""
SHOWN = (("missing", "without a known cost"), ("all", "all variants"))


class WhichForm(forms.Form):
    """Asks which variants to show."""

    store = forms.ModelChoiceField(Store.objects.none())
    show = forms.ChoiceField(choices=SHOWN, required=False)
    q = forms.CharField(max_length=120, required=False, label="SKU or title")

    def __init__(self, stores: "QuerySet[Store]", asked: Any) -> None:
        super().__init__(asked, auto_id="which_%s")
        choice: Any = self.fields["store"]
        choice.queryset = stores
        if stores.count() == 1:
            choice.widget = forms.HiddenInput()


class SheetForm(forms.Form):
    """Asks what holds for the whole sheet: the day, the currency, the reason, and what was pasted."""

    since = forms.DateField(label="From", required=False, widget=forms.DateInput({"type": "date"}))
    always = forms.BooleanField(label="Always: for past sales as well", required=False)
    currency = CurrencyField(max_length=3, validators=[valid_currency])
    reason = forms.CharField(max_length=200, required=False, help_text="Why, for whoever wonders later.")
    pasted = forms.CharField(
        max_length=LONGEST_PASTED, required=False, strip=False, label="Paste SKU and cost", widget=forms.Textarea({"rows": 5, "spellcheck": "false"}),
        help_text="One line each: SKU, goods, and if you like freight, duty, packaging, currency; set apart by tabs, semicolons or commas.",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Ask for a day, or for always."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("always"):
            values["since"] = None
        elif not values.get("since") and "since" not in self.errors:
            self.add_error("since", "Give the first day these costs hold, or tick “Always”.")
        return values


class Row(NamedTuple):
    """A variant with what was typed into its inputs, and what is wrong with that."""

    gap: Gap
    inputs: list[tuple[str, str, str, str]]
    """Of each part: its name, that of its input, what stands in it, and what holds now."""
    problem: str


class GridAdmin(SheetAdmin):
    """Adds the grid to the list of variant costs."""

    def get_urls(self) -> list[Any]:
        """Return the addresses, the grid's before those that take anything."""
        grid = path("grid/", self.admin_site.admin_view(self.grid), name=f"{self.opts.app_label}_{self.opts.model_name}_grid")
        return [grid, *super().get_urls()]

    def page_links(self, request: HttpRequest) -> list[tuple[str, str]]:
        """Return the ways from the list, the grid first."""
        return [("Fill in costs by SKU", self._address("grid")), *super().page_links(request)]

    def grid(self, request: HttpRequest) -> HttpResponse:
        """Show the variants of a store with inputs for what they cost; propose what was typed."""
        stores = stores_of(request, EDITORS)
        kept = self._went_back(request)
        asked = request.GET.copy()
        if "store" not in asked:
            first = kept.store if kept is not None else stores.first()
            asked["store"] = str(first.pk) if first is not None else ""
        which = WhichForm(stores, asked)
        if not which.is_valid():
            return self._grid_page(request, which)
        store = which.cleaned_data["store"]
        today = today_of(store, timezone.now())
        if request.method == "POST":
            return self._posted(request, which, store, today)
        typed, pasted = _typed_before(kept)
        initial = {"since": today.isoformat(), "currency": store.currency, **_sheet_of(kept), "pasted": pasted}
        only = set(typed) or None
        return self._grid_page(request, which, SheetForm(initial=initial), store=store, today=today, typed=typed, only=only)

    def _went_back(self, request: HttpRequest) -> ProposedChange | None:
        """Return the proposal that somebody goes back from, to fill the page in again."""
        asked = request.GET.get("proposed", "")
        if not (asked.isascii() and asked.isdecimal() and len(asked) < 19):
            return None
        return ProposedChange.objects.filter(pk=asked, store__in=stores_of(request, EDITORS)).select_related("store").first()

    def _posted(self, request: HttpRequest, which: WhichForm, store: Store, today: date) -> HttpResponse:
        sheet, typed = SheetForm(request.POST), _typed(request)
        only = set(Variant.objects.filter(store=store, pk__in=list(typed)[:PAGE]).values_list("pk", flat=True)) or None
        wrong: list[Refused] = []
        if sheet.is_valid():
            given, wrong = _given(store, typed, sheet.cleaned_data)
            costs, refused = grid_rows.costs_of(store, given, since=sheet.cleaned_data["since"], today=today)
            wrong += refused
            if not wrong and not costs:
                sheet.add_error(None, "Nothing would change: type or paste a cost that differs from what holds. A cost of nothing is a typed 0.")
            elif not wrong:
                try:
                    reason = sheet.cleaned_data["reason"]
                    proposed = propose(store, add=costs, actor=actor_of(request), reason=reason, origin=request.path, now=timezone.now())
                    return to_review(proposed)
                except RuleRefused as error:
                    sheet.add_error(None, str(error))
        return self._grid_page(request, which, sheet, store=store, today=today, typed=typed, only=only, wrong=wrong)

    def _grid_page(
        self, request: HttpRequest, which: WhichForm, sheet: SheetForm | None = None, *, store: Store | None = None, today: date | None = None,
        typed: Mapping[int, Mapping[str, str]] | None = None, only: set[int] | None = None, wrong: list[Refused] | None = None,
    ) -> HttpResponse:  # fmt: skip
        told: dict[str, Any] = {"rows": [], "wrong": (wrong or [])[:MOST_TOLD], "more_wrong": max(0, len(wrong or []) - MOST_TOLD)}
        if store is not None and today is not None:
            show, search, page = which.cleaned_data["show"] == "all", which.cleaned_data["q"].strip(), _page_number(request)
            found = grid_rows.gaps(store, today=today, whole=show, search=search, only=only, page=1 if only else page)
            told |= {"rows": [_row(gap, typed or {}, wrong or []) for gap in found[:PAGE]], "only": only, "page": page, "page_size": PAGE}
            told |= {"next": _turn(which, page + 1) if len(found) > PAGE else "", "previous": _turn(which, page - 1) if page > 1 and not only else ""}
        context = {
            **self.admin_site.each_context(request), "title": "Fill in costs by SKU", "opts": self.opts, "which": which, "sheet": sheet,
            "store": store, "parts": PARTS, "list_address": self._address("changelist"), "address": self._address("grid"), **told,
        }  # fmt: skip
        return TemplateResponse(request, "admin/ledger/variantcost/grid.html", context)


def _page_number(request: HttpRequest) -> int:
    asked = request.GET.get("page", "")
    return max(1, int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 7 else 1


def _turn(which: WhichForm, page: int) -> str:
    values = which.cleaned_data
    return "?" + urlencode({"store": values["store"].pk, "show": values["show"], "q": values["q"], "page": page})


def _typed(request: HttpRequest) -> dict[int, dict[str, str]]:
    """Return what was typed into the table, by variant and part; variants are not checked to be the store's yet."""
    typed: dict[int, dict[str, str]] = {}
    for name, value in request.POST.items():
        part, _, pk = name.partition("-")
        if part in PARTS and pk.isascii() and pk.isdecimal() and len(pk) < 19:
            typed.setdefault(int(pk), {})[part] = str(value)
    return typed


def _given(store: Store, typed: Mapping[int, Mapping[str, str]], sheet: Mapping[str, Any]) -> tuple[list[Typed], list[Refused]]:
    """Read what was typed and pasted; raise nothing, tell what is wrong by row."""
    names = Names(store)
    filled = {pk: texts for pk, texts in typed.items() if any(text.strip() for text in texts.values())}
    sold = {pk: sku or title or external_id for pk, sku, title, external_id in
            Variant.objects.filter(store=store, pk__in=filled).values_list("pk", "sku", "title", "external_id")}  # fmt: skip
    given, wrong = list[Typed](), list[Refused]()
    for pk, texts in filled.items():
        if pk not in sold:
            wrong.append(Refused("Table", f"One of the rows is about something that {store} does not sell. Load the page again."))
            continue
        try:
            parts = {part: grid_rows.not_negative(cells.tidied(texts.get(part, ""))) for part in PARTS}
        except CellRefused as refused:
            wrong.append(Refused(sold[pk], str(refused), pk))
            continue
        given.append(Typed(pk, parts, sheet["currency"], sold[pk]))
    if sheet["pasted"].strip():
        more, problems = grid_rows.pasted(sheet["pasted"], names, sheet["currency"])
        given += more
        wrong += problems
    return given, wrong


def _row(gap: Gap, typed: Mapping[int, Mapping[str, str]], wrong: list[Refused]) -> Row:
    texts = typed.get(gap.pk, {})
    problem = next((each.message for each in wrong if each.variant == gap.pk), "")
    return Row(gap, [(part, f"{part}-{gap.pk}", texts.get(part, ""), gap.parts.get(part, "")) for part in PARTS], problem)


def _typed_before(kept: ProposedChange | None) -> tuple[dict[int, dict[str, str]], str]:
    """Return what a proposal holds as it would be typed: into the table, or, where there are too many rows for that, pasted."""
    if kept is None:
        return {}, ""
    values = [each["values"] for each in kept.add if each["model"] == "variantcost"]
    if len(values) <= PAGE:
        return {each["variant_id"]: {part: cells.plain(Decimal(each[part])) for part in PARTS} for each in values}, ""
    skus = dict(Variant.objects.filter(store=kept.store, pk__in=[each["variant_id"] for each in values]).values_list("pk", "sku"))
    return {}, "\n".join(
        "\t".join([skus[each["variant_id"]], *(cells.plain(Decimal(each[part])) for part in PARTS), each["currency"]]) for each in values
    )


def _sheet_of(kept: ProposedChange | None) -> dict[str, Any]:
    """Return what held for the whole sheet of a proposal."""
    values = [each["values"] for each in kept.add if each["model"] == "variantcost"] if kept is not None else []
    if kept is None or not values:
        return {}
    first = values[0]["effective_from"]
    return {"since": first or "", "always": first is None, "currency": values[0]["currency"], "reason": kept.reason}
