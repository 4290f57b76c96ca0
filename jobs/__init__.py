"""jobs — what runs by itself: the authority (drafts, signs, publishes, seals) and the courier (delivers).

The authority holds the private keys and no listening socket; the courier holds no private key. Neither parses bytes
from strangers, and what they have to do is read from the store, so a crash loses no work.
"""
