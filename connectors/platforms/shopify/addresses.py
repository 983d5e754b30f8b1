"""Cut the addresses of visits down to what says where a customer came from, so that nothing in them names a person.

Addresses of pages carry whatever anybody put into a link: e-mail addresses, names, keys of accounts and checkouts. Only
a known list of parameters is kept, and of those only values that are no e-mail address. Paths are kept whole where
they are of the shop's goods and pages; of all others only the first part.
"""

from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote_plus

CLICK_IDS = {
    "gclid": "google", "gbraid": "google", "wbraid": "google", "dclid": "google", "fbclid": "facebook", "msclkid": "bing", "ttclid": "tiktok",
    "twclid": "x", "epik": "pinterest", "sccid": "snapchat", "li_fat_id": "linkedin", "_kx": "klaviyo",
}  # fmt: skip
"""Parameters that advertisers and mailers put behind the links that are clicked, and whose they are."""
NAMES_A_PERSON = frozenset({"_kx"})
"""Click ids that stand for a person and not for a click: that there was one is kept, and not which."""
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
KNOWN = frozenset({*CLICK_IDS, *UTM, "utm_id", "gad_source", "gad_campaignid"})
PLAIN_PATHS = frozenset({"products", "collections", "pages", "blogs", "cart", "search", "policies"})
"""First parts of a path whose rest names goods and pages."""
LONGEST = 255
CUT = "…"


def names_somebody(text: str) -> bool:
    """Tell whether a text may hold an e-mail address, however often it was escaped."""
    if "@" not in text and "%" not in text:
        return False
    for _ in range(5):
        if "@" in text:
            return True
        plain = unquote_plus(text)
        if plain == text:
            return False
        text = plain
    return True


def parameters(address: str) -> Iterator[tuple[str, str]]:
    """Yield the known parameters of an address with their values, those that may name somebody left out."""
    if "?" not in address:
        return
    query = address.partition("#")[0].partition("?")[2]
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        name = name.strip().lower()
        if name not in KNOWN or names_somebody(value):
            continue
        if "%" in value or "+" in value:
            value = unquote_plus(value)
        yield name, "" if name in NAMES_A_PERSON else value.strip()[:LONGEST]


def _parts(address: str) -> tuple[str, str, str]:
    """Split an address into scheme, host and path."""
    return _split(address.partition("#")[0].partition("?")[0])


@lru_cache(maxsize=4096)
def _split(plain: str) -> tuple[str, str, str]:
    """Split an address without its query; a host without the name and password that may stand before it, a path with what may be kept of it."""
    scheme, found, rest = plain.partition("://")
    if not found:
        scheme, rest = "", plain if plain.startswith("/") else ""
    host, slash, path = rest.partition("/")
    return scheme, host.rpartition("@")[2].lower(), _cut_path(slash + path)


def host_of(address: str) -> str:
    """Return the host of an address, without what it is often prefixed by; empty where it has none."""
    return _parts(address)[1].removeprefix("www.")[:120]


def path_of(address: str) -> str:
    """Return the path of an address, cut where it is no page of the shop's goods."""
    return _parts(address)[2]


def _cut_path(path: str) -> str:
    parts = [part for part in path.split("/") if part]
    if not parts:
        return "/"
    language = len(parts[0]) == 2 or (len(parts[0]) == 5 and parts[0][2] == "-")
    own = parts[1:] if language and len(parts) > 1 else parts
    kept = parts if own[0] in PLAIN_PATHS else [*parts[: len(parts) - len(own)], own[0], *([CUT] if len(own) > 1 else [])]
    return ("/" + "/".join(CUT if names_somebody(part) else part for part in kept))[:LONGEST]


def cut_address(address: str) -> str:
    """Return an address with no more of it than may be kept; cut again, it stays as it is."""
    scheme, host, path = _parts(address)
    query = "&".join(f"{name}={_escaped(value)}" for name, value in parameters(address))
    origin = f"{scheme}://{host}" if host else ""
    return f"{origin}{path}" + (f"?{query}" if query else "")


def cut_referrer(address: str) -> str:
    """Return where an address is, and nothing of what was looked at there."""
    scheme, host, _ = _parts(address)
    return f"{scheme}://{host}" if host else ""


def _escaped(value: str) -> str:
    return value if value.isalnum() else value.replace("%", "%25").replace("&", "%26").replace("#", "%23").replace("+", "%2B").replace(" ", "+")
