"""published — a folder of files that any web server carries: lists, answers, certificates. Never signs, never writes
to the register, and sees of it what the status plane shows.
"""
