"""Every file of the corpus that is made, by its name."""

from collections.abc import Iterable

from tests.lint_cases import AUTHORITY, SOUND, pem, written
from tests.lint_corpus import answers, certificates, crls, gate, hierarchies
from tests.lint_corpus.writing import CERTIFICATES, Case, Written

_SOUND = "What is true of every case here that does not say otherwise."


def generated() -> dict[str, str]:
    """Return the text of each file by its path within the corpus.

    Raises:
        AssertionError: two cases would be one file.
    """
    files = {f"{AUTHORITY}/{name}.pem": pem(der, "CERTIFICATE") + "\n" for name, der in CERTIFICATES.items()}
    for kind, sound, cases in (
        ("certificate", certificates.SOUND, certificates.cases()),
        ("hierarchy", hierarchies.SOUND, hierarchies.cases()),
        ("crl", crls.SOUND, crls.cases()),
        ("ocsp", answers.SOUND, answers.cases()),
        ("gate", gate.SOUND, gate.cases()),
    ):
        files |= _of_kind(kind, sound, cases)
    return files


def _of_kind(kind: str, sound: Written, cases: Iterable[Case]) -> dict[str, str]:
    files = {f"{kind}/{SOUND}": written(kind, _SOUND, sound)}
    for case in cases:
        name = f"{kind}/{case.name}.case"
        assert name not in files, f"{name} is there twice"
        differing = {fact: value for fact, value in case.said.items() if sound.get(fact) != value}
        files[name] = written(kind, case.what, differing)
    return files
