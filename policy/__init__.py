"""policy — judges without I/O: requests, Section F, who may do what, and the very bytes that are to be signed.
Must never see the store, a private key of ours, a socket or a clock: facts and instants arrive as arguments.
"""
