"""State what holds for any history, and let Hypothesis look for the one that breaks it."""
