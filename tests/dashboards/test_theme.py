"""Check the theme: remembered in a cookie, written into the page by the server, never a way out of the site."""

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from dashboards.theme import theme_of

pytestmark = pytest.mark.django_db


def test_a_theme_is_remembered_and_the_page_it_was_chosen_on_comes_back(client: Client) -> None:
    assert b'<html lang="en" data-bs-theme="system">' in client.get("/accounts/login/").content
    answer = client.post(reverse("theme"), {"theme": "dark", "next": "/accounts/login/?next=/shop/pnl"})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/shop/pnl")
    cookie = answer.cookies["theme"]
    assert (cookie.value, cookie["samesite"], cookie["httponly"], cookie["max-age"]) == ("dark", "Lax", True, 365 * 24 * 3600)
    page = client.get("/accounts/login/").content.decode()
    assert '<html lang="en" data-bs-theme="dark">' in page
    assert 'value="dark" aria-pressed="true"' in page


@pytest.mark.parametrize("elsewhere", ["https://example.com/", "//example.com/", "javascript:alert(1)", ""])
def test_choosing_a_theme_never_leads_to_another_site(client: Client, elsewhere: str) -> None:
    assert client.post(reverse("theme"), {"theme": "light", "next": elsewhere})["Location"] == "/"


@pytest.mark.parametrize(
    ("given", "led"), [("pnl", "pnl"), ("theme", "theme"), ("home", "home"), ("dashboards.views.home.home", "dashboards.views.home.home")]
)
def test_a_word_is_taken_for_a_path_and_not_for_the_name_of_a_view(client: Client, given: str, led: str) -> None:
    answer = client.post(reverse("theme"), {"theme": "light", "next": given})
    assert (answer.status_code, answer["Location"]) == (302, led)


def test_a_theme_that_does_not_exist_is_refused_and_one_in_a_cookie_ignored(client: Client) -> None:
    assert client.post(reverse("theme"), {"theme": '"><script>'}).status_code == 400
    assert client.get(reverse("theme")).status_code == 405
    request = RequestFactory().get("/", headers={"cookie": "theme=purple"})
    assert theme_of(request) == "system"
