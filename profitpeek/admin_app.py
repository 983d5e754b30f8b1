"""Declare the admin with a site of our own instead of Django's."""

from django.contrib.admin.apps import AdminConfig as DjangoAdmin


class AdminConfig(DjangoAdmin):
    """Names the site that every page registers with."""

    default_site = "profitpeek.admin_site.Site"
