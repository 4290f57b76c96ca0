"""app.story — the whole life of a certificate, played over HTTP and proved with other people's tools; keeps no secret.

Sees what anyone can fetch, the API keys for trying things out and a test clock; must never see a live authority or a
private key of one.
"""
