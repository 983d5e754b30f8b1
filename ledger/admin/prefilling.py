"""Fill the form of a rule in: from a rule that is to change, from a proposal one goes back to, from the address, from the store."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db.models import ForeignKey
from django.http import HttpRequest
from django.utils import timezone

from ledger.admin.base import stores_of
from ledger.models import ProposedChange, Store
from ledger.models.rules import Rule
from ledger.rules import rules
from ledger.stores import today_of

CHANGES, REPLACES, PROPOSED = "changes", "replaces", "proposed"
"""Named in the address: the rule that is to change from a day on, the one that is wrong altogether, the proposal one goes back to."""


def named(page: Any, request: HttpRequest, name: str) -> Rule | None:
    """Return the standing rule that the address names, of the person's own stores."""
    asked = request.GET.get(name, "")
    found: Rule | None = page.get_queryset(request).filter(pk=int(asked)).first() if asked.isdecimal() else None
    return found


def initial(page: Any, request: HttpRequest, filled: dict[str, Any]) -> dict[str, Any]:
    """Return what a rule's form starts with; `filled` is what the address says field by field."""
    kept = _proposed(page, request)
    if kept is not None:
        return kept
    wrong, old = named(page, request, REPLACES), named(page, request, CHANGES)
    if wrong is not None:
        return _values(wrong)
    store = old.store if old is not None else _store(page, request, filled)
    if store is None:
        return filled
    today = today_of(store, timezone.now())
    if old is not None:
        values = _values(old)
        ended = old.effective_to is not None and old.effective_to < today
        return {**values, "effective_from": _first_day(page.begins, today), "effective_to": None if ended else old.effective_to, **_asked(filled)}
    own = {"store": store.pk, **({"currency": store.currency} if page.own_currency else {})}
    starts = {"effective_from": _first_day(page.begins, today)} if page.begins else {}
    return {**starts, **own, **filled}


def day_choices(page: Any, request: HttpRequest) -> list[tuple[str, str, bool]]:
    """Return when a new rule may begin at a click: in words, the address of the form filled in so, and whether it is."""
    filled = page.get_changeform_initial_data(request)
    store = _store(page, request, filled)
    today = today_of(store, timezone.now()) if store is not None else timezone.now().date()
    present = str(filled.get("effective_from") or "")
    at_once = {today.isoformat(): f"from today, {today:%-d %B}"} if page.begins != "month" else {}
    days = at_once | {
        today.replace(day=1).isoformat(): f"from the 1st of {today:%B}",
        today.replace(month=1, day=1).isoformat(): f"from the 1st of January {today.year}", "": "always",
    }  # fmt: skip
    asked = {name: value for name, value in request.GET.items() if name not in ("effective_from", REPLACES)}
    return [(told, f"?{urlencode({**asked, 'effective_from': first})}", first == present) for first, told in days.items()]


def _proposed(page: Any, request: HttpRequest) -> dict[str, Any] | None:
    asked = request.GET.get(PROPOSED, "")
    if not asked.isdecimal():
        return None
    kept = page.admin_site._registry[ProposedChange].get_queryset(request).filter(pk=int(asked)).first()
    first = next((each for each in kept.add if each["model"] == page.opts.model_name), None) if kept is not None else None
    if first is None:
        return None
    values = {name.removesuffix("_id"): value for name, value in first["values"].items()}
    return {**values, "reason": kept.reason, **_asked({name: request.GET[name] for name in ("effective_from",) if name in request.GET})}


def _asked(filled: dict[str, Any]) -> dict[str, Any]:
    return {name: filled[name] for name in ("effective_from",) if name in filled}


def _values(rule: Rule) -> dict[str, Any]:
    """Return a rule's values as its form names them."""
    fields = rules.value_fields(type(rule))
    return {field.name if isinstance(field, ForeignKey) else field.attname: getattr(rule, field.attname) for field in fields}


def _store(page: Any, request: HttpRequest, filled: dict[str, Any]) -> Store | None:
    """Return the store that the address names, the one that sells what it names, or the person's only one."""
    own = stores_of(request, page.roles)
    if str(filled.get("store") or "").isdecimal():
        return own.filter(pk=int(filled["store"])).first()
    for name in ("product", "variant"):
        if str(filled.get(name) or "").isdecimal():
            return own.filter(**{f"{name}s__pk": int(filled[name])}).first()
    found = list(own[:2])
    return found[0] if len(found) == 1 else None


def _first_day(begins: str, today: date) -> date:
    return today.replace(day=1) if begins == "month" else today
