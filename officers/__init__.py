"""officers — what officers sign with keys of their own, and its proof: statements, proofs, the roster as a value.

It must never see the store, a clock, or a key of the authority.
"""
