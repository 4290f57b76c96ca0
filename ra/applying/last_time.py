"""last_time: where an application differs from the one that came before it, for whoever knows that one (F2.18)."""

from collections.abc import Mapping, Sequence

from core.approval import DEVICE_WORDS, Firmware
from core.assurance import AssuranceCertificate, EarlierCpa, assurance_of, earlier_cpa_of
from core.canonical import canonical
from core.clauses import serves
from ra.applying.views import Differs, EarlierApplication, MembersChanged
from store.reading import last_time as reading
from store.reading.kept_words import kept_words
from store.rows import Application
from store.transactions import Transaction
from store.verbs import applications

MOST_COMPARED = 50
"""Versions of an application that are shown beside each other; all of them are kept."""


def changes_of(tx: Transaction, application: Application) -> tuple[MembersChanged, ...]:
    """Return each change of what an application says, oldest first, the newest with what it said before and after."""
    if application.version == 1:
        return ()
    kept = reading.versions_of(tx, application.id, limit=MOST_COMPARED)
    words = {version: kept_words(each) for version, each in kept.items()} | {application.version: said(application)}
    return tuple(
        MembersChanged(
            at=each.at,
            version=each.version,
            members=each.members,
            differences=differences(words.get(each.version - 1) or {}, words.get(each.version) or {}),
            unreadable=None in (words.get(each.version - 1, {}), words.get(each.version, {})),
        )
        for each in reading.changes_of(tx, application.id)
    )


def keep_said(tx: Transaction, application: Application) -> None:
    """Keep what an application says, which is about to be changed: the journal has no words of it."""
    applications.keep_version(tx, application.id, application.version, canonical(dict(said(application))).decode())


@serves("F2.18")
def earlier(tx: Transaction, application: Application) -> EarlierApplication | None:
    """Return the last application of the same Manufacturer for the same Device Model before one, if there is one."""
    before = reading.application_before(tx, application)
    if before is None:
        return None
    return EarlierApplication(
        application=before.id,
        state=before.state,
        submitted_at=before.submitted_at,
        differences=differences(said(before), said(application)),
    )


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Differs, ...]:
    """Return where two things differ, of the members that both say."""
    return tuple(
        Differs(subject=name, before=before[name], after=now)
        for name, now in after.items()
        if name in before and before[name] != now
    )


def firmware_said(firmware: Sequence[Firmware]) -> str:
    """Return firmware in words; two lists that say the same are equal, whatever their order."""
    return ", ".join(sorted(f"{each.version} ({each.image_digest})" for each in firmware)) or "none"


def said(application: Application) -> dict[str, str]:
    """Return what an application says, member by member, each under the word that people know it by."""
    named = assurance_of(application.assurance)
    cpa = earlier_cpa_of(application.earlier_cpa)
    return {
        **{words: getattr(application.device, name) for name, words in DEVICE_WORDS.items()},
        "SMETS version": application.smets_version,
        "GBCS version": application.gbcs_version,
        "firmware": firmware_said(application.firmware),
        "start": application.start.date().isoformat(),
        "expiry": application.expiry.date().isoformat(),
        "most devices": str(application.maximum_devices),
        "purpose": application.purpose,
        "contact": application.contact,
        "public key SHA-256": application.public_key_sha256,
        "Assurance Certificates": "; ".join(sorted(map(_certificate, named))) or "none",
        "earlier CPA Certificate": "none" if cpa is None else _certificate(cpa),
    }


def _certificate(named: AssuranceCertificate | EarlierCpa) -> str:
    """A certificate that is named, with all that is said of it."""
    of = f"of {named.manufacturer} {named.model} {named.hardware_version}".strip()
    days = {"issued": named.issued_on, "expires": named.expires_on if isinstance(named, EarlierCpa) else None}
    scheme = [] if isinstance(named, EarlierCpa) else [named.scheme]
    said_of = [f"{word} {day.isoformat()}" for word, day in days.items() if day is not None]
    return ", ".join([" ".join([*scheme, named.certificate, of]), *said_of])
