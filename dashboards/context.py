"""Give every template what the frame of a page needs."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from dashboards.theme import THEMES, theme_of


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the theme, the themes to choose from, and the version for the foot of the page."""
    return {"theme": theme_of(request), "themes": THEMES.items(), "version": settings.VERSION}
