"""Hold the management commands of the whole product."""
