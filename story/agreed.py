"""Who agreed to the certificate: proved from the decision's dossier, as an auditor does it, and kept for others."""

import io
from collections.abc import Mapping
from zipfile import ZIP_DEFLATED, ZipFile

from core.errors import ServiceAnswerMalformed, ServiceRefused, ServiceUnreachable
from story.scene import Scene
from verify.kit.agreed.decision import prove_files
from verify.kit.agreed.dossier import Trusted, trusted
from verify.kit.agreed.findings import Outcome, Told
from verify.kit.evidence.parsing import Unreadable

_SILENT = (ServiceRefused, ServiceUnreachable, ServiceAnswerMalformed)
_VERIFIER = "trialcpa-verify decision"


def tell_who_agreed(scene: Scene, decision: str) -> None:
    """Prove who agreed to a decision, and keep its dossier.

    Args:
        scene: of an authority whose officers have keys of their own; of another one nothing can be proved.
        decision: its identifier.
    """
    officer, teller = scene.cast.second_officer, scene.teller
    if not officer.signs:
        teller.note("The officers of this authority have no keys of their own: who agreed is not proved.")
        return
    try:
        trust = trusted(
            scene.trust.anchor,
            transcript=(scene.ceremony / "transcript.txt").read_bytes(),
            signature=(scene.ceremony / "transcript.sig").read_bytes(),
        )
    except (OSError, Unreadable) as error:
        teller.prove(_VERIFIER, ok=False, detail=f"the ceremony's transcript cannot be trusted: {error}")
        return
    found = _Proved(trust)
    try:
        # What was done last may still wait for its place in the sealed journal.
        scene.wait(lambda: found.look(officer.dossier(decision)).outcome is Outcome.PROVED)
    except _SILENT as error:
        teller.prove(_VERIFIER, ok=False, detail=f"the dossier is not to be had: {error}")
        return
    scene.album.keep("dossier.zip", _packed(found.files))
    teller.prove(_VERIFIER, found.told.outcome is Outcome.PROVED, _in_words(found.told))


class _Proved:
    """What is proved of a dossier, as it was had last."""

    def __init__(self, trust: Trusted) -> None:
        self._trust = trust
        self.files: Mapping[str, bytes] = {}
        self.told = Told(decision="")

    def look(self, files: Mapping[str, bytes]) -> Told:
        """Prove what a dossier holds now."""
        self.files, self.told = files, prove_files(files, self._trust)
        return self.told


def _packed(files: Mapping[str, bytes]) -> bytes:
    octets = io.BytesIO()
    with ZipFile(octets, "w", ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return octets.getvalue()


def _in_words(told: Told) -> str:
    if told.outcome is Outcome.PROVED:
        signed = (f"{each.who}: {each.what}" for each in told.story if each.statement is not None)
        return f"by their own keys, from the dossier and the ceremony's transcript alone: {'; '.join(signed)}"
    return " ".join(each.detail for each in (*told.against, *told.missing))
