"""What F2.19 has against the certificates that an application names: (a) for this Device Model, (b) for another one.

Nothing but the same model in (b) refuses: missing or contradictory evidence is shown to the officers, who decide.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from core.approval import Device
from core.assurance import AssuranceCertificate, EarlierCpa
from core.errors import Finding, Severity
from policy.rules import Rule, judge, rule
from policy.section_f.wording import printable, shown

LONGEST_CERTIFICATE_TEXT = 100
"""Characters of a scheme, of a certificate's number and of each name in it; what the schemes print is far shorter."""

DEFAULT_SCHEMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ESME": ("ZigBee", "DLMS"),
        "GSME": ("ZigBee", "DLMS"),
        "GPF": ("ZigBee",),
        "CHF": ("ZigBee",),
        "HCALCS": ("ZigBee",),
        "PPMID": ("ZigBee",),
        "IHD": ("ZigBee",),
        "CAD": ("ZigBee",),
    }
)
"""Whose Assurance Certificates a device type needs beside the NCSC's: unconfirmed (docs/assumptions.md), a setting."""


@dataclass(frozen=True)
class AssuranceFacts:
    """What an application evidences (F2.19).

    Args:
        device: what is to be tried.
        schemes: whose certificates its type needs (setting).
        held: the Assurance Certificates named.
        earlier: the CPA Certificate obtained before, if one is named.
        today: the present UTC day.
    """

    device: Device
    schemes: tuple[str, ...]
    held: tuple[AssuranceCertificate, ...]
    earlier: EarlierCpa | None
    today: date


def assurance_findings(facts: AssuranceFacts) -> tuple[Finding, ...]:
    """Return everything that F2.19 has against the certificates named."""
    return judge(ASSURANCE_RULES, facts)


@dataclass(frozen=True)
class Asked:
    """One thing that F2.19 asks for, and the certificates that are named for it.

    Args:
        asked: in words.
        held: each certificate in words; empty if none is named.
    """

    asked: str
    held: tuple[str, ...]


def asked_and_held(facts: AssuranceFacts) -> tuple[Asked, ...]:
    """Return what F2.19 asks of an application, each beside what it names; what nobody asks for comes last."""
    schemes = tuple(dict.fromkeys(each.casefold() for each in facts.schemes))
    others = [each for each in facts.held if each.scheme.casefold() not in schemes]
    earlier = () if facts.earlier is None else (_certificate(facts.earlier),)
    model = f"for this {facts.device.type}, manufacturer {facts.device.manufacturer}, model {facts.device.model}"
    return (
        *(
            Asked(
                f"(a) a {scheme} certificate {model}",
                tuple(_certificate(each) for each in facts.held if each.scheme.casefold() == scheme.casefold()),
            )
            for scheme in facts.schemes
        ),
        Asked("(b) a CPA Certificate that the NCSC issued to the Manufacturer for another Device Model", earlier),
        *(Asked(f"not asked for here: {shown(each.scheme)}", (_certificate(each),)) for each in others),
    )


# --- (a): every Assurance Certificate other than CPA, for this model ---------------------------------------------


@rule("assurance-missing", "F2.19", Severity.WARNING, "Name the certificate and attach it as evidence.")
def _assurance_missing(facts: AssuranceFacts) -> Iterator[str]:
    # One for another model proves nothing of this one, so it does not count.
    held = {each.scheme.casefold() for each in facts.held if _names(each, facts.device)}
    for scheme in facts.schemes:
        if scheme.casefold() not in held:
            yield f"No {scheme} certificate is named for this {facts.device.type}."


@rule("assurance-other-model", "F2.19", Severity.WARNING, "Name a certificate for this Device Model, or explain.")
def _assurance_other_model(facts: AssuranceFacts) -> Iterator[str]:
    for each in facts.held:
        if not _names(each, facts.device):
            yield f"The {shown(each.scheme)} certificate {shown(each.certificate)} names {_model(each)}."


# --- (b): a CPA Certificate from the NCSC for another model of the same Manufacturer -----------------------------


@rule("earlier-cpa-missing", "F2.19", Severity.WARNING, "Name a CPA Certificate that the NCSC issued to you before.")
def _earlier_cpa_missing(facts: AssuranceFacts) -> Iterator[str]:
    if facts.earlier is None:
        yield "No CPA Certificate from the NCSC for another Device Model is named."


@rule("earlier-cpa-same-model", "F2.19", Severity.FATAL, "Name the CPA Certificate of another Device Model.")
def _earlier_cpa_same_model(facts: AssuranceFacts) -> Iterator[str]:
    if facts.earlier is not None and _names(facts.earlier, facts.device):
        yield f"The CPA Certificate {shown(facts.earlier.certificate)} is for the very model that is to be tried."


