"""tests.attack — attacks that were tried, and what comes of them: forged rows, real jobs, both databases."""
