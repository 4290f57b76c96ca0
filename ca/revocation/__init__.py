"""ca.revocation — CRLs, OCSP answers and the gate that a CRL passes before it is published.
Must never see the register itself: what is revoked arrives as values, and nothing is remembered here.
"""
