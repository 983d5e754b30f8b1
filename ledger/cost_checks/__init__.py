"""Check cost rules for what is likely wrong: one function per check, each returning what it found.

`found.py` holds what a check is given and what it returns, `run.py` the table of checks and what becomes of their findings.
"""
