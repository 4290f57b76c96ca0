"""verify/kit/evidence — what a certificate, lists and an OCSP answer prove at an instant, without asking anybody.
Read in doubt, under limits; it must never see anything of ours outside verify/kit.
"""
