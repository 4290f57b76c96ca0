"""Assurance Certificates: what an application says that its Manufacturer holds (F2.19). Strings are kept as given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.canonical import Json, canonical, read_json


@dataclass(frozen=True)
class AssuranceCertificate:
    """An Assurance Certificate other than a CPA Certificate, for the Device Model of the application (F2.19).

    Args:
        scheme: who assures, `ZigBee` or `DLMS`; compared without case.
        certificate: its number or name.
        manufacturer, model, hardware_version: what it names; an empty hardware version means that it names none.
        issued_on: the UTC day of its issue, if it is said.
    """

    scheme: str
    certificate: str
    manufacturer: str
    model: str
    hardware_version: str
    issued_on: date | None = None


@dataclass(frozen=True)
class EarlierCpa:
    """The CPA Certificate that the Manufacturer obtained from the NCSC before, for another Device Model (F2.19).

    Args:
        certificate: its number or name.
        manufacturer, model, hardware_version: what it names; an empty hardware version means that it names none.
        issued_on: the UTC day of its issue.
        expires_on: the last UTC day on which it holds; None if it does not end or that is not said.
    """

    certificate: str
    manufacturer: str
    model: str
    hardware_version: str
    issued_on: date
    expires_on: date | None = None


def assurance_text(held: tuple[AssuranceCertificate, ...]) -> str:
    """Return Assurance Certificates as canonical JSON, as the register keeps them."""
    return canonical([assurance_document(each) for each in held]).decode()


def assurance_document(held: AssuranceCertificate) -> dict[str, Json]:
    """Return an Assurance Certificate as it is kept and shown."""
    return {
        "scheme": held.scheme,
        "certificate": held.certificate,
        "manufacturer": held.manufacturer,
        "model": held.model,
        "hardware_version": held.hardware_version,
        "issued_on": _day_text(held.issued_on),
    }


def assurance_of(text: str) -> tuple[AssuranceCertificate, ...]:
    """Return Assurance Certificates from their JSON."""
    return tuple(
        AssuranceCertificate(
            scheme=each["scheme"],
            certificate=each["certificate"],
            manufacturer=each["manufacturer"],
            model=each["model"],
            hardware_version=each["hardware_version"],
            issued_on=_day(each, "issued_on"),
        )
        for each in read_json(text)
    )


def earlier_cpa_text(held: EarlierCpa | None) -> str:
    """Return the earlier CPA Certificate as canonical JSON; `null` if none is named."""
    return canonical(earlier_cpa_document(held)).decode()


def earlier_cpa_document(held: EarlierCpa | None) -> dict[str, Json] | None:
    """Return the earlier CPA Certificate as it is kept and shown."""
    if held is None:
        return None
    return {
        "certificate": held.certificate,
        "manufacturer": held.manufacturer,
        "model": held.model,
        "hardware_version": held.hardware_version,
        "issued_on": held.issued_on.isoformat(),
        "expires_on": _day_text(held.expires_on),
    }


def earlier_cpa_of(text: str) -> EarlierCpa | None:
    """Return the earlier CPA Certificate from its JSON."""
    kept = read_json(text)
    if kept is None:
        return None
    return EarlierCpa(
        certificate=kept["certificate"],
        manufacturer=kept["manufacturer"],
        model=kept["model"],
        hardware_version=kept["hardware_version"],
        issued_on=date.fromisoformat(kept["issued_on"]),
        expires_on=_day(kept, "expires_on"),
    )


def _day_text(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _day(kept: Mapping[str, Any], name: str) -> date | None:
    value = kept[name]
    return None if value is None else date.fromisoformat(value)
