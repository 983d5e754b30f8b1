"""Keep exchange rates and find the one in force on a day; the only writer and reader of their table.

A rate is stored as units of a currency per euro. A quote of the European Central Bank, once stored, never
changes, because entries were made with it; only a rate entered by hand may be corrected.
Source of the rules: ECB euro reference rates are fixed on working days (TARGET calendar) around 16:00 CET.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import batched_rows
