"""Hold the stores, who may see them, and the figures that stand in where nothing better is known."""

from decimal import Decimal
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ledger.money import is_currency

PERCENTAGE = [MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))]


def valid_currency(code: str) -> None:
    """Refuse a code that is no ISO 4217 currency."""
    if not is_currency(code):
        raise ValidationError(f"“{code}” is not an ISO 4217 currency code such as EUR or USD.")


def valid_zone(name: str) -> None:
    """Refuse a name that is no IANA time zone."""
    if name not in available_timezones():
        raise ValidationError(f"“{name}” is not an IANA time zone such as Europe/London.")


class Store(models.Model):
    """One business with one currency; a change of currency is a new store that succeeds this one."""

    class MarginBasis(models.TextChoices):
        TOTAL_SALES = "total_sales", "of total sales (tax and shipping included)"
        NET_REVENUE = "net_revenue", "of net revenue"

    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    currency = models.CharField(max_length=3, validators=[valid_currency], editable=False)
    succeeds = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="successor")
    fiscal_year_start_month = models.PositiveSmallIntegerField(default=1)
    week_starts_on_sunday = models.BooleanField(default=False)
    margin_basis = models.CharField(max_length=16, choices=MarginBasis.choices, default=MarginBasis.TOTAL_SALES)
    is_demo = models.BooleanField(default=False, editable=False)
    cogs_percentage = models.DecimalField(
        "COGS %", max_digits=7, decimal_places=4, null=True, blank=True, validators=PERCENTAGE,
        help_text="Share of the list price a product costs today when nothing better is known, by the store's rules; those decide. "
        "Empty: the default applies.",
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)
    erasing_since = models.DateTimeField(null=True, editable=False, help_text="From when on it is being deleted; nobody sees it any more.")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(fiscal_year_start_month__range=(1, 12)), name="fiscal_year_starts_in_a_month"),
            models.CheckConstraint(
                condition=Q(cogs_percentage__isnull=True) | Q(cogs_percentage__range=(0, 100)),
                name="store_cogs_percentage_between_0_and_100",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class StoreZone(models.Model):
    """The store's time zone from a day on; days already given to events never move when it changes."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="zones")
    zone = models.CharField(max_length=64, validators=[valid_zone])
    from_day = models.DateField()

    class Meta:
        ordering = ["store", "from_day"]
        constraints = [models.UniqueConstraint(fields=["store", "from_day"], name="one_zone_per_store_and_day")]

    def __str__(self) -> str:
        return f"{self.zone} from {self.from_day}"

    def clean(self) -> None:
        """Refuse a new zone for days that are over: events there have been given their day already."""
        if self.pk is None and self.from_day and self.store_id and self.from_day < timezone.now().date():
            raise ValidationError({"from_day": "A time zone starts today or later: days that are over have been given to events already."})


class Membership(models.Model):
    """What one person may do in one store."""

    class Role(models.TextChoices):
        OWNER = "owner", "owner"
        ANALYST = "analyst", "analyst"
        COST_EDITOR = "cost_editor", "cost editor"
        VIEWER = "viewer", "viewer"

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "user"], name="one_role_per_store_and_user")]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.store}"


class Channel(models.Model):
    """Where a store sells (online, point of sale, Amazon …), numbered per store so that entries stay narrow."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="channels")
    number = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=60)
    label = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "key"], name="one_channel_per_store_and_key"),
            models.UniqueConstraint(fields=["store", "number"], name="one_channel_per_store_and_number"),
        ]

    def __str__(self) -> str:
        return self.label


class CostDefaults(models.Model):
    """What a sale costs when no rule says better, for every store of this installation; exactly one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    cogs_percentage = models.DecimalField(
        "COGS %", max_digits=7, decimal_places=4, default=Decimal(40), validators=PERCENTAGE,
        help_text="Share of the list price before discounts, tax removed.",
    )  # fmt: skip
    payment_fee_percentage = models.DecimalField(
        "payment fee %", max_digits=7, decimal_places=4, default=Decimal("2.9"), validators=PERCENTAGE,
        help_text="Share of the charged total.",
    )  # fmt: skip
    payment_fee_fixed = models.DecimalField(
        "payment fee per charge", max_digits=19, decimal_places=4, default=Decimal("0.30"),
        validators=[MinValueValidator(Decimal(0))], help_text="In the store's currency, per successful charge.",
    )  # fmt: skip

    class Meta:
        verbose_name_plural = "cost defaults"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="one_row_of_cost_defaults"),
            models.CheckConstraint(condition=Q(cogs_percentage__range=(0, 100)), name="default_cogs_percentage_between_0_and_100"),
            models.CheckConstraint(
                condition=Q(payment_fee_percentage__range=(0, 100), payment_fee_fixed__gte=0), name="default_payment_fee_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return "Cost defaults"

    @classmethod
    def current(cls) -> "CostDefaults":
        """Return the one row; as it starts out where there is none yet."""
        return cls.objects.filter(pk=1).first() or cls()
