"""Check passkeys in a browser, with an authenticator that the browser plays itself."""

from playwright.sync_api import Page

from tests.browser.conftest import Site
from tests.dashboards.people import EMAIL, PASSWORD

AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True,
    "automaticPresenceSimulation": True,
}  # fmt: skip


def by_name(site: Site) -> str:
    """Return the site's address with a name in it: browsers give no passkey to a number."""
    return site.address.replace("127.0.0.1", "localhost")


def signed_in_by_password(site: Site, page: Page) -> None:
    """Type the password on the sign-in page."""
    page.goto(f"{by_name(site)}/accounts/login/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="Stores").wait_for()


def test_a_passkey_is_made_and_then_opens_the_site_without_a_password(site: Site) -> None:
    context = site.chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    authenticator = context.new_cdp_session(page)
    authenticator.send("WebAuthn.enable")
    authenticator.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    signed_in_by_password(site, page)
    page.goto(f"{by_name(site)}/accounts/2fa/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button").first.click()
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/recovery-codes/")
    page.goto(f"{by_name(site)}/accounts/logout/")
    page.locator("main").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_role("heading", name="Stores").wait_for()
    assert errors == []
    context.close()


def test_a_passkey_that_does_not_work_says_why(site: Site) -> None:
    context = site.context(signed_in=False)
    page = context.new_page()
    page.goto(f"{site.address.replace('localhost', '127.0.0.1')}/accounts/login/")
    assert page.locator("#passkey-problem").is_hidden()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.locator("#passkey-problem").wait_for(state="visible")
    assert page.locator("#passkey-problem").inner_text() == (
        "Passkeys work at https addresses and at http://localhost, not at a bare number such as 127.0.0.1. Open this page by its name."
    )
    context.close()
