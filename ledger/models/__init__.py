"""Gather the ledger's tables; each file holds one subject."""

from ledger.models.balance import BalanceTransaction, Dispute, Payout
from ledger.models.book import Account, Batch, Book, Entry, Finding
from ledger.models.catalog import Product, Variant, VariantPrice
from ledger.models.charges import OrderCharge
from ledger.models.costs import CostDocument, ManualCost, ProfitGoal
from ledger.models.erasures import ErasedIdentity, Erasure
from ledger.models.marketing import AdDay, Campaign
from ledger.models.orders import Customer, Location, Order, OrderCost, OrderIdentity, OrderLine, OrderReference, Payment, Sale
from ledger.models.partners import Partner, PartnerCode
from ledger.models.proposals import ProposedChange
from ledger.models.rates import ExchangeRate
from ledger.models.rules import BundlePart, CogsRule, CostChange, CostOverride, FeeRule, ShippingRule, VariantCost
from ledger.models.seen import Seen
from ledger.models.stores import Channel, CostDefaults, Membership, Store, StoreZone
from ledger.models.totals import CountryDayTotal, DayTotal, ProductDayTotal
from ledger.models.touches import Touch

__all__ = [
    "Account",
    "AdDay",
    "BalanceTransaction",
    "Batch",
    "Book",
    "BundlePart",
    "Campaign",
    "Channel",
    "CogsRule",
    "CostChange",
    "CostDefaults",
    "CostDocument",
    "CostOverride",
    "CountryDayTotal",
    "Customer",
    "DayTotal",
    "Dispute",
    "Entry",
    "ErasedIdentity",
    "Erasure",
    "ExchangeRate",
    "FeeRule",
    "Finding",
    "Location",
    "ManualCost",
    "Membership",
    "Order",
    "OrderCharge",
    "OrderCost",
    "OrderIdentity",
    "OrderLine",
    "OrderReference",
    "Partner",
    "PartnerCode",
    "Payment",
    "Payout",
    "Product",
    "ProductDayTotal",
    "ProfitGoal",
    "ProposedChange",
    "Sale",
    "Seen",
    "ShippingRule",
    "Store",
    "StoreZone",
    "Touch",
    "Variant",
    "VariantCost",
    "VariantPrice",
]
