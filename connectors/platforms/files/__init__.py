"""Files a person exports and imports: read them, check them whole, map them to facts."""
