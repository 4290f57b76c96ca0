"""ra.applying — what a Manufacturer asks for and answers, what officers require of it (F2.20), and the files that prove
what anybody says: applications, requests for amendments, acceptances, requirements, evidence of every subject.
Decides nothing; must never see what officers propose.
"""
