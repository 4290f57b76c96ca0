"""Everything in the register follows from the journal: proved as an auditor does it, by the ceremony's transcript."""

from core.errors import ServiceAnswerMalformed, ServiceRefused, ServiceUnreachable
from core.words import counted
from story.scene import Scene
from verify.audited import Audit, Pinned
from verify.kit.agreed.dossier import Trusted, trusted
from verify.kit.evidence.parsing import Unreadable

_SILENT = (ServiceRefused, ServiceUnreachable, ServiceAnswerMalformed, Unreadable)
_VERIFIER = "trialcpa audit verify"


def tell_everything_follows(scene: Scene) -> None:
    """Prove the whole register, once what was done last is sealed.

    Args:
        scene: of an authority whose ceremony has a transcript.
    """
    teller = scene.teller
    try:
        trust = trusted(
            scene.trust.anchor,
            transcript=(scene.ceremony / "transcript.txt").read_bytes(),
            signature=(scene.ceremony / "transcript.sig").read_bytes(),
        )
    except (OSError, Unreadable) as error:
        teller.prove(_VERIFIER, ok=False, detail=f"the ceremony's transcript cannot be trusted: {error}")
        return
    looked: list[Audit] = []

    def follows() -> bool:
        looked.append(_audited(scene, trust))
        return not looked[-1].findings.problems and not looked[-1].findings.unknown

    try:
        scene.wait(follows)
    except _SILENT as error:
        teller.prove(_VERIFIER, ok=False, detail=f"the register is not to be had: {error}")
        return
    found = looked[-1]
    against = [*map(str, found.findings.problems), *(f"it cannot be known {each}" for each in found.findings.unknown)]
    words = (
        f"{counted(found.rows, 'row')}, {counted(len(found.state.certs), 'certificate')}, "
        f"{counted(len(found.state.lists), 'list')} and {counted(len(found.state.notices), 'notice')}, by the "
        "transcript alone"
    )
    teller.prove(_VERIFIER, not against, words if not against else against[0])


def _audited(scene: Scene, trust: Trusted) -> Audit:
    keys = () if trust.journal_key_sha256 is None else (trust.journal_key_sha256,)
    found = Audit(Pinned(journal_keys=keys, root=trust.root, officers=trust.officers))
    for line in scene.cast.second_officer.register():
        found.take(line)
    return found
