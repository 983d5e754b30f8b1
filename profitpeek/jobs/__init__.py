"""Run work in the background so that none is lost and none takes effect twice.

Our own Job rows are the truth; django-q2 only rings (docs/decisions/0012). Imports nothing of ours, and
anyone may import it: `queue.submit()` to ask for work, `kinds.Kind` to declare a kind of it.
"""
