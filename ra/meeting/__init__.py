"""ra.meeting — when officers meet: who attends, what is on the agenda, what is minuted.
Decides nothing; what is decided at a meeting is decided as it is between two.
"""
