"""Remember whether a person wants light or dark pages, in a cookie that the server reads before it writes the page."""

from django.http import HttpRequest, HttpResponse

SYSTEM = "system"
THEMES = {SYSTEM: "System", "light": "Light", "dark": "Dark"}
COOKIE = "theme"
ONE_YEAR = 365 * 24 * 3600


def theme_of(request: HttpRequest) -> str:
    """Return the theme a browser asked for; the system's when it asked for none that exists."""
    asked = request.COOKIES.get(COOKIE, SYSTEM)
    return asked if asked in THEMES else SYSTEM


def remember(response: HttpResponse, theme: str, *, secure: bool) -> None:
    """Set the cookie; it says nothing about the person, so it outlives the session."""
    response.set_cookie(COOKIE, theme, max_age=ONE_YEAR, secure=secure, httponly=True, samesite="Lax")