@rule(
    "earlier-cpa-other-manufacturer", "F2.19", Severity.WARNING, "Show that both are one Manufacturer, or name another."
)
def _earlier_cpa_other_manufacturer(facts: AssuranceFacts) -> Iterator[str]:
    earlier = facts.earlier
    if earlier is not None and earlier.manufacturer.casefold() != facts.device.manufacturer.casefold():
        yield f"The CPA Certificate {shown(earlier.certificate)} names the manufacturer {shown(earlier.manufacturer)}."


@rule("earlier-cpa-expired", "F2.19", Severity.NOTICE, "Nothing needs to be done.")
def _earlier_cpa_expired(facts: AssuranceFacts) -> Iterator[str]:
    earlier = facts.earlier
    # F2.19 asks that it was obtained, not that it still holds.
    if earlier is not None and earlier.expires_on is not None and earlier.expires_on < facts.today:
        ended = earlier.expires_on.isoformat()
        yield f"The CPA Certificate {shown(earlier.certificate)} expired on {ended}; it still counts."


# --- both --------------------------------------------------------------------------------------------------------


@rule("certificate-dates", "F2.19", Severity.WARNING, "Give the dates that are printed on the certificate.")
def _certificate_dates(facts: AssuranceFacts) -> Iterator[str]:
    named: list[tuple[str, date | None, date | None]] = [
        (each.certificate, each.issued_on, None) for each in facts.held
    ]
    if facts.earlier is not None:
        named.append((facts.earlier.certificate, facts.earlier.issued_on, facts.earlier.expires_on))
    for certificate, issued, expires in named:
        if issued is not None and issued > facts.today:
            yield f"The certificate {shown(certificate)} is dated {issued.isoformat()}, a day that has not come."
        if issued is not None and expires is not None and expires < issued:
            yield f"The certificate {shown(certificate)} expires on {expires.isoformat()}, before it was issued."


@rule(
    "certificate-text",
    "F2.19",
    Severity.FATAL,
    f"Write it as printed, in 1 to {LONGEST_CERTIFICATE_TEXT} printable characters without blanks at its ends.",
)
def _certificate_text(facts: AssuranceFacts) -> Iterator[str]:
    for place, each in enumerate(facts.held, 1):
        for label, value in (("scheme", each.scheme), *_texts(each)):
            if not _fits(label, value):
                yield f"The {label} of Assurance Certificate {place} cannot be taken."
    for label, value in _texts(facts.earlier) if facts.earlier is not None else ():
        if not _fits(label, value):
            yield f"The {label} of the CPA Certificate cannot be taken."


ASSURANCE_RULES: tuple[Rule[AssuranceFacts], ...] = (
    _assurance_missing,
    _assurance_other_model,
    _earlier_cpa_missing,
    _earlier_cpa_same_model,
    _earlier_cpa_other_manufacturer,
    _earlier_cpa_expired,
    _certificate_dates,
    _certificate_text,
)


def _names(certificate: AssuranceCertificate | EarlierCpa, device: Device) -> bool:
    """Whether a certificate is for this model; one that names no hardware version is for every one of them."""
    return (
        certificate.manufacturer.casefold() == device.manufacturer.casefold()
        and certificate.model.casefold() == device.model.casefold()
        and certificate.hardware_version.casefold() in ("", device.hardware_version.casefold())
    )


def _model(certificate: AssuranceCertificate | EarlierCpa) -> str:
    hardware = certificate.hardware_version
    named = f"manufacturer {shown(certificate.manufacturer)}, model {shown(certificate.model)}"
    return f"{named}, hardware version {shown(hardware)}" if hardware else named


def _certificate(certificate: AssuranceCertificate | EarlierCpa) -> str:
    dated = "" if certificate.issued_on is None else f", issued on {certificate.issued_on.isoformat()}"
    ends = certificate.expires_on if isinstance(certificate, EarlierCpa) else None
    until = "" if ends is None else f", until {ends.isoformat()}"
    return f"{shown(certificate.certificate)}: {_model(certificate)}{dated}{until}"


_HARDWARE = "hardware version"


def _texts(certificate: AssuranceCertificate | EarlierCpa) -> tuple[tuple[str, str], ...]:
    return (
        ("number", certificate.certificate),
        ("manufacturer", certificate.manufacturer),
        ("model", certificate.model),
        (_HARDWARE, certificate.hardware_version),
    )


def _fits(label: str, value: str) -> bool:
    least = 0 if label == _HARDWARE else 1
    return least <= len(value) <= LONGEST_CERTIFICATE_TEXT and printable(value)
