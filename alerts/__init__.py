"""Tell a person when a number needs them (rules and channels follow with the alerts issue)."""
