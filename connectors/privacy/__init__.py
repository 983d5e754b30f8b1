"""Give people a copy of what is held of them, and erase them, whoever asks: their platform, or an owner of the store on a page."""

from connectors.privacy.cases import take

__all__ = ["take"]
