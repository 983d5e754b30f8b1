"""List the platforms; a new one is a folder in connectors/platforms and a line here."""

from connectors.platforms.shopify.connector import SHOPIFY
from connectors.spec import Connector

CONNECTORS: dict[str, Connector] = {SHOPIFY.platform: SHOPIFY}


class UnknownPlatform(LookupError):
    """Says that this version of ProfitPeek has no connector for a platform."""


def find(platform: str) -> Connector:
    """Return the connector of a platform; raise UnknownPlatform when there is none."""
    try:
        return CONNECTORS[platform]
    except KeyError as error:
        raise UnknownPlatform(f"This version of ProfitPeek does not connect to “{platform}”; it knows {', '.join(sorted(CONNECTORS))}.") from error
