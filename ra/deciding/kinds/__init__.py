"""ra.deciding.kinds — one file for each kind of decision: everything that differs by kind, and nothing else.
Must never ask what somebody may do, nor see another kind.
"""
