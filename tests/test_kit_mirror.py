"""A copy proves itself: it equals the register, resumes, and believes nothing that is wrong."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.kit_world import consistency
from verify.kit import mirror
from verify.kit.canonical import canonical, read
from verify.kit.holding import BACK
from verify.kit.instants import seconds
from verify.kit.merkle import leaf_hash
from verify.kit.mirror import Compared, Mirror
from verify.kit.note import WITNESS, checkpoint, cosigned, key_of
from verify.kit.simulated import DAY, Log, Wrong, granted, revoked
from verify.kit.stopped import Check, Stopped
from verify.kit.witness import Witness

NOW = seconds("2027-02-01T10:00:00Z")
APPROVAL = granted(1, NOW)["approval"]


class Told:
    """The simulated log, asked without a socket; a line may be added to its notes."""

    def __init__(self, log: Log, line: str = "") -> None:
        self.log, self.line, self.held = log, line, b""

    def get(self, path: str) -> bytes:
        where = urlsplit(path)
        asked = parse_qs(where.query)
        if where.path == "/v1/proofs/consistency":
            return self.log.consistency(int(asked["from"][0]), int(asked["to"][0]))
        told = self.log.feed(int(asked["after"][0]), int(asked["limit"][0]))
        return told.replace(b'\\n","rows"', b"\\n" + self.line.replace("\n", "\\n").encode() + b'","rows"')

    def pieces(self, path: str) -> Iterator[bytes]:
        assert path == "/v1/register"
        octets = self.held or self.log.register()
        yield from (octets[place : place + 100] for place in range(0, len(octets), 100))


def log_of(approvals: int = 5) -> Log:
    log = Log()
    for number in range(1, approvals + 1):
        log.add(NOW)
        log.add(NOW, granted(number, NOW))
    return log


def copy_of(folder: Path, log: Log, longest: int = 600) -> Mirror:
    return Mirror(folder / "copy.sqlite", log.key, clock=lambda: NOW, longest=longest)


def all_of(copy: Mirror, source: Told) -> None:
    while not copy.follow(source):
        pass


def test_a_copy_is_the_register_and_answers_as_it_goes_on(tmp_path: Path) -> None:
    log = log_of()
    copy, source = copy_of(tmp_path, log), Told(log)
    all_of(copy, source)
    copy.compare(source)
    assert list(copy.documents().values()) == read(log.register())["approvals"]
    assert copy.holding.answer("approval", APPROVAL, NOW).members["valid"] is True
    log.add(NOW + 5, revoked(log.document(APPROVAL), NOW + 5))
    all_of(copy, source)
    answer = copy.holding.answer("approval", APPROVAL, NOW + 5).members
    assert (answer["valid"], answer["state"]) == (False, "cancelled")
    assert copy.holding.asked({"approval": APPROVAL, "at": "2027-02-01T10:00:04Z"}, NOW + 5).members["valid"] is True


def test_what_is_at_hand_is_forgotten_when_a_row_says_something_else(tmp_path: Path) -> None:
    log, clock = log_of(), [NOW]
    copy, source = Mirror(tmp_path / "copy", log.key, clock=lambda: clock[0], longest=10**9), Told(log)
    all_of(copy, source)
    certificate, coming = log.document(APPROVAL)["certificates"][0], granted(77, NOW)
    names = [("approval", APPROVAL), ("serial", certificate["serial"]), ("sha256", certificate["sha256"])]
    absent = [("approval", coming["approval"]), ("serial", coming["certificates"][0]["serial"])]
    answer = copy.holding.answer
    for at in (NOW, NOW, NOW + 4_000, NOW - 1, NOW + 90 * DAY - 1, NOW + 90 * DAY, NOW + 5):
        for kind, value in names + absent:
            # What was at hand is what is found out anew, whatever was asked before, and of whichever instant.
            kept, anew = answer(kind, value, at), copy.holding.asked({kind: value}, at).members
            assert {**anew, "as_of": 0, "fresh_until": 0} == {**kept.members, "as_of": 0, "fresh_until": 0}
            assert kept.since <= at <= kept.until
    log.add(NOW, revoked(log.document(APPROVAL), NOW + 5), coming)
    clock[0] = NOW + 5
    all_of(copy, source)
    assert [answer(*each, NOW + 5).members["state"] for each in names] == ["cancelled"] * 3
    assert [answer(*each, NOW + 5).members["valid"] for each in absent] == [True, True]


def test_a_copy_in_portions_counts_nothing_until_the_root_proves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "PORTION", 3)
    log = log_of()
    source = Told(log)
    assert copy_of(tmp_path, log).follow(source) is False
    again = copy_of(tmp_path, log)  # as after a kill
    assert (again.size, again.documents()) == (0, {})
    with pytest.raises(Stopped, match="newest"):
        again.holding.answer("approval", APPROVAL, NOW)
    all_of(again, source)
    again.compare(source)
    assert again.size == 10


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (Wrong.SIGNATURE, Check.SIGNATURE),
        (Wrong.WENT_BACK, Check.WENT_BACK),
        (Wrong.OTHER_HISTORY, Check.ROOT),
        (Wrong.LEFT_OUT, Check.ORDER),
        (Wrong.CHANGED, Check.ROOT),
        (Wrong.NO_JSON, Check.FORM),
    ],
)
def test_a_copy_stops_keeps_its_last_good_state_and_says_why(tmp_path: Path, wrong: Wrong, check: Check) -> None:
    log = log_of()
    copy, source = copy_of(tmp_path, log), Told(log)
    all_of(copy, source)
    before = copy.documents()
    log.add(NOW, revoked(log.document(APPROVAL), NOW))
    log.wrong = wrong
    with pytest.raises(Stopped) as stopped:
        all_of(copy, source)
    assert stopped.value.check is check
    assert [each[1] for each in copy.wrong()] == [check]
    assert copy.documents() == before
    log.wrong = Wrong.NOTHING
    all_of(copy, source)  # nothing of what was wrong is left
    copy.compare(source)


def test_what_was_laid_aside_and_turns_out_wrong_is_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "PORTION", 3)
    log = log_of()
    copy, source = copy_of(tmp_path, log), Told(log)
    true, lie = log.rows[1], {**log.rows[1], "public": {"approvals": [granted(99, NOW)]}}
    lie["leaf"] = leaf_hash(canonical({name: value for name, value in lie.items() if name != "leaf"})).hex()
    log.rows[1] = lie  # in the first portion; the root proves it wrong only behind the last
    with pytest.raises(Stopped) as stopped:
        all_of(copy, source)
    assert (stopped.value.check, copy.size, copy.documents()) == (Check.ROOT, 0, {})
    log.rows[1] = true
    all_of(copy, source)
    copy.compare(source)


def test_rows_are_numbered_without_a_gap_even_where_the_log_has_signed_one(tmp_path: Path) -> None:
    log = log_of()
    log.rows.insert(0, {})
    log.add(NOW)  # takes the number behind the one that is its own
    del log.rows[0]
    copy = copy_of(tmp_path, log)
    with pytest.raises(Stopped) as stopped:
        all_of(copy, Told(log))
    assert stopped.value.check is Check.ORDER


def test_two_trees_of_one_size_are_two_histories(tmp_path: Path) -> None:
    log = log_of()
    copy, source = copy_of(tmp_path, log), Told(log)
    all_of(copy, source)
    log.wrong = Wrong.OTHER_HISTORY
    with pytest.raises(Stopped) as stopped:
        copy.follow(source)
    assert stopped.value.check is Check.TWO_HISTORIES
    assert copy.wrong()[0][3] == log.note()


def test_a_register_that_is_not_its_rows_stops_the_copy(tmp_path: Path) -> None:
    log = log_of()
    copy, source = copy_of(tmp_path, log), Told(log)
    all_of(copy, source)
    log.wrong = Wrong.REGISTER
    with pytest.raises(Stopped) as stopped:
        copy.compare(source)
    assert stopped.value.check is Check.ROOT


def test_a_register_of_a_moment_before_is_compared_as_far_as_it_goes(tmp_path: Path) -> None:
    log = log_of(300)
    copy, source = copy_of(tmp_path, log), Told(log)
    source.held = log.register()
    for number, approval in ((1, APPROVAL), (300, granted(300, NOW)["approval"])):
        log.add(NOW, revoked(log.document(approval), NOW))
        log.add(NOW, granted(1_000 + number, NOW))
    log.add(NOW, granted(0, NOW))
    all_of(copy, source)
    compared = copy.compare(source)
    assert compared == Compared(size=600, newer=5, signed=None)
    before, seventh = source.held, canonical(granted(7, NOW))
    for changed in (
        before.replace(seventh, seventh.replace(b'"maximum_devices":500', b'"maximum_devices":501')),
        before.replace(b'"size":600', b'"size":599'),
        before.replace(b'"log":"TEST', b'"log":"LIVE'),
        before.replace(seventh + b",", b""),
        before.replace(b'}],"at"', b"}," + canonical(granted(999_999, NOW)) + b'],"at"'),
        before.replace(b'{"approvals":[', b'{"approvals":[' + canonical(granted(0, NOW)) + b","),  # of a row behind
    ):
        assert changed != before
        source.held = changed
        with pytest.raises(Stopped) as stopped:
            copy.compare(source)
        assert stopped.value.check is Check.ROOT
    for broken in (before[:-1], before + b" ", before[:5_000], b"", b"[]", before.replace(b'"at":"2', b'"at":"x')):
        source.held = broken or b" "
        with pytest.raises(Stopped) as stopped:
            copy.compare(source)
        assert stopped.value.check is Check.FORM
    log.add(NOW)
    source.held = log.register()
    assert copy.compare(source) is None


def test_a_copy_too_old_says_nothing_and_no_answer_outlives_it(tmp_path: Path) -> None:
    log = log_of()
    copy = copy_of(tmp_path, log, longest=60)
    all_of(copy, Told(log))
    assert copy.holding.answer("approval", APPROVAL, NOW).until == NOW + 60
    assert copy.holding.answer("approval", APPROVAL, NOW + 60).members["valid"] is True
    with pytest.raises(Stopped) as stopped:
        copy.holding.answer("approval", APPROVAL, NOW + 61)
    assert stopped.value.check is Check.TOO_OLD


def test_one_unit_and_firmware_are_answered_as_far_as_a_copy_can(tmp_path: Path) -> None:
    log = log_of()
    copy = copy_of(tmp_path, log)
    all_of(copy, Told(log))
    device = {**log.document(APPROVAL)["device"], "firmware_version": "0002012f"}
    ask = copy.holding.asked
    assert ask({"device": device}, NOW).members["valid"] is True
    for changed, code in (
        ({"firmware_version": "1"}, "firmware-not-approved"),
        ({"firmware_hash": "0" * 64}, "firmware-hash-mismatch"),
        ({"model": "none"}, "device-not-approved"),
    ):
        answer = ask({"device": {**device, **changed}}, NOW).members
        assert (answer["valid"], answer["reasons"][0]["code"]) == (False, code)
    unit = ask({"device": device, "device_id": "00-DB-12-34-56-78-90-01"}, NOW).members
    assert (unit["valid"], unit["reasons"][0]["code"]) == (False, "not-known-to-a-copy")


def test_a_copy_wants_its_witnesses_and_is_as_old_as_they_say(tmp_path: Path) -> None:
    log = log_of()
    private = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
    known = key_of(private, "dcc.example/w", WITNESS)
    copy = Mirror(tmp_path / "copy", log.key, witnesses=[known], wanted=1, longest=600, clock=lambda: NOW)
    with pytest.raises(Stopped) as stopped:
        copy.follow(Told(log))
    assert stopped.value.check is Check.WITNESSES
    copy.follow(Told(log, cosigned(checkpoint(log.note()), private, known.name, NOW - 100)))
    assert copy.holding.believed_until == NOW + 500


def test_a_witness_signs_what_follows_and_keeps_both_notes_of_what_does_not(tmp_path: Path) -> None:
    log = log_of()
    private = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
    known = key_of(private, "dcc.example/w", WITNESS)

    def proof(first: int, _second: int) -> list[bytes]:
        return consistency(log.leaves, first)

    def witness() -> Witness:
        return Witness(tmp_path / "seen.json", log.key, private, known.name)

    for _ in range(3):
        assert checkpoint(witness().cosign(log.note(), proof, NOW)).witnessed([known]) == [NOW]
        log.add(NOW)
        log.add(NOW)
    seen = witness().seen
    log.wrong = Wrong.OTHER_HISTORY
    with pytest.raises(Stopped) as stopped:
        witness().cosign(log.note(), proof, NOW)
    assert stopped.value.check is Check.TWO_HISTORIES
    assert witness().seen == seen
    (kept,) = tmp_path.glob("seen.json.two-histories-*")
    assert read(kept.read_bytes()) == [seen.note if seen else None, log.note()]
    other = Log("another/log/1")
    with pytest.raises(Stopped) as stopped:
        witness().cosign(other.note(), proof, NOW)
    assert stopped.value.check is Check.ORIGIN


def test_two_witnesses_at_one_file_never_sign_two_trees(tmp_path: Path) -> None:
    log, other = log_of(), log_of()
    private = Ed25519PrivateKey.from_private_bytes(b"w" * 32)

    def witness() -> Witness:
        return Witness(tmp_path / "seen.json", log.key, private, "dcc.example/w")

    witness().cosign(log.note(), lambda *_: (), NOW)
    log.add(NOW)
    other.add(NOW + 1)

    def meanwhile(first: int, _second: int) -> list[bytes]:
        # While the first asks for its proof, the second is shown another history of the same size.
        with pytest.raises(Stopped) as stopped:
            witness().cosign(other.note(), lambda first, _: consistency(other.leaves, first), NOW)
        assert stopped.value.check is Check.UNREACHABLE
        return consistency(log.leaves, first)

    witness().cosign(log.note(), meanwhile, NOW)
    assert witness().seen == checkpoint(log.note())
    with pytest.raises(Stopped) as stopped:
        witness().cosign(other.note(), lambda first, _: consistency(other.leaves, first), NOW)
    assert stopped.value.check is Check.TWO_HISTORIES


def test_a_witness_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    log = log_of()
    keys = [Ed25519PrivateKey.from_private_bytes(each * 32) for each in (b"w", b"x")]
    first, second = (key_of(each, f"witness.example/{place}", WITNESS) for place, each in enumerate(keys))
    copy = Mirror(tmp_path / "copy", log.key, witnesses=[first, first, second], wanted=2, clock=lambda: NOW)
    with pytest.raises(Stopped) as stopped:
        copy.follow(Told(log, cosigned(checkpoint(log.note()), keys[0], first.name, NOW)))
    assert stopped.value.check is Check.WITNESSES
    both = "".join(
        cosigned(checkpoint(log.note()), *each, NOW) for each in zip(keys, (first.name, second.name), strict=True)
    )
    copy.follow(Told(log, both))


def test_a_copy_that_was_proved_after_now_is_believed_no_more_than_one_that_is_too_old(tmp_path: Path) -> None:
    """A clock that was set back would make every copy new again."""
    log = log_of()
    copy = copy_of(tmp_path, log, longest=60)
    all_of(copy, Told(log))
    assert copy.holding.answer("approval", APPROVAL, NOW).members["valid"] is True
    assert copy.holding.answer("approval", APPROVAL, NOW - BACK).members["state"] == "unknown"
    for before in (NOW - BACK - 1, NOW - DAY):
        for kind, value in (("approval", APPROVAL), ("serial", log.document(APPROVAL)["certificates"][0]["serial"])):
            with pytest.raises(Stopped) as stopped:
                copy.holding.answer(kind, value, before)
            assert stopped.value.check is Check.TOO_OLD
            with pytest.raises(Stopped) as stopped:
                copy.holding.asked({kind: value}, before)
            assert stopped.value.check is Check.TOO_OLD
