"""Hold the tests, one folder per room of the product."""
