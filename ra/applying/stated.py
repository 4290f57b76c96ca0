"""What an application says, as the journal commits to it: by the digest of what an auditor has of its row."""

import hashlib
from dataclasses import asdict

from core.canonical import Json, canonical
from core.instants import text
from store.rows import Application


def stated_sha256(application: Application) -> str:
    """Return the digest of what an application says of device, dates, limit, firmware, versions and key, hex.

    It is of no withheld word, and an auditor computes it again from the application's row (verify/columns.py): so
    nobody changes an application before it is proposed without the journal.

    Args:
        application: as it is written.
    """
    stated: dict[str, Json] = {
        "device": asdict(application.device),
        "smets_version": application.smets_version,
        "gbcs_version": application.gbcs_version,
        "start": text(application.start),
        "expiry": text(application.expiry),
        "maximum_devices": application.maximum_devices,
        "firmware": [{"version": each.version, "image_sha256": each.image_digest} for each in application.firmware],
        "public_key_sha256": application.public_key_sha256,
    }
    return hashlib.sha256(canonical(stated)).hexdigest()
