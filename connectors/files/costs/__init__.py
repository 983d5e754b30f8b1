"""Import files of costs: labels, commissions, payment fees, ad spend, and what products cost."""
