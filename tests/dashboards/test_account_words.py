"""Check how accounts are called on pages: as people write them, and a label of one's own as it was typed."""

import pytest

from dashboards.account_words import account_words, platform_of


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cogs:product", "Product"),
        ("marketing:meta_ads", "Meta Ads"),
        ("marketing:meta-ads", "Meta Ads"),
        ("operating:market-pitch", "Market pitch"),
        ("operating:POS till-roll", "POS till-roll"),
        ("operating:rent:shop", "Rent:shop"),
        ("fees:payment", "Payment fees"),
        ("tax", "tax"),
    ],
)
def test_an_account_is_called_what_it_is_beneath_its_line(name: str, words: str) -> None:
    assert account_words(name) == words


def test_a_platform_is_written_as_it_writes_itself_and_a_label_stays() -> None:
    assert [platform_of(name) for name in ("marketing:google-ads", "fees:dispute", "marketing:flyers")] == ["Google Ads", "Dispute fees", "flyers"]
