"""Dossiers of real decisions, and forgers of them: one has the files, another one the journal's key too."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

from app.cli.decide_export import fetched
from app.cli.journal import lines
from app.client import Client, Fetched
from core.canonical import canonical
from core.chain import GENESIS, SealedRow, head_statement, link
from core.errors import ServiceRefused
from core.kinds import HierarchyRole
from officers.statement import Authority
from ra.authorising import authority_shown
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.deciding.views import Accepted
from ra.views import view_of
from store.reading import requests
from store.reading.authority import certificates
from tests.acting import member, reject, second_batch
from tests.api_world import Api
from tests.cycle_world import device
from tests.roster_world import change
from tests.world import OFFICER_1, OFFICER_2, OFFICER_3, World, keyring
from verify.kit.agreed.chain import said
from verify.kit.agreed.dossier import AUTHORISATIONS, JOURNAL, Trusted, trusted
from verify.kit.agreed.journal import Export, Head, LinkedRow, Stretch, export_lines, read_export

Files = Mapping[str, bytes]
Forging = Callable[[list[SealedRow]], list[SealedRow]]


@dataclass(frozen=True)
class Auditor:
    """An auditor's client, over WSGI."""

    api: Api

    def show(self, kind: type[Any], address: str, **query: str) -> Any:
        return view_of(kind, self._octets(f"{address}?{urlencode(query)}" if query else address))

    def fetch(self, address: str, accept: str, **_: object) -> Fetched:
        return Fetched(self._octets(address, Accept=accept), accept, None)

    def _octets(self, address: str, **headers: str) -> bytes:
        answer = self.api.ask("auditor", "GET", address, **headers)
        if answer.status_code == 404:
            assert answer.json is not None
            raise ServiceRefused(status=404, problem=answer.json["code"], detail="", advice="")
        assert answer.status_code == 200, answer.get_data()
        return answer.get_data()


def dossier_of(api: Api, decision: str) -> dict[str, bytes]:
    """What `trialcpa decide export` writes."""
    return dict(fetched(cast("Client", Auditor(api)), decision))


def root_of(world: World) -> bytes:
    with world.store.read() as tx:
        return certificates(tx, HierarchyRole.ROOT)[0].der


def whole_journal(world: World) -> bytes:
    return "".join(f"{line}\n" for line in lines(world.store)).encode()


@dataclass(frozen=True)
class Forger:
    """Changes a dossier; with the journal's key where it is told to."""

    world: World
    files: Files

    def part(self, name: str, change: Callable[[Any], object]) -> dict[str, bytes]:
        """Change what a part says, as JSON."""
        part = json.loads(self.files[name])
        changed = change(part)
        return {**self.files, name: canonical(part if changed is None else cast("Any", changed))}

    def sealed(self, forge: Forging, *others: Any) -> dict[str, bytes]:
        """Change the whole journal's rows, seal them anew with its key, and take in statements of others."""
        export = read_export(self.files[JOURNAL])
        rows: list[LinkedRow] = []
        digest = GENESIS
        for number, row in enumerate(forge([SealedRow(**said(each)) for each in export.rows]), start=1):
            numbered = replace(row, number=number)
            digest = link(digest, numbered)
            rows.append(LinkedRow(numbered, digest.hex()))
        statement = head_statement(export.name, len(rows), digest)
        heads = [Head(len(rows), digest.hex(), keyring(self.world.folder).journal.sign(statement))]
        forged = Export(export.name, export.key, [Stretch(GENESIS.hex(), rows)], heads)
        made = {**self.files, JOURNAL: "".join(f"{line}\n" for line in export_lines(forged)).encode()}
        if others:
            kept = [each for each in json.loads(made[AUTHORISATIONS]) if not _replaced(each, others)]
            made[AUTHORISATIONS] = canonical([*kept, *(each.authorisation.document() for each in others)])
        return made

    def statement(self, act: str) -> dict[str, Any]:
        """What an officer signed to do something."""
        return next(each for each in json.loads(self.files[AUTHORISATIONS]) if each["statement"]["act"] == act)


def _replaced(each: Mapping[str, Any], others: Sequence[Any]) -> bool:
    return each["statement"]["act"] in {other.authorisation.statement.claim.act for other in others}


def payload(row: SealedRow, **changes: Any) -> SealedRow:
    """A row that says something else."""
    said = {**json.loads(row.payload), **changes}
    return replace(row, payload=canonical({name: each for name, each in said.items() if each is not ...}).decode())


def place(rows: Sequence[SealedRow], kind: str, subject: str | None) -> int:
    """Where the last row of a kind about something is."""
    return max(number for number, row in enumerate(rows) if (row.kind, row.subject) == (kind, subject))


LATER = timedelta(seconds=20)
"""Between acts: more than clocks differ."""


@dataclass(frozen=True)
class Archive:
    """Decisions of one authority, with their dossiers; the journal in them is whole.

    Args:
        grant: by two officers, with its certificate.
        other: likewise.
        listed: one of two refusals that were seconded by one statement.
        urgent: a revocation by one officer.
        rejected: by an officer.
        changed: a grant under the second roster, which two officers made.
    """

    world: World
    root: bytes
    grant: Files
    stretches: Files
    other: Files
    listed: Files
    urgent: Files
    rejected: Files
    changed: Files

    @property
    def authority(self) -> Authority:
        with self.world.store.read() as tx:
            return authority_shown(tx)

    @property
    def journal_key(self) -> bytes:
        return keyring(self.world.folder).journal.public_key

    def trust(self, **changes: Any) -> Trusted:
        return trusted(self.root, **{"journal_key": self.journal_key, **changes})

    def forger(self, files: Files) -> Forger:
        return Forger(self.world, files)


def archive_of(world: World) -> Archive:
    """Decide in a world, and export it."""
    api = Api(world)
    grant, other = _granted(world, 1), _granted(world, 2)
    listed = _refused_together(world)
    with world.store.read() as tx:
        approval = requests.decision(tx, other).approval or ""
    urgent = world.revoked(approval).decision
    rejected = world.proposed(ProposeRefusal(world.applied(device=device(5)), "It is not sound."))
    world.authority.settle()
    reject(world.desk, OFFICER_2, rejected, why="It is sound.")
    world.authority.settle()
    world.passes(LATER)
    change(world, OFFICER_1, OFFICER_2, add=[member("newcomer")], remove=[member(OFFICER_3.name).key])
    changed = _granted(world, 6)
    whole = {JOURNAL: whole_journal(world)}
    found = {
        name: dossier_of(api, decision) | whole
        for name, decision in {
            "grant": grant,
            "other": other,
            "listed": listed,
            "urgent": urgent,
            "rejected": rejected,
            "changed": changed,
        }.items()
    }
    return Archive(world=world, root=root_of(world), stretches=dossier_of(api, grant), **found)


def _granted(world: World, number: int) -> str:
    decision = world.drafted(device=device(number))
    world.passes(LATER)
    world.seconded(decision)
    world.authority.settle()
    world.passes(LATER)
    world.authority.settle()
    return decision


def _refused_together(world: World) -> str:
    two = [
        world.proposed(ProposeRefusal(world.applied(device=device(number)), "It is not sound.")) for number in (3, 4)
    ]
    world.authority.settle()
    with world.store.read() as tx:
        accepted = [
            Accepted(decision=each, proposal_sha256=requests.decision(tx, each).proposal_sha256) for each in two
        ]
    world.passes(LATER)
    second_batch(world.desk, OFFICER_2, accepted)
    world.authority.settle()
    return two[0]
