"""How often the authority does what it does: what the settings say of that."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Pace:
    """How often and for how long (settings; defaults from the profile).

    Args:
        ocsp_life: validity of an OCSP answer; renewed at half.
        crl_life: validity of a CRL.
        crl_interval: a CRL is reissued at least this often.
        lease_length: how long the lease holds without renewal.
        portion: drafts or certificates handled in one transaction.
        register_interval: the public register is signed at most this often.
        most_jump, longest_rest: how far the machine's clock may move before it is doubted (jobs/doubt.py).
    """

    ocsp_life: timedelta = timedelta(hours=12)
    crl_life: timedelta = timedelta(hours=48)
    crl_interval: timedelta = timedelta(hours=12)
    lease_length: timedelta = timedelta(seconds=5)
    portion: int = 50
    register_interval: timedelta = timedelta(minutes=1)
    most_jump: timedelta = timedelta(minutes=5)
    longest_rest: timedelta = timedelta(hours=24)
