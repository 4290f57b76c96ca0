"""ra.deciding.kinds — one file for each kind of decision: everything that differs by kind, and nothing else.
Must never see who asks for it, nor another kind.
"""
