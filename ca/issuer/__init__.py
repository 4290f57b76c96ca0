"""ca.issuer — from an order to the exact bytes of a Trial CPA Certificate.
Must never see a CSR: of it only the public key gets here, inside the order.
"""
