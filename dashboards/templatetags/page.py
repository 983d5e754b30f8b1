"""Draw the small parts pages are made of."""

from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dashboards.pages.together import combinable
from ledger.models import Store
from profitpeek.jobs.health import standing

register = template.Library()

LONG_WAIT = timedelta(minutes=5)
"""No heartbeat for longer, or due work that waits longer, is a worker that does not run or cannot keep up."""


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str) -> SafeString:
    """Draw one of the vendored icons; it decorates words and is never read out.

    Each is drawn once: a page has dozens, and most of the time goes into looking up where the icons' file is served.
    """
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>', static("vendor/tabler-icons/icons.svg"), name
    )


@register.filter(name="combinable")
def combinable_of(stores: Iterable[Store]) -> list[Store]:
    """Return the stores that may be read together."""
    return combinable(list(stores))


@register.inclusion_tag("parts/operations.html", takes_context=True)
def operations(context: dict[str, Any]) -> dict[str, Any]:
    """Tell whoever runs the installation of dead jobs and of work that waits; nobody else, and no query for them."""
    user = context.get("user")
    if not getattr(user, "is_superuser", False):
        return {}
    jobs, long_ago = standing(), timezone.now() - LONG_WAIT
    # Before the first heartbeat ever, the installation is as old as the account of whoever runs it.
    alive_at = jobs.heartbeat_at or getattr(user, "date_joined", timezone.now())
    since = min(moment for moment in (alive_at, jobs.oldest_due_at) if moment is not None)
    return {"dead": jobs.dead, "waits_since": since if since < long_ago else None}
