"""Route addresses to the pages of a store."""

from django.urls import URLPattern, path

from dashboards.views.home import home
from dashboards.views.orders import order, orders
from dashboards.views.pnl import pnl, pnl_csv

urlpatterns: list[URLPattern] = [
    path("", home, name="home"),
    path("<slug:slug>/pnl", pnl, name="pnl"),
    path("<slug:slug>/pnl.csv", pnl_csv, name="pnl_csv"),
    path("<slug:slug>/orders", orders, name="orders"),
    path("<slug:slug>/orders/<path:number>", order, name="order"),
]
