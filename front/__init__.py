"""front — what stands between the network and everything else: it collects a request whole, and sends an answer.

Nothing behind it ever waits for a client: head, body and reading have deadlines and sizes here. Must never see the
store, Flask, or what is decided about a request.
"""
