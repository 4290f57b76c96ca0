"""ra — the use cases, a room for each subject: who asks, what the rules say, one visible
transaction, facts in the journal.

Must never see HTTP, SQLAlchemy or a private key; it asks for signatures by what it writes.
"""
