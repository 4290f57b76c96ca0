"""verify/kit — what stands alone of the relying party's kit: log, copy, witness; Python and `cryptography` suffice.
It is the second writing of every rule, so it must never see anything of ours outside this folder.
"""
