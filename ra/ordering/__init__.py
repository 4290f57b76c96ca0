"""ra.ordering — what officers order the authority to do: stop issuing, start again, count other keys.
Writes down and shows; must never carry an order out: the authority does, by what it remembers itself.
"""
