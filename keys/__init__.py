"""keys — private keys go in, signatures come out: sealed files, passphrases and the key part of the ceremony.
Must never see the store, a certificate's meaning, a request, or the environment's variables.
"""
