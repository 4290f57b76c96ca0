"""ra.auditing — what auditors take with them, to be proved elsewhere: the journal in pages.
Reads only; must never believe for them what they can prove.
"""
