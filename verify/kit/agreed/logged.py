"""What a dossier shows of the public log: a row that is proved to be in it, by the key that the transcript names."""

from dataclasses import replace

from verify.kit.agreed.dossier import LOG, Dossier, Trusted
from verify.kit.agreed.findings import Against, Ledger
from verify.kit.inclusion import proved
from verify.kit.note import Key, checkpoint, key
from verify.kit.stopped import Stopped

_GENERATION = "/log/"


def prove_logged(dossier: Dossier, trust: Trusted, ledger: Ledger) -> None:
    """Write down what is against the row of the log, or why it was not looked at."""
    if dossier.log is None:
        return
    if trust.log_key is None:
        ledger.pass_over(f"{LOG} was not looked at: nothing from outside says which key is the log's.")
        return
    try:
        proved(dossier.log, _named(dossier.log, key(trust.log_key)))
    except (Stopped, ValueError) as error:
        ledger.refute(Against.LOG_UNPROVED, f"{LOG} does not prove that a row is in the public log: {error}")


def _named(said: object, known: Key) -> Key:
    """Return the key under the name that the log has now: a restore that lost rows begins the next one, by one key."""
    note = said.get("checkpoint") if isinstance(said, dict) else None
    if not isinstance(note, str):
        return known
    origin, place = checkpoint(note).origin, known.name.rpartition(_GENERATION)[0]
    before, _, generation = origin.rpartition(_GENERATION)
    return replace(known, name=origin) if before == place and generation.isdecimal() else known
