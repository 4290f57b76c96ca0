"""ra.waiting — what waits for whom, and until when: tasks and the calendar.
Reads only; must never change what it shows.
"""
