"""backup — what a backup file is: members in order with a manifest behind them, sealed with age as one file.
Must never see the store, a private key in the open, or what any member means.
"""
