"""Read the files that Shopify exports: orders and the transactions of orders. Pure: texts in, facts out."""
