"""story — the whole life of a certificate, played over HTTP and proved with other people's tools; keeps no secret.

A client and a judge: sees what anyone can fetch, the API keys for trying things out and a test clock; must never see a
live authority, a private key of one, or the rules by which it decides.
"""
