"""The commands about keys, as an operator types them: the authority's machine, the root's, and the way between."""

import hashlib
import json
from pathlib import Path
from typing import cast
from urllib.parse import quote

import pytest
from click.testing import CliRunner, Result

from api.answers import DecisionBatchAnswer
from api.forms.deciding import MOST_IN_A_BATCH
from app.cli import decide
from app.cli.authorising import AT_ONCE
from app.cli.decision_form import decisions
from app.cli.main import cli
from app.client import Client
from app.house import House
from core.kinds import HierarchyRole
from store.reading.authority import certificates
from tests.begin_world import granted, made, settle


class Operator:
    """Somebody at the machine of an authority; the root's folder is beside it.

    Args:
        house: the authority.
        folder: where files are carried through.
    """

    def __init__(self, house: House, folder: Path) -> None:
        self.house, self.folder = house, folder
        self.home = house.settings.home

    def types(self, *words: str, answer: str = "", at_home: bool = True) -> Result:
        home = ["--home", str(self.home)] if at_home else []
        return CliRunner().invoke(cli, [*words, *home], input=answer)

    def signs(self, *words: str, answer: str) -> Result:
        source = f"file:{self.home / 'keys' / 'passphrase'}"
        root = ["--root-dir", str(self.home / "root"), "--passphrase", source]
        return self.types("issuing-ca", *words, *root, answer=answer, at_home=words[0] == "new")


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(made(tmp_path / "home", f"sqlite:///{quote(str(tmp_path / 'store.sqlite'))}"), tmp_path)


def done(result: Result) -> str:
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def test_a_new_issuing_ca_is_carried_to_the_root_and_back(operator: Operator) -> None:
    request, response = operator.folder / "request.json", operator.folder / "response.json"
    told = done(operator.types("issuing-ca", "request", str(request)))
    digest = hashlib.sha256(request.read_bytes()).hexdigest()
    assert f"SHA-256 {digest}." in told
    shown = operator.signs("sign", str(request), str(response), answer="no\n")
    assert (shown.exit_code, response.exists()) == (1, False)
    assert "a certificate for CN=TEST Trial CPA Issuing CA 2," in shown.output
    done(operator.signs("sign", str(request), str(response), answer="TEST Trial CPA\n"))
    accepted = done(operator.types("issuing-ca", "accept", str(response)))
    assert (f"the request with the SHA-256 {digest}." in accepted, "Issuing CA 2" in accepted) == (True, True)
    assert "recorded before" in done(operator.types("issuing-ca", "accept", str(response)))
    granted(operator.house, "02020303")
    used = {each["file"]: each for each in json.loads(done(operator.types("keys", "--json")))}
    assert used[str(operator.home / "keys" / "issuing-2.key")]["used"] == {"certificates": 1, "lists": 1}
    assert used[str(operator.home / "keys" / "issuing-1.key")]["used"] == {"certificates": 0, "lists": 1}


def test_where_the_root_is_at_hand_one_command_does_it_all_and_check_looks_over_both(operator: Operator) -> None:
    done(operator.signs("new", "--yes", answer=""))
    done(operator.types("responder", "new-key"))
    settle(operator.house)
    told = done(operator.types("check", "--keys"))
    assert told.count("Issuing CA 1") == told.count("Issuing CA 2") == 2  # its certificate and its list
    lines = done(operator.types("keys")).splitlines()
    assert [each for each in lines if not each.startswith(" ")] == [
        "root, in use",
        "issuing, in use",
        "issuing, in use",
        "responder, in use",
        "responder, in use",
        "statement, in use",
        "journal, in use",
        "log, in use",
        "memory, in use",
    ]
    assert sum("not in this folder" in each for each in lines) == 1


def test_a_compromised_issuing_ca_is_ended_at_once_and_a_form_proposes_what_follows(operator: Operator) -> None:
    house = operator.house
    approval = granted(house, "03030404")
    with house.store.read() as tx:
        serial = certificates(tx, HierarchyRole.ISSUING)[0].serial
    assert f"  serial     {serial}\n" in done(operator.types("keys"))
    request, form = operator.folder / "request.json", operator.folder / "reissue.toml"
    words = ["issuing-ca", "compromised", serial, str(request), "--form", str(form)]
    refused = operator.types(*words, answer="4F\n")
    assert (refused.exit_code, request.exists()) == (1, False)
    told = done(operator.types(*words, answer=f"{serial}\n"))
    assert "1 approval in force" in told
    (proposed,) = decisions(form)
    assert (proposed["kind"], proposed["approval"]) == ("rekey", approval)
    response = operator.folder / "response.json"
    shown = done(operator.signs("sign", str(request), str(response), answer="TEST Trial CPA\n"))
    assert f"issuing CA {serial} at" in shown
    assert "KEY_COMPROMISE" in shown
    assert "Root CRL" in done(operator.types("issuing-ca", "accept", str(response)))
    states = {each["purpose"]: each["state"] for each in json.loads(done(operator.types("keys", "--json")))[:2]}
    assert states == {"root": "in use", "issuing": "compromised"}


def test_a_form_of_any_length_is_sent_in_as_many_requests_as_the_service_takes() -> None:
    asked: list[int] = []

    class _Client:
        def do(self, _kind: type, _address: str, body: dict[str, list[object]]) -> DecisionBatchAnswer:
            asked.append(len(body["decisions"]))
            return DecisionBatchAnswer(results=())

    assert AT_ONCE == MOST_IN_A_BATCH
    decide._batch(cast("Client", _Client()), "/v1/decisions/batch", [{}] * 250)
    assert asked == [100, 100, 50]
