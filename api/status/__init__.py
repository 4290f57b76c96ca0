"""api/status — the status plane, plain WSGI: verification, OCSP, CRLs, CA certificates, the public page, from memory.
Must never see a database, a private key, or a credential in clear for longer than one look-up takes.
"""
