"""Route addresses to the pages of a store."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
