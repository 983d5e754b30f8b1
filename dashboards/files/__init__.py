"""Write what pages show as files."""
