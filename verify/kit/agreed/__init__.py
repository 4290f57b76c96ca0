"""verify/kit/agreed — who agreed to what, proved from a dossier: rows, statements, rosters, the certificate.
It writes anew what `officers` and `core` write, and must never see anything of ours outside verify/kit.
"""
