"""store — what is remembered, and the only room that says SQLAlchemy: tables, transactions, verbs, read models.

Must never see a private key, an HTTP request or a rule of policy; it keeps bytes and plain values.
"""
