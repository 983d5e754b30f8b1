"""Read streams: ask, keep, map, record, go on where it was; and see that nothing was missed."""
