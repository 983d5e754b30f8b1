"""Say on a page at which rates its amounts are shown."""

from django import template

from dashboards.converted import rates_in_words

register = template.Library()
register.filter("rates_in_words", rates_in_words)
