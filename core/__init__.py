"""core — the nouns of the domain: clock, identifiers, errors, facts, actors, approvals and their status.
Standard library only; must never see a database, a key, a socket or a file.
"""
