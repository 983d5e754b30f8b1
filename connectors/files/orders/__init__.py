"""Import files of orders: Shopify's exports, and rows of order lines under any headers."""
