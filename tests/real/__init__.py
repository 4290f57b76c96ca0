"""tests.real — real public data as input; skipped, saying so, where the data is absent."""
