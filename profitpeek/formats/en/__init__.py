"""Hold the formats for English, the language of the installation."""
