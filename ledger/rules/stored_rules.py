"""Keep rules as JSON, and make them again as they were."""

from datetime import date
from decimal import Decimal
from typing import Any

from ledger.models.rules import Rule
from ledger.rules import rules
from ledger.rules.rules import RuleRefused

Stored = dict[str, Any]
"""A rule to be added: its model and values; or one to be removed: its model and key."""

KINDS = {str(kind._meta.model_name): kind for kind in rules.SCOPES}


def values_of(rule: Rule) -> Stored:
    """Return a rule's model and values, apart from who set it when."""
    values = {field.attname: _plain(getattr(rule, field.attname)) for field in rules.value_fields(type(rule))}
    return {"model": rule._meta.model_name, "values": values}


def key_of(rule: Rule) -> Stored:
    """Return a standing rule's model and key."""
    return {"model": rule._meta.model_name, "pk": rule.pk}


def made_again(stored: Stored) -> Rule:
    """Return a rule from its values, not saved."""
    kind, values = KINDS[stored["model"]], stored["values"]
    return kind(**{field.attname: field.to_python(values[field.attname]) for field in rules.value_fields(kind) if field.attname in values})


def found_again(stored: list[Stored]) -> list[Rule]:
    """Return the rules of such keys, whether they stand or not, in their order; raise RuleRefused where one is gone altogether."""
    keys: dict[str, list[int]] = {}
    for each in stored:
        keys.setdefault(each["model"], []).append(each["pk"])
    found = {(model, row.pk): row for model, pks in keys.items() for row in KINDS[model]._default_manager.filter(pk__in=pks)}
    missing = [each for each in stored if (each["model"], each["pk"]) not in found]
    if missing:
        raise RuleRefused("A rule that was to be taken back is not there any more. Look again at what holds now.")
    return [found[each["model"], each["pk"]] for each in stored]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value
