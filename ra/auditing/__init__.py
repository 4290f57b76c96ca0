"""ra.auditing — what auditors take with them, to be proved elsewhere: the journal in pages, and
the dossier of an approval. Changes nothing but that one was asked for; must never believe for them what they can prove.
"""
