"""Map Shopify's records to facts. Pure."""
