"""Officers sign for a restore on machines of their own, and the operator hands in what they signed."""

import json
import shutil
from contextlib import closing
from pathlib import Path

from app.house import open_house
from app.settings import load
from core.facts import FactKind
from jobs.put_back import STORE_FILE
from officers.restore import read_to_sign
from store.reading import journal
from tests.acting import member
from tests.begin_world import granted, made, settle
from tests.people_world import PASSPHRASE, Said, sealed, trialcpa, write_private
from tests.test_cli_officer import code
from tests.world import OFFICER_1, OFFICER_2

EXIT_DECLINED = 1
BOTH = (OFFICER_1.name, OFFICER_2.name)


def signs(folder: Path, who: str, *words: str, typed: str = "") -> Said:
    """What somebody signs with the key in their own folder."""
    write_private(folder / "passphrase", PASSPHRASE)
    write_private(folder / f"{who}.pem", sealed(who))
    key = ["--officer-key", str(folder / f"{who}.pem"), "--officer-passphrase", f"file:{folder / 'passphrase'}"]
    return trialcpa("officer", "sign", *key, *words, typed=typed)


def test_a_restore_is_signed_for_elsewhere_and_accepted_with_both_files(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with closing(made(home, f"sqlite:///{STORE_FILE}", [member(each) for each in BOTH])) as house:
        settle(house)
        (elsewhere / "root.cer").write_bytes(house.root())
    shutil.copy(home / STORE_FILE, tmp_path / STORE_FILE)
    with closing(open_house(load(home))) as house:
        lost = granted(house, "model-1")
    shutil.copy(tmp_path / STORE_FILE, home / STORE_FILE)

    accept = ["store", "accept-restore", "--home", str(home), "--why", "A drill.", "--yes"]
    assert code(trialcpa(*accept)) == "authorisation-missing"
    file = elsewhere / "restore.json"
    told = trialcpa(*accept, "--to-sign", str(file))
    assert (told.status, "trialcpa officer sign --restore restore.json" in told.words) == (0, True), told.words
    assert code(trialcpa(*accept, "--to-sign", str(file))) == "input-unusable"

    asked = ["--restore", str(file), "--root", str(elsewhere / "root.cer")]
    declined = signs(elsewhere, OFFICER_1.name, *asked, typed="n\n")
    assert (declined.status, declined.out) == (EXIT_DECLINED, "")
    digest = read_to_sign(file.read_bytes()).restore.sha256
    assert all(each in declined.err for each in (lost, OFFICER_2.name, digest)), declined.err
    assert code(signs(elsewhere, "mallory", *asked, "--yes-i-have-read")) == "officer-key-not-on-roster"
    files, statements = [], []
    for who in BOTH:
        said = signs(elsewhere, who, *asked, "--yes-i-have-read")
        assert said.status == 0, said.err
        (elsewhere / f"{who}.json").write_text(said.out)
        files += ["--authorisation", str(elsewhere / f"{who}.json")]
        statements.append(json.loads(said.out)["authorisation"]["statement"])
    assert [(each["officer"], each["subject"]) for each in statements] == [(each, digest) for each in BOTH]

    assert code(trialcpa(*accept, *files[:2])) == "authorisation-refused"
    told = trialcpa(*accept, *files)
    assert (told.status, "Entered again: 1 certificate and 0 ends" in told.words) == (0, True), told.words
    with closing(open_house(load(home))) as house:
        settle(house)
        with house.store.read() as tx:
            fact = journal.last_of(tx, FactKind.RESTORE_ACCEPTED)
    assert fact is not None
    said_of_it = json.loads(fact.payload)
    assert (fact.number > 0, said_of_it["difference_sha256"]) == (True, digest)
    assert len(said_of_it["authorisations"]) == len(BOTH)
