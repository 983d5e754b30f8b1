"""Keep how a store's files of order lines are read, under names that people give."""

import re
from datetime import datetime

from connectors.models import OrderLineTemplate
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.template import Template, as_json, check, from_json, load
from ledger.models import Store

OF_STORE = "store:"
"""Begins the name of a store's own template where shipped ones can be named as well."""
MOST = 50
"""Templates of a store that are tried on a file: the latest under each name."""


def templates_of(store: Store) -> list[Template]:
    """Return a store's own templates, the latest first, one of each name."""
    latest: dict[str, Template] = {}
    for row in OrderLineTemplate.objects.filter(store=store).order_by("-created_at", "-pk")[: MOST * 4]:
        latest.setdefault(row.name, from_json(row.mapping))
    return list(latest.values())[:MOST]


def save_template(store: Store, template: Template, *, actor: str, now: datetime) -> OrderLineTemplate:
    """Keep a template as the one that holds under its label from now on; raise FileRefused where it says something that cannot be."""
    try:
        check(template)
    except (ValueError, re.error) as error:
        raise FileRefused(f"This cannot be kept: {error}.") from error
    return OrderLineTemplate.objects.create(store=store, name=template.label[:60], mapping=as_json(template), actor=actor, created_at=now)


def find_template(store: Store, name: str) -> Template:
    """Return a template by what a person calls it: `store:` and the name of one of the store's own, a shipped one's name, or a path."""
    if not name.startswith(OF_STORE):
        return load(name)
    own = {template.label: template for template in templates_of(store)}
    try:
        return own[name.removeprefix(OF_STORE)]
    except KeyError as error:
        named = ", ".join(f"“{OF_STORE}{label}”" for label in own) or "none yet"
        raise FileRefused(f"{store.slug} has no template “{name.removeprefix(OF_STORE)}”. It has: {named}.") from error
