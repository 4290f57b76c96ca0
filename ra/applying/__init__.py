"""ra.applying — what a Manufacturer asks for and answers, and what must be shown for it: applications, evidence,
further requirements, requests for amendments, acceptances. Decides nothing; must never see what officers propose.
"""
