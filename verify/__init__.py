"""verify — the relying party's kit: an offline verifier, a client, and the question whether every channel agrees.
Doubts the authority: sees only what anyone can fetch, and must never see ca, store, a private key or a clock.
"""
