"""ra.committee — what officers say of an application beside deciding it: interests that are declared, and comments.
Decides nothing, and no rule asks it; must never be seen by anybody outside the SSC.
"""
