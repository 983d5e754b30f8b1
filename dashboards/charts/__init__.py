"""Draw figures as plain plotly dicts: what is shown comes from here, how it looks from static/js/charts.js and the tokens.

Colours are names of tokens (`var(--pp-positive)`), so that one figure serves both themes. This is the edge where amounts
become floats, to be drawn and for nothing else: every figure a person reads is written from the Decimal.
"""

from dashboards.charts.chart import Chart, Figure, Series
from dashboards.charts.daily import daily_chart
from dashboards.charts.profit import profit_chart
from dashboards.charts.spark import Sparkline, sparkline
from dashboards.charts.trends import cost_share_chart, margin_chart
from dashboards.charts.waterfall import waterfall_chart

__all__ = [
    "Chart", "Figure", "Series", "Sparkline", "cost_share_chart", "daily_chart", "margin_chart", "profit_chart", "sparkline", "waterfall_chart",
]  # fmt: skip
