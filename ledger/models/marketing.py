"""Mirror what was advertised: campaigns, and what advertising accounts spent day by day."""

from django.db import models
from django.db.models import Q

from ledger.kinds import AdLevel, AdTeller, Hold
from ledger.models.stores import Store, valid_currency


class Campaign(models.Model):
    """One campaign of an advertising account. One that is told by name alone has no id until something tells it."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", db_index=False)
    platform = models.CharField(max_length=40)
    account = models.CharField(max_length=120, blank=True, help_text="The platform's number or name of the account; empty where it is not told.")
    external_id = models.CharField(max_length=120, blank=True)
    name = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=40, blank=True)
    channel = models.CharField(max_length=60, blank=True, help_text="What the platform calls its kind, such as Search or Shopping.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["store", "platform", "account", "external_id"], condition=~Q(external_id=""), name="one_campaign_per_account_and_id"
            ),
            models.UniqueConstraint(
                fields=["store", "platform", "account", "name"], condition=Q(external_id=""), name="one_campaign_without_id_per_account_and_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.external_id


class AdDay(models.Model):
    """What was spent on one day of the advertising account's own time, at one level: the account, a campaign, an ad group, an ad.

    Levels tell the same money; ledger/drafts/spending.py says which of them is booked. What is taken back keeps its row, so that entries
    can be explained.
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", db_index=False)
    platform = models.CharField(max_length=40)
    account = models.CharField(max_length=120, blank=True)
    level = models.PositiveSmallIntegerField(choices=AdLevel.choices)
    campaign = models.ForeignKey(Campaign, null=True, blank=True, on_delete=models.PROTECT, related_name="days")
    ad_group = models.CharField(max_length=160, blank=True, help_text="Its id, or its name where no id is told.")
    ad = models.CharField(max_length=160, blank=True)
    day = models.DateField(help_text="In the advertising account's time zone.")
    spend = models.DecimalField(max_digits=19, decimal_places=4, help_text="Positive is a cost.")
    currency = models.CharField(max_length=3, validators=[valid_currency])
    impressions = models.BigIntegerField(null=True, blank=True)
    clicks = models.BigIntegerField(null=True, blank=True)
    conversions = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True)
    conversion_value = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True, help_text="As the platform claims it.")
    final = models.BooleanField(default=True, help_text="The platform restates it no more.")
    estimated = models.BooleanField(default=False, help_text="A share of what a longer span cost.")
    teller = models.PositiveSmallIntegerField(choices=AdTeller.choices, default=AdTeller.PLATFORM)
    hold = models.PositiveSmallIntegerField(choices=Hold.choices, default=Hold.NONE)
    cause_ref = models.CharField(max_length=80)
    actor = models.CharField(max_length=150, blank=True)
    told_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["store", "platform", "account", "day", "level", "campaign", "ad_group", "ad"], condition=Q(removed_at__isnull=True),
                nulls_distinct=False, name="one_ad_day_per_grain",
            ),
            models.CheckConstraint(
                condition=Q(level=AdLevel.ACCOUNT, campaign__isnull=True) | (Q(campaign__isnull=False) & ~Q(level=AdLevel.ACCOUNT)),
                name="ad_days_below_the_account_have_a_campaign",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["store", "cause_ref"], name="ad_day_by_cause", condition=Q(removed_at__isnull=True)),
            models.Index(fields=["store", "currency", "day"], name="ad_day_by_currency", condition=Q(removed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.platform} on {self.day}"

    def in_words(self) -> str:
        """Say what the row is about: platform, campaign and so on, day."""
        below = [text for text in (self.account, "" if self.campaign is None else str(self.campaign), self.ad_group, self.ad) if text]
        return f"{self.platform.replace('_', ' ')}: {', '.join(below) or 'whole account'}, {self.day}"
