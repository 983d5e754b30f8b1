"""Put the next of a store's first steps on its pages."""

from typing import Any

from django import template

from dashboards.pages.start import importing, waits_for

register = template.Library()


@register.inclusion_tag("parts/start_strip.html", takes_context=True)
def start_strip(context: dict[str, Any]) -> dict[str, Any]:
    """Show how far the store is and what is next, to who can do it; nothing once the list was finished or put away."""
    store, request = context["store"], context.get("request")
    # the form in it needs the page's token
    return {"start": waits_for(store), "store": store, "request": request, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("parts/first_import.html", takes_context=True)
def first_import(context: dict[str, Any]) -> dict[str, Any]:
    """Say what to do in a store without anything: what is on its way, where to begin, or whom to ask."""
    store = context["store"]
    return {"store": store, "file": None if store.is_demo else importing(store)}
