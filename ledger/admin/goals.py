"""Set the net profit that a store aims at in a month."""

from django.contrib import admin

from ledger.admin.resources import ProfitGoalResource
from ledger.admin.rules import RuleAdmin
from ledger.admin.sheets import SheetAdmin
from ledger.models import ProfitGoal


@admin.register(ProfitGoal)
class ProfitGoalAdmin(SheetAdmin, RuleAdmin):
    """Lists the profit goals."""

    resource_classes = [ProfitGoalResource]
    note = "The net profit a store aims at in each month, in its currency. A goal moves no figure; pages show how far the month has got."
    empty = "No profit goal yet."
    what = ("amount",)
    begins = "month"
    help_texts = {
        "effective_from": "The first day of the first month it is for. Empty: every month so far.",
        "effective_to": "The last day of the last month it is for. Empty: until further notice.",
    }
