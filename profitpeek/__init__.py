"""ProfitPeek tells a store owner whether the store made money, on what, and how sure that is."""
