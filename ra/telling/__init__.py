"""ra.telling — whom the Code has told, and what: notices, conditions, approvals, the Central Products List.
Is handed what became true; must never ask of which kind a decision was.
"""
