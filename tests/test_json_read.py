"""JSON of anybody's is read in one place; at every door what no reader holds exactly is refused in the door's words."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from api.incoming import _object
from api.status import told
from api.status.memory_files import read_known
from api.status.questions import _decode
from app.cli.deployment_files import _of_json
from app.client import _granted, _view
from app.officer import authorisation_in, roster_read
from backup.manifest import read_manifest
from core.canonical import LARGEST_EXACT, NestedTooDeeply, read_json
from core.chain import SealedRow
from core.errors import (
    AuthorisationRefused,
    BodyMalformed,
    CarriedUnreadable,
    DeploymentsMalformed,
    HandedIn,
    InputUnusable,
    OrderRefused,
    RosterStatementRefused,
    RosterUnusable,
    ServiceAnswerMalformed,
    ServiceRefused,
)
from core.kinds import OrderKind
from intake import deployment_lines
from intake.carried import read_response
from intake.handed import read_journal
from jobs.resting import said_by
from officers import roster, statement
from officers.order import read_order
from officers.root_statement import read_signed
from ra.roster import RosterAnswer
from store.dump import Unloadable, load
from verify.channels import _document
from verify.client import _object as _of_answer
from verify.kit.agreed.dossier import _json
from verify.kit.agreed.journal import read_export
from verify.kit.evidence.parsing import Unreadable

BAD = {
    "one too large": str(LARGEST_EXACT + 1),
    "400 digits": "9" * 400,
    "5,000 digits": "-" + "9" * 5_000,
    "beyond all bounds": "1e400",
    "not a number": "NaN",
    "without an end": "[" * 900 + "]" * 900,
    "deeper than anybody stacks": "[" * 200_000,
    "half a character": '"\\ud800"',
}


class Door(NamedTuple):
    """Where JSON comes in: what reads it, what it says where it refuses, and a text with a place for a value."""

    read: Callable[[bytes], Any]
    refused: type[Exception] | object
    around: str = '{"number":%s}'


def _answer(octets: bytes, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=octets)


def _refusal(octets: bytes) -> str:
    with pytest.raises(ServiceRefused) as refused:
        _granted(_answer(octets, 409))
    return str(refused.value.fields["problem"])


def _said(octets: bytes) -> object:
    row = SealedRow(
        number=1,
        sealed_at="",
        kind="crl-refused",
        at="",
        actor="authority",
        role=None,
        organisation=None,
        subject=None,
        payload=octets.decode(),
    )
    return said_by(row)


DOORS = {
    "api": Door(_object, BodyMalformed),
    "verification": Door(_decode, BodyMalformed),
    "deployments": Door(deployment_lines.read_lines, DeploymentsMalformed, '{"lines":[{"device_id":%s}]}'),
    "deployments cut up": Door(_of_json, ValueError, '{"lines":[{"device_id":%s}]}'),
    "to and from the root": Door(read_response, CarriedUnreadable),
    "a roster of the root's": Door(read_signed, RosterStatementRefused, '{"statement":{"number":%s}}'),
    "a roster": Door(lambda octets: roster.read_members(octets.decode()), RosterUnusable, '[{"officer":%s}]'),
    "an order": Door(lambda octets: read_order(OrderKind.STOP_ISSUING, octets.decode()), OrderRefused, '{"why":%s}'),
    "a statement": Door(statement.read_statement, AuthorisationRefused),
    "a list": Door(lambda octets: statement.read_listed(octets.decode()), AuthorisationRefused, "[[%s,null,null]]"),
    "a fact": Door(_said, {}),
    "an answer": Door(lambda octets: _view(RosterAnswer, _answer(octets), "/"), ServiceAnswerMalformed),
    "the roster shown": Door(roster_read, ValueError),
    "a refusal": Door(_refusal, "http-409", '{"code":"a-code","number":%s}'),
    "a journal handed in": Door(lambda octets: read_journal("a file", octets), HandedIn, '{"head":%s,"link":""}'),
    "a journal to be proved": Door(read_export, Unreadable, '{"head":%s,"link":"","signature":""}'),
    "a dossier": Door(lambda octets: _json("a file", octets), Unreadable),
    "what is verified": Door(_document, {}),
    "what is fetched": Door(_of_answer, None),
    "a manifest": Door(read_manifest, ValueError, '{"version":%s}'),
    "what web has served": Door(read_known, ValueError, '{"number":%s}'),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("door", DOORS)
def test_what_no_reader_holds_exactly_is_refused_in_the_words_of_the_door(door: str, bad: str) -> None:
    read, refused, around = DOORS[door]
    octets = (around % BAD[bad]).encode()
    if door in {"api", "verification", "deployments"} and bad in {"half a character", "one too large"}:
        assert read(octets)  # the field that may not hold it is named
        return
    if isinstance(refused, type):
        with pytest.raises(refused) as found:
            read(octets)
        assert len(str(found.value)) < 500
    else:
        assert read(octets) == refused


@pytest.mark.parametrize("bad", BAD)
def test_a_file_of_an_officer_s_and_a_line_of_a_backup_are_read_so_too(tmp_path: Path, bad: str) -> None:
    (tmp_path / "signed.json").write_text('{"authorisation":' + BAD[bad] + "}")
    with pytest.raises(InputUnusable):
        authorisation_in(tmp_path / "signed.json")
    if bad != "one too large":  # a row holds numbers of 64 bits
        transaction: Any = None
        with pytest.raises(Unloadable):
            load(transaction, "lease", [b"[%s]" % BAD[bad].encode()], print)


def test_what_was_told_holds_numbers_as_rows_do() -> None:
    for bad in set(BAD) - {"one too large"}:
        body = ('{"gone":' + BAD[bad] + "}").encode()
        with pytest.raises(ValueError, match=r"."):
            told.read(told._digest(body) + b" " + body)


def test_what_is_whole_is_read_as_it_is() -> None:
    said = {"a": [LARGEST_EXACT, -LARGEST_EXACT, 1.5, None, True, "\u20ac\U0001f600"], "b": {}}
    written = '{"a":[9007199254740991,-9007199254740991,1.5,null,true,"\u20ac\\ud83d\\ude00"],"b":{}}'
    assert read_json(written) == read_json(written.encode()) == said
    assert read_json('{"a":1,"a":2}') == {"a": 2}
    for wrong in ('{"a":1,"a":2}', "", "{", "\ufeff{}"):
        with pytest.raises(ValueError, match=r"."):
            read_json(wrong, once_each=True)
    with pytest.raises(UnicodeDecodeError):
        read_json("{}".encode("utf-16"))
    with pytest.raises(NestedTooDeeply):
        read_json("[" * 65 + "]" * 65)
    assert read_json("[" * 64 + "]" * 64)


def test_nobody_reads_json_otherwise() -> None:
    """The linters answer to nobody but whoever started them; a long list is divided, and each element read as ever.

    The kit stands alone, and reads in a place of its own.
    """
    root = Path(__file__).parents[1]
    found = {
        path.relative_to(root).as_posix()
        for path in root.glob("[a-z]*/**/*.py")
        if path.relative_to(root).parts[0] not in {"tests", "bench", "script"}
        if re.search(r"\bjson\.loads?\(|JSONDecoder|import loads", path.read_text("utf-8"))
    }
    assert found == {"core/canonical.py", "core/json_list.py", "story/linters.py", "verify/kit/canonical.py"}
