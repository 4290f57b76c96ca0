"""ra.proposing — one proposal per file: what it needs to be true, and the document that says what will be true.

Must never write anything but what a proposal reserves; what is proposed becomes true in ra/second.py.
"""
