"""Gather the ledger's tables; each file holds one subject."""

from ledger.models.book import Account, Batch, Book, Entry, Finding
from ledger.models.catalog import Product, Variant
from ledger.models.costs import ManualCost
from ledger.models.orders import Customer, Order, OrderCost, OrderLine, Payment, Sale
from ledger.models.rates import ExchangeRate
from ledger.models.rules import CogsRule, CostChange, FeeRule, ShippingRule, VariantCost
from ledger.models.stores import Channel, CostDefaults, Membership, Store, StoreZone
from ledger.models.totals import CountryDayTotal, DayTotal, ProductDayTotal

__all__ = [
    "Account",
    "Batch",
    "Book",
    "Channel",
    "CogsRule",
    "CostChange",
    "CostDefaults",
    "CountryDayTotal",
    "Customer",
    "DayTotal",
    "Entry",
    "ExchangeRate",
    "FeeRule",
    "Finding",
    "ManualCost",
    "Membership",
    "Order",
    "OrderCost",
    "OrderLine",
    "Payment",
    "Product",
    "ProductDayTotal",
    "Sale",
    "ShippingRule",
    "Store",
    "StoreZone",
    "Variant",
    "VariantCost",
]
