"""ra.deciding — officers propose, second and reject; what they decide becomes true here, each kind in a file of kinds/.
Must never see a key, HTTP or the form in which somebody asked.
"""
