"""Keep what platforms call the places of a store: the only writer and reader of locations."""

from collections.abc import Collection, Sequence

from django.db import connection

from ledger.facts import LocationFact
from ledger.models import Location, Store

_WRITE = """
    INSERT INTO ledger_location AS l (store_id, platform, external_id, name, is_active)
    SELECT %s, %s, id, name, active FROM unnest(%s::text[], %s::text[], %s::boolean[]) AS told(id, name, active) ORDER BY id
    ON CONFLICT (store_id, platform, external_id) DO UPDATE SET name = excluded.name, is_active = excluded.is_active
    WHERE (l.name, l.is_active) IS DISTINCT FROM (excluded.name, excluded.is_active)
"""


def record_locations(store: Store, facts: Sequence[LocationFact]) -> int:
    """Note the places that one platform tells, in the caller's transaction, and return how many are news; one that is told no more keeps its name."""
    latest = {fact.external_id[:60]: fact for fact in facts}
    if not latest:
        return 0
    names, active = [fact.name[:255] for fact in latest.values()], [fact.is_active for fact in latest.values()]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [store.pk, facts[0].platform, list(latest), names, active])
        return int(cursor.rowcount)


def names_of(store: Store, ids: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return what places are called, by platform and its id; those that no platform told are left out."""
    if not ids:
        return {}
    found = Location.objects.filter(store=store, external_id__in={each for _, each in ids})
    return {(platform, each): name for platform, each, name in found.values_list("platform", "external_id", "name")}
