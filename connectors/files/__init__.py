"""Import files that a person gives: what kinds there are, how a file is kept, looked at, taken and undone."""
