"""ra.waiting — what waits for whom, and until when: tasks, the calendar, and who is reminded.
Reads only; must never change what it shows.
"""
