"""Hold the template tags of the pages."""
