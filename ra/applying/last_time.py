"""last_time: where an application differs from the one that came before it, for whoever knows that one (F2.18)."""

from collections.abc import Mapping, Sequence

from core.approval import DEVICE_WORDS, Firmware
from core.assurance import assurance_of, earlier_cpa_of
from core.clauses import serves
from ra.applying.views import Differs, EarlierApplication, MembersChanged
from store.reading import last_time as reading
from store.rows import Application
from store.transactions import Transaction


def changes_of(tx: Transaction, application: Application) -> tuple[MembersChanged, ...]:
    """Return each change of what an application says, oldest first."""
    found = reading.changes_of(tx, application.id) if application.version > 1 else []
    return tuple(MembersChanged(at=each.at, version=each.version, members=each.members) for each in found)


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
        differences=differences(_said(before), _said(application)),
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


def _said(application: Application) -> dict[str, str]:
    """What an application says, member by member, each under the word that people know it by."""
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
        "Assurance Certificates": ", ".join(sorted(f"{each.scheme} {each.certificate}" for each in named)) or "none",
        "earlier CPA Certificate": "none" if cpa is None else cpa.certificate,
    }
