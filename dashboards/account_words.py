"""Name the accounts of a ledger as people write them."""

PLATFORMS = {
    "meta_ads": "Meta Ads", "google_ads": "Google Ads", "klaviyo": "Klaviyo", "postscript": "Postscript", "influencer": "Influencers",
    "affiliate": "Affiliates", "other": "Other", "payment": "Payment fees", "marketplace": "Marketplace fees", "dispute": "Dispute fees",
}  # fmt: skip


def platform_of(name: str) -> str:
    """Name the platform an account is for; a label of one's own stays as it is."""
    last = name.split(":", 1)[1]
    return PLATFORMS.get(last.replace("-", "_"), last)


def account_words(name: str) -> str:
    """Name an account beneath the line it is on: `operating:market-pitch` is “Market pitch”."""
    last = name.partition(":")[2]
    words = PLATFORMS.get(last.replace("-", "_")) or (last if " " in last else last.replace("-", " ").replace("_", " "))
    return words[:1].upper() + words[1:] if words else name
