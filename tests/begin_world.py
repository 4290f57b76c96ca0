"""An authority as the release before the memory left it: a register with a history, keys, and a watermark."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete

from app.authority import open_authority
from app.cli.ceremony import make, planned
from app.house import House, open_house
from app.settings import load
from core.approval import EndCause
from jobs.duty import release_lease
from officers.roster import Member
from ra.applying.apply import apply
from ra.deciding.end import Revoke
from ra.deciding.kinds.grant import ProposeGrant
from store.reading import journal, requests
from store.rows import Organisation
from store.tables import memory_records
from store.verbs import access
from tests.acting import propose, revoke, second
from tests.world import DEVICE, MANUFACTURER, OFFICER_1, OFFICER_2, application, csr_pem, grant


def made(home: Path, url: str, roster: Sequence[Member] = ()) -> House:
    """A test authority after its ceremony, with an organisation and officers whose access the journal knows."""
    make(replace(planned(home, "test", port=8470, store_url=url), roster=tuple(roster)))
    house = open_house(load(home))
    with house.store.begin("organisation") as tx:
        name = "Acme Metering Ltd"
        access.add_organisation(tx, Organisation(id="org-acme", name=name, certificate_name=name), at=house.clock.now())
        for actor in (OFFICER_1, OFFICER_2):
            grant(tx, actor, house.clock.now())
    return house


def granted(house: House, model: str) -> str:
    """An approval with its certificate; returns its identifier."""
    start = house.clock.now().date() + timedelta(days=1)
    wanted = application(
        device=replace(DEVICE, model=model), csr=csr_pem(), start=start, expiry=start + timedelta(days=90)
    )
    asked = apply(house.desk, MANUFACTURER, wanted).application
    decision = propose(house.desk, OFFICER_1, ProposeGrant(asked, "Sound.")).decision
    settle(house)
    with house.store.read() as tx:
        found, draft = requests.decision(tx, decision), requests.draft_of(tx, decision)
    assert draft is not None
    second(house.desk, OFFICER_2, decision, proposal_sha256=found.proposal_sha256, tbs_sha256=draft.tbs_sha256)
    settle(house)
    return found.approval or ""


def revoked(house: House, approval: str, cause: EndCause = EndCause.SSC) -> None:
    revoke(house.desk, OFFICER_1, Revoke(approval, cause, "It has to be."))
    settle(house)


def settle(house: House) -> None:
    """Do what is due, as the authority process does."""
    authority = open_authority(house)
    authority.holder = "the one"
    authority.settle()
    release_lease(house.store, authority.holder, house.machine)
    authority.memory.close()


def before_the_memory(house: House) -> Path:
    """Take away what this release added; return the folder of the keys."""
    folder = house.settings.keys_dir
    for each in folder.glob("memory.*"):
        each.unlink()
    with house.store.begin("before the memory") as tx:
        tx.connection.execute(delete(memory_records))
    with house.store.read() as tx:
        number, link, _ = journal.last_sealed(tx)
    (folder / "watermark.json").write_text(json.dumps({"number": number, "link": link.hex()}))
    return folder
