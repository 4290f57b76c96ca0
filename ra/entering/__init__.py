"""ra/entering — who comes in through a browser: sessions, invitations, passkeys; it must never see what they decide."""
