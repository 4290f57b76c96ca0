"""api.forms — what may be sent: one model for each body, query and path, strict, with every member known and bounded.
Judges form only and decides nothing; must never see the store.
"""
