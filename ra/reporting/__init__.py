"""ra.reporting — devices as the DCC reports them, breaches, and the monthly report (F2.23, F2.28).
Records facts and counts them; must never decide.
"""
