"""Keep how a store's files of order lines are read, under names that people give."""

import re
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, Max
from msgspec import structs

from connectors.files.orders.order_line_imports import KIND as ORDER_LINES
from connectors.models import FileImport, OrderLineTemplate
from connectors.platforms.files.faults import FileRefused
from connectors.platforms.files.template import Template, as_json, check, from_json, load
from ledger.models import Store

OF_STORE = "store:"
"""Begins the name of a store's own template where shipped ones can be named as well."""
LONGEST = 60
"""Letters of a name."""
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
    return OrderLineTemplate.objects.create(store=store, name=template.label[:LONGEST], mapping=as_json(template), actor=actor, created_at=now)


class NamedTemplate(NamedTuple):
    """A store's own template as people manage it: what it reads, who saved it last, and how many imports it has read."""

    name: str
    columns: list[str]
    """The headers it reads, in the order of what they mean."""
    saved_at: datetime
    actor: str
    files: int
    last_at: datetime | None


def named_templates(store: Store) -> list[NamedTemplate]:
    """Return a store's own templates by name, with how often each was used."""
    latest = {row.name: row for row in OrderLineTemplate.objects.filter(store=store).order_by("created_at", "pk")}
    read = FileImport.objects.filter(store=store, kind=ORDER_LINES, template__label__in=list(latest))
    used = {label: (files, last) for label, files, last in read.values_list("template__label").annotate(Count("pk"), Max("started_at"))}
    return [
        NamedTemplate(
            name,
            _headers(from_json(row.mapping)),
            row.created_at,
            row.actor,
            *used.get(name, (0, None)),
        )
        for name, row in sorted(latest.items(), key=lambda named: named[0].casefold())
    ]


def _headers(template: Template) -> list[str]:
    return [header for header in structs.astuple(template.columns) if header]


def rename_template(store: Store, name: str, given: str, *, actor: str, now: datetime) -> None:
    """Call a template otherwise from now on; raise FileRefused where there is none of the name, or the new name is taken or unfit."""
    with transaction.atomic():
        Store.objects.select_for_update().get(pk=store.pk)
        row = OrderLineTemplate.objects.filter(store=store, name=name).order_by("-created_at", "-pk").first()
        if row is None:
            raise FileRefused(f"There is no mapping “{name}” any more.")
        if not given or len(given) > LONGEST:
            raise FileRefused(f"A name has between one and {LONGEST} letters.")
        if given != name and OrderLineTemplate.objects.filter(store=store, name=given).exists():
            raise FileRefused(f"Another mapping is called “{given}”. Delete it first, or choose another name.")
        template = structs.replace(from_json(row.mapping), label=given)
        OrderLineTemplate.objects.filter(store=store, name=name).delete()
        save_template(store, template, actor=actor, now=now)


def forget_template(store: Store, name: str) -> None:
    """Delete a template; imports keep the one they were read with. Raise FileRefused where there is none of the name."""
    if not OrderLineTemplate.objects.filter(store=store, name=name).delete()[0]:
        raise FileRefused(f"There is no mapping “{name}” any more.")


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
