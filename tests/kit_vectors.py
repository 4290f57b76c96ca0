"""The vectors of verify/kit/vectors, made anew: `python -m tests.kit_vectors` writes them."""

import base64
import json
from pathlib import Path
from typing import Any

from tests import kit_decision_vectors, kit_evidence_vectors, kit_register_vectors, kit_roster_vectors
from tests.kit_world import consistency, inclusion
from verify.kit.instants import seconds
from verify.kit.note import checkpoint
from verify.kit.simulated import DAY, Log, granted, revoked

FOLDER = Path(__file__).parents[1] / "verify" / "kit" / "vectors"
NOW = seconds("2027-02-01T10:00:00Z")


def made() -> dict[str, dict[str, Any]]:
    """Every vector by its name, without what follows from it."""
    log = Log("TEST/vectors.example/log/1", bytes(range(32)))
    for number in range(1, 6):
        log.add(NOW, granted(number, NOW))
    earlier = log.note()
    log.add(NOW + 60)
    log.add(NOW + 60, revoked(log.document(granted(1, NOW)["approval"]), NOW + 60))
    size = len(log.rows)
    approval = {number: granted(number, NOW)["approval"] for number in (1, 2)}
    device = {**granted(2, NOW)["device"], "firmware_version": "0002012F"}

    def asked(place: int, question: dict[str, Any], /, **changed: Any) -> dict[str, Any]:
        said = {name: value for name, value in log.rows[place - 1].items() if name != "leaf"}
        hashes = [base64.b64encode(each).decode() for each in inclusion(log.leaves, place - 1)]
        evidence = {"log": str(log.key), "checkpoint": log.note(), "row": said, "hashes": hashes, **changed}
        return {"question": question, "evidence": evidence}

    def grown(**changed: Any) -> dict[str, Any]:
        hashes = [base64.b64encode(each).decode() for each in consistency(log.leaves, 5)]
        evidence = {"log": str(log.key), "checkpoint": log.note(), "earlier": earlier, "hashes": hashes, **changed}
        return {"question": {}, "evidence": evidence}

    other = Log("TEST/another.example/log/1")
    forked = Log("TEST/vectors.example/log/1", bytes(range(32)))
    for number in range(11, 11 + size):
        forked.add(NOW, granted(number, NOW))
    row_2 = asked(2, {})["evidence"]["row"]
    return {
        "active": asked(2, {"approval": approval[2], "now": NOW + 100}),
        "active-device": asked(2, {"device": device, "now": NOW + 100}),
        "firmware": asked(2, {"device": {**device, "firmware_version": "9"}, "now": NOW + 100}),
        "one-unit": asked(2, {"approval": approval[2], "device_id": "00-DB-12-34-56-78-90-01", "now": NOW}),
        "not-yet": asked(2, {"approval": approval[2], "now": NOW - 1}),
        "last-second": asked(2, {"approval": approval[2], "now": NOW + 90 * DAY - 1}),
        "expired": asked(2, {"approval": approval[2], "now": NOW + 90 * DAY}),
        "revoked": asked(size, {"approval": approval[1], "now": NOW + 60}),
        "before-it-was-revoked": asked(size, {"approval": approval[1], "at": "2027-02-01T10:00:59Z", "now": NOW + 100}),
        "row-changed": asked(2, {"approval": approval[2], "now": NOW}, row={**row_2, "commitment": "0" * 64}),
        "another-place": asked(2, {"approval": approval[2], "now": NOW}, hashes=asked(3, {})["evidence"]["hashes"]),
        "another-log": asked(2, {"approval": approval[2], "now": NOW}, checkpoint=other.note()),
        "signature": asked(2, {"approval": approval[2], "now": NOW}, log=str(Log("TEST/vectors.example/log/1").key)),
        "no-checkpoint": asked(2, {"approval": approval[2], "now": NOW}, checkpoint=checkpoint(log.note()).body),
        "grown": grown(),
        "went-back": grown(checkpoint=earlier, earlier=log.note()),
        "two-histories": grown(checkpoint=forked.note()),
    }


if __name__ == "__main__":
    from verify.kit.vectors import judged

    FOLDER.mkdir(exist_ok=True)
    others = (kit_evidence_vectors, kit_decision_vectors, kit_register_vectors, kit_roster_vectors)
    for name, vector in {**made(), **{name: each for one in others for name, each in one.made().items()}}.items():
        text = json.dumps({"name": name, **vector, "verdict": judged(vector)}, indent=1, sort_keys=True)
        (FOLDER / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
