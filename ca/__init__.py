"""ca — builds certificates, CRLs and OCSP answers from orders, and has them signed.
Must never see a database, HTTP, a clock or a rule of policy: time arrives as an argument, keys as a Signer.
"""
