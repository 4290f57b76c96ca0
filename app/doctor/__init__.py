"""app/doctor — what an operator should worry about, as findings with remedies. Opens nothing for writing, no key, and
asks for no secret.
"""
