"""Invent what the demo's shop spends on advertising, day by day, and write it as a report such as a person would keep."""

import csv
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from profitpeek.demo.business import MONTHS, SEED, Calendar, Sold

HEADER = ("date", "platform", "campaign id", "campaign", "spend", "currency", "impressions", "clicks", "conversions", "conversion value")
WASTED = "Reach, everybody"
"""The campaign that brings next to nothing."""
WASTED_DAYS = 56


class Advertised(NamedTuple):
    """One campaign: what it costs on an ordinary day in cents, what a click costs, and of a thousand clicks, how many are claimed to buy."""

    platform: str
    number: str
    name: str
    daily: int
    click: int
    buys: int


CAMPAIGNS: tuple[Advertised, ...] = (
    Advertised("Google Ads", "71001", "Search, brand", 260, 24, 62),
    Advertised("Google Ads", "71002", "Shopping, all products", 850, 41, 24),
    Advertised("Meta Ads", "88001", "Mugs and bowls, lookalikes", 1_150, 55, 23),
    Advertised("Meta Ads", "88002", "Visitors who left", 420, 38, 44),
    Advertised("Meta Ads", "88003", WASTED, 2_200, 70, 1),
)
CLAIMED = 5_200
"""What the platforms claim an order was worth, in cents."""


def write_ads(path: Path, sold: Sequence[Sold], days: Calendar) -> None:
    """Write a row for each campaign and day; the one that brings nothing ran for eight weeks."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(_rows(days))


def _rows(days: Calendar) -> Iterator[tuple[Any, ...]]:
    dice = Random(f"{SEED}, advertised")  # noqa: S311  an invented business, no secret
    for number in range((days.last - days.first).days + 1):
        day = days.first + timedelta(days=number)
        for campaign in CAMPAIGNS:
            if campaign.name == WASTED and not days.free_postage <= day < days.free_postage + timedelta(days=WASTED_DAYS):
                continue
            spend = campaign.daily * MONTHS[day.month - 1] * dice.randrange(75, 126) // 10_000
            clicks = max(1, spend // campaign.click)
            conversions = sum(dice.randrange(1_000) < campaign.buys for _ in range(clicks))
            yield (
                day, campaign.platform, campaign.number, campaign.name, _amount(spend), "EUR", clicks * dice.randrange(40, 90), clicks, conversions,
                _amount(conversions * CLAIMED * dice.randrange(80, 121) // 100),
            )  # fmt: skip


def _amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
