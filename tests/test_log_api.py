"""The public log over HTTP: what it hands out proves itself, and nothing is shown that no checkpoint covers."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.merkle import leaf_hash, root, verify_consistency, verify_inclusion
from store.log_tables import checkpoints
from store.reading import log as reading
from tests.api_world import Api, done
from tests.people_world import served
from tests.test_log import with_log
from tests.world import NOW, World
from verify.kit import program
from verify.kit.agreed.command import parts as parts_of
from verify.kit.agreed.dossier import LOG as LOG_PART
from verify.kit.inclusion import carried, proved
from verify.kit.note import LOG, key, key_of
from verify.kit.stopped import Check, Stopped


@pytest.fixture
def api(world: World) -> Api:
    world.granted()
    return Api(world)


def checkpoint(api: Api, size: int) -> bytes:
    """Show a checkpoint of so many leaves, as the authority does once they are sealed."""
    with api.world.store.begin("test") as tx:
        found = root(reading.nodes(tx), size)
        said = {"size": size, "root": found, "note": f"the note of {size}\n", "signed_at": NOW}
        tx.connection.execute(checkpoints.insert(), said)
    return found


def hashes(said: dict[str, list[str]]) -> list[bytes]:
    return [b64decode(each) for each in said["hashes"]]


def test_before_the_first_checkpoint_there_is_nothing(api: Api) -> None:
    for path in (
        "/v1/checkpoint",
        "/tile/0/000.p/1",
        "/v1/proofs/inclusion?row=1",
        "/v1/proofs/consistency?from=0&to=1",
    ):
        said = api.ask(None, "GET", path)
        assert (said.status_code, said.json["code"]) == (404, "log-empty")  # type: ignore[index]


def test_whoever_asks_can_prove_what_is_answered(api: Api) -> None:
    old, new = checkpoint(api, 3), checkpoint(api, 7)
    note = api.ask(None, "GET", "/v1/checkpoint")
    assert (note.status_code, note.text, note.headers["Cache-Control"]) == (200, "the note of 7\n", "no-store")
    leaves = []
    for row in range(1, 8):
        said = api.ask(None, "GET", f"/v1/proofs/inclusion?row={row}&size=7").json
        assert said is not None
        leaves.append(leaf_hash(said["leaf_data"].encode()))
        assert verify_inclusion(leaves[-1], index=row - 1, size=7, proof=hashes(said), expected=new)
    said = api.ask(None, "GET", "/v1/proofs/consistency?from=3&to=7").json
    assert said is not None
    assert (said["from"], said["to"]) == (3, 7)
    assert verify_consistency(old=3, new=7, old_root=old, new_root=new, proof=hashes(said))
    tile = api.ask(None, "GET", "/tile/0/000.p/7")
    assert (tile.data, "immutable" in tile.headers["Cache-Control"]) == (b"".join(leaves), True)
    bundle, found = api.ask(None, "GET", "/tile/entries/000.p/7").data, []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        found.append(leaf_hash(bundle[2 : 2 + length]))
        bundle = bundle[2 + length :]
    assert found == leaves


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_what_no_checkpoint_covers_and_what_is_no_tile_is_not_there(api: Api) -> None:
    checkpoint(api, 3)
    absent = [
        *("0/000.p/4", "0/000", "0/001.p/1", "1/000.p/1", "entries/000.p/4", "entries/x001/000.p/1", "99/000.p/1"),
        *("0/000.p/0", "0/000.p/03", "0/000.p/256", "0/000.p/257", "0/0.p/1", "0/x00/000.p/1", "-1/000.p/1", "a/b"),
        *("0/x999/x999/x999/x999/999.p/1", "0/\u0660\u0660\u0660.p/1", "7/000.p/1", "0/000.p/1/", "0//000.p/1"),
    ]
    assert [each for each in absent if api.ask(None, "GET", f"/tile/{each}").status_code not in (400, 404)] == []
    assert api.ask(None, "GET", "/tile/" + "0" * 5_000).status_code in (400, 404, 414)
    wrong = ("row=0", "row=4", "row=2&size=1", "row=1&size=4", "row=x", "row=9007199254740993", "", "row=1&x=1")
    more = ("approval=x", "approval=TDT-2027-0000099-X", "row=1&approval=TDT-2027-0000001-X")
    assert {api.ask(None, "GET", f"/v1/proofs/inclusion?{each}").status_code for each in (*wrong, *more)} <= {400, 404}
    trees = ("from=2&to=1", "from=0&to=4", "from=-1&to=1", "from=1", "to=1", "from=1&to=99999999999999999999")
    assert {api.ask(None, "GET", f"/v1/proofs/consistency?{each}").status_code for each in trees} <= {400, 404}


@pytest.fixture
def logged(world: World) -> Api:
    with_log(world).settle()
    return Api(world)


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_what_is_told_of_an_approval_names_its_proof_which_is_checked_offline(
    logged: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world, held = logged.world, logged.world.memory.log
    assert held is not None
    approval = logged.granted()
    (certificate,) = world.record(approval).certificates
    address = f"/v1/proofs/inclusion?approval={approval}"
    listed = logged.ask("dcc", "GET", f"/v1/approvals/{approval}/notices").json
    assert listed is not None
    asked = [
        *((who, f"/v1/certificates/{certificate.serial}") for who in ("manufacturer", "dcc", "auditor")),
        *(("manufacturer", f"/v1/approvals/{approval}{more}") for more in ("", "/certificate")),
        *(("dcc", f"/v1/notices/{each['notice']}") for each in listed["notices"]),
    ]
    assert len(asked) > 5
    for who, path in asked:
        said = logged.ask(who, "GET", path)
        assert (said.status_code, said.headers["Link"]) == (200, f'<{address}>; rel="describedby"'), path
    before = logged.ask(None, "GET", address).json
    ended = logged.ask(
        "officer-1", "POST", f"/v1/approvals/{approval}/revocation", {"cause": "ssc", "reasons": "It has to be."}
    )
    assert (ended.status_code, ended.headers["Link"]) == (200, f'<{address}>; rel="describedby"')
    assert logged.ask(None, "GET", address).json == before  # it is said when it is sealed
    world.authority.settle()
    answer = logged.ask(None, "GET", address)
    row = proved(answer.json, key(held.key))
    assert carried(row, approval)["end_cause"] == "ssc"
    file = tmp_path / "proof.json"
    file.write_bytes(answer.data)
    words = ["proof", str(file), "--approval", approval, "--log-key"]
    with pytest.raises(SystemExit) as left:
        program.main([*words, held.key])
    assert left.value.code == 0
    assert json.loads(capsys.readouterr().out) == carried(row, approval)
    assert before is not None
    with pytest.raises(SystemExit) as left:
        program.main([*words, str(key_of(Ed25519PrivateKey.generate(), held.log, LOG))])
    assert left.value.code == 1
    _refused_if_changed(answer.json, held.key)


def _refused_if_changed(said: Any, log: str) -> None:
    """Nothing of a proof can be another, and still prove."""
    row = json.loads(said["leaf_data"])
    changes: list[dict[str, Any]] = [
        {"row": said["row"] + 1},
        {"size": said["size"] + 1},
        {"hashes": said["hashes"][1:]},
        {"hashes": [*said["hashes"], said["hashes"][0]]},
        {"hashes": said["hashes"][::-1]},
        {"hashes": "x"},
        {"hashes": None},
        {"leaf_data": said["leaf_data"].replace('"ssc"', '"breach"')},
        {"leaf_data": f" {said['leaf_data']}"},
        {"leaf_data": json.dumps({**row, "number": True})},
        {"leaf_data": "[]"},
        {"leaf_data": "\ud800"},
        {"leaf_data": 7},
        {"checkpoint": None},
        {"checkpoint": "x"},
        {"checkpoint": said["checkpoint"].replace("/log/1", "/log/2")},
        {"checkpoint": said["checkpoint"].replace(f"\n{said['size']}\n", f"\n{said['size'] + 1}\n")},
        {"more": 1},
    ]
    for each in changes:
        with pytest.raises(Stopped):
            proved({**said, **each}, key(log))
    none: list[object] = [None, [], "x", {}, {name: value for name, value in said.items() if name != "row"}]
    for nothing in none:
        with pytest.raises(Stopped):
            proved(nothing, key(log))
    with pytest.raises(Stopped) as stopped:
        carried(proved(said, key(log)), "TDT-2027-0000099-X")
    assert stopped.value.check is Check.DOCUMENT


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_decision_is_exported_with_what_the_log_says_of_its_approval(
    logged: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world, held = logged.world, logged.world.memory.log
    assert held is not None
    (tmp_path / "keys").mkdir()
    approval = logged.granted()
    (decision,) = [each["decision"] for each in done(logged.ask("auditor", "GET", "/v1/decisions"))["decisions"]]
    with served(logged, tmp_path / "keys") as people:
        early = people.run("auditor", "decide", "export", decision, "--to", str(tmp_path / "early"))
        world.authority.settle()
        late = people.run("auditor", "decide", "export", decision, "--to", str(tmp_path / "late"))
    assert (early.status, late.status) == (0, 0), early
    assert LOG_PART in parts_of(tmp_path / "late")
    file = str(tmp_path / "late" / LOG_PART)
    for words, status, told in (
        ([file, "--log-key", held.key, "--approval", approval], 0, approval),
        ([file, "--log-key", str(key_of(Ed25519PrivateKey.generate(), key(held.key).name, LOG))], 1, ""),
    ):
        with pytest.raises(SystemExit) as ended:
            program.main(["proof", *words])
        assert (ended.value.code, told in capsys.readouterr().out) == (status, True)


def test_links_to_proofs_are_described_where_they_are(api: Api) -> None:
    paths = done(api.ask(None, "GET", "/openapi.json"))["paths"]
    described = {
        operation["operationId"]: set(said["headers"]) & {"Link", "Link-Template"}
        for methods in paths.values()
        for operation in methods.values()
        for status, said in operation["responses"].items()
        if status.startswith("2") and said.get("headers")
    }
    alone, several = {"Link"}, {"Link", "Link-Template"}
    assert {name: links for name, links in described.items() if links} == {
        **dict.fromkeys(("showApproval", "revokeApproval", "fetchCertificate", "fetchCertificateOfApproval"), alone),
        "showNotice": alone,
        "showRevocations": several,
    }
