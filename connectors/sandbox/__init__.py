"""Hold a simulated business and the platforms it uses, spoken in their own protocols; nothing of the product is imported here."""
