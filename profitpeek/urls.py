"""Route addresses to pages."""

from django.contrib import admin
from django.urls import include, path

handler500 = "profitpeek.request_log.server_error"

urlpatterns = [
    path("", include("dashboards.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
