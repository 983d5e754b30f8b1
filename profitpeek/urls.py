"""Route addresses to pages."""

from django.contrib import admin
from django.urls import include, path

from connectors.webhooks.views import deliver
from profitpeek.demo.views import connect_sandbox, load_demo

handler500 = "profitpeek.request_log.server_error"

urlpatterns = [
    path("stores/demo", load_demo, name="load_demo"),
    path("stores/demo/connect", connect_sandbox, name="connect_sandbox"),
    path("webhooks/<slug:platform>", deliver, name="webhooks_of_platform"),
    path("webhooks/<slug:platform>/<str:token>", deliver, name="webhooks"),
    path("", include("dashboards.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
