"""memory — what the authority remembers by itself: sealed records, what follows from them, what may be signed.
Must never see the store, a request, a private key, or anything that the register says of itself.
"""
