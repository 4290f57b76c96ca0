"""The attacks, one by one: what is written, and the alarm that tells. Numbers are those of the list of attacks."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from core.actors import Actor, Role
from core.alarms import AlarmCode
from core.approval import EndCause
from core.errors import AuthorisationRefused
from core.facts import Fact, FactKind
from core.instants import seconds
from officers.roster import members_text
from ra.deciding.end import Revoke
from ra.deciding.kinds.rekey import ProposeRekey
from store.reading import requests
from store.verbs import facts
from tests.acting import member, propose, revoke
from tests.attack.forging import (
    MALLORY,
    TRUDY,
    Scene,
    asks_for_three,
    drafted_by,
    forge,
    looked,
    owned_web,
    restarted,
    unsealed_facts_lost,
)
from tests.cycle_world import device
from tests.world import NOW, OFFICER_1, OFFICER_2, OFFICER_3, csr_pem, ending, grant

Attack = Callable[[Scene], None]
AT = seconds(NOW)


@dataclass(frozen=True)
class Case:
    """An attack.

    Args:
        row: its number in the list.
        name: what is written.
        attack: writes it; the authority has not worked since.
        alarm: one that must stand afterwards; None where nobody can notice.
    """

    row: int
    name: str
    attack: Attack
    alarm: AlarmCode | None


def seconded_in_rows(scene: Scene, decision: str, seconder: str) -> None:
    with scene.world.store.read() as tx:
        draft = requests.draft_of(tx, decision)
    assert draft is not None
    forge(
        scene.world,
        f"UPDATE decisions SET state = 'seconded', seconder = '{seconder}', seconded_at = {AT}, "
        f"seconded_tbs_sha256 = '{draft.tbs_sha256}' WHERE id = '{decision}'",
    )


def pretending(attack: Attack) -> Attack:
    """Acts in the names of officers, with their API keys or invented ones; nobody has a key that is on the roster."""

    def pretended(scene: Scene) -> None:
        with owned_web():
            attack(scene)

    return pretended


def pretended_seconder(scene: Scene) -> None:
    """Rows and fact of a seconding by somebody who has never seen it; the web process writes them as it writes all."""
    scene.world.seconded(scene.decision, OFFICER_2)


def seconding_in_rows(scene: Scene, officer: str) -> None:
    forge(scene.world, f"INSERT INTO secondings VALUES ('{scene.decision}', '{officer}', NULL, {AT})")
    seconded_in_rows(scene, scene.decision, officer)


def seconded_without_facts(scene: Scene, decision: str, actor: Actor) -> None:
    scene.world.seconded(decision, actor)
    unsealed_facts_lost(scene.world)


def invented(one: Actor, two: Actor) -> Attack:
    def attack(scene: Scene) -> None:
        decision = drafted_by(scene.world, one, 4, lose_facts=True, maximum_devices=999_999)
        seconded_without_facts(scene, decision, two)

    return attack


def rekeyed(one: Actor, two: Actor, *, facts_too: bool = False) -> Attack:
    def attack(scene: Scene) -> None:
        wanted = ProposeRekey(approval=scene.good, csr=csr_pem(), compromised=False, reasons="Trust me.")
        decision = propose(scene.world.desk, one, wanted).decision
        if not facts_too:
            unsealed_facts_lost(scene.world)
        scene.world.authority.settle()
        scene.world.seconded(decision, two)
        if not facts_too:
            unsealed_facts_lost(scene.world)

    return attack


def by(one: Actor, two: Actor, *granted: Actor) -> Attack:
    """Acts through the ordinary use cases, with whatever credential rows it takes."""

    def attack(scene: Scene) -> None:
        with scene.world.store.begin("forged grants") as tx:
            for each in granted:
                grant(tx, each, NOW)
        scene.world.seconded(drafted_by(scene.world, one, 4), two)

    return attack


def after_access_was_revoked(scene: Scene) -> None:
    with scene.world.store.begin("revoke") as tx:
        facts.record(tx, Fact(FactKind.ACCESS_REVOKED, NOW, OFFICER_1, subject=OFFICER_3.credential))
    scene.world.authority.settle()
    scene.world.clock.advance(scene.world.clock.now() - NOW)
    scene.world.seconded(scene.decision, OFFICER_3)


UNREVOKED = (
    "UPDATE certificates SET revoked_at = NULL, cause = NULL, ends_at = not_after + 1, listed_in = NULL, "
    "fate = fate + 1, presign_due = 0 WHERE revoked_at IS NOT NULL"
)
NOT_ENDED = "UPDATE approvals SET ended_at = NULL, end_cause = NULL, ended_by = NULL"


def writes(*statements: str) -> Attack:
    """Writes statements in which `{good}`, `{ended}`, `{decision}` and their serials are named."""

    def attack(scene: Scene) -> None:
        named = {
            "good": scene.good,
            "ended": scene.ended,
            "decision": scene.decision,
            "good_serial": scene.good_serial,
            "ended_serial": scene.ended_serial,
            "now": AT,
        }
        forge(scene.world, *(each.format(**named) for each in statements))

    return attack


def revoked_in_rows(cause: str, *more: str) -> Attack:
    return writes(
        f"UPDATE certificates SET revoked_at = {AT}, cause = '{cause}', ends_at = {AT}, fate = fate + 1, "
        "presign_due = 0 WHERE serial = '{good_serial}'",
        *more,
    )


def revoked_without(*kinds: FactKind) -> Attack:
    """An end through the ordinary use case; facts of some kinds are lost before they are sealed."""

    def attack(scene: Scene) -> None:
        scene.world.revoked(scene.good)
        for each in kinds:
            forge(scene.world, f"DELETE FROM journal WHERE seal_number IS NULL AND kind = '{each}'")

    return attack


def urgent_by_nobody(scene: Scene) -> None:
    scene.world.revoked(scene.good)
    forge(scene.world, "UPDATE journal SET actor = 'mallory' WHERE seal_number IS NULL")


def decided_otherwise(scene: Scene) -> None:
    scene.world.revoked(scene.good)
    forge(scene.world, f"UPDATE decisions SET proposal_sha256 = '{'0' * 64}' WHERE urgent = 1")


def three_are_asked(column: str) -> Attack:
    def attack(scene: Scene) -> None:
        asks_for_three(scene.world)
        if not scene.world.url.startswith("sqlite"):
            forge(scene.world, "ALTER TABLE decisions DROP CONSTRAINT ck_decisions_two_officers_at_least")
        forge(scene.world, f"UPDATE decisions SET officers = {column}")
        scene.world.seconded(scene.decision)

    return attack


def then_seconded(change: str) -> Attack:
    """Changes sealed rows of the drafted decision, which an officer seconds afterwards, as it should be."""

    def attack(scene: Scene) -> None:
        writes(change)(scene)
        scene.world.seconded(scene.decision)

    return attack


def went_back(*, restart: bool, act: bool) -> Attack:
    def attack(scene: Scene) -> None:
        world = scene.world
        row = "(SELECT max(seal_number) - 4 FROM journal)"
        forge(
            world,
            f"DELETE FROM journal_heads WHERE number > {row}",
            f"DELETE FROM journal WHERE seal_number > {row} OR seal_number IS NULL",
            UNREVOKED,
            NOT_ENDED,
        )
        if act:
            world.applied(device=device(5))
        if restart:
            restarted(world)

    return attack


def history_rewritten(*, restart: bool) -> Attack:
    def attack(scene: Scene) -> None:
        world = scene.world
        forge(
            world,
            "UPDATE journal SET actor = 'mallory' WHERE seal_number = 5",
            "DELETE FROM journal_heads",
            "UPDATE journal SET link = "
            + ("randomblob(32)" if world.url.startswith("sqlite") else "sha256(link)")
            + " WHERE seal_number >= 5",
        )
        world.applied(device=device(5))
        if restart:
            restarted(world)

    return attack


def number_used_again(scene: Scene) -> None:
    world, good = scene.world, scene.good
    forge(
        world,
        f"DELETE FROM ocsp_answers WHERE serial = '{scene.good_serial}'",
        f"DELETE FROM certificates WHERE approval = '{good}'",
        f"DELETE FROM drafts WHERE approval = '{good}'",
        f"DELETE FROM terms WHERE approval = '{good}'",
        f"DELETE FROM approvals WHERE identifier = '{good}'",
        f"UPDATE decisions SET approval = NULL WHERE approval = '{good}'",
        "UPDATE approval_counters SET last = 0",
    )
    world.seconded(drafted_by(world, OFFICER_1, 6))


def key_moved(scene: Scene) -> None:
    world = scene.world
    with world.store.read() as tx:
        every = requests.application_list(tx, organisation_id=None, after="")
    (application,) = [each for each in every if each.device == device(1)]
    forge(world, f"DELETE FROM public_keys WHERE sha256 = '{application.public_key_sha256}'")
    pem = _pem(application.csr)
    world.seconded(drafted_by(world, OFFICER_1, 6, csr=pem))


def _pem(der: bytes) -> bytes:
    from cryptography import x509  # noqa: PLC0415 - only here
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    return x509.load_der_x509_csr(der).public_bytes(Encoding.PEM)


def bytes_changed(scene: Scene) -> None:
    scene.world.seconded(scene.decision)
    other = "x'3000'" if scene.world.url.startswith("sqlite") else "'\\x3000'::bytea"
    forge(scene.world, f"UPDATE drafts SET tbs = {other} WHERE decision_id = '{scene.decision}'")


def invented_issuer(scene: Scene) -> None:
    scene.world.seconded(scene.decision)
    forge(
        scene.world,
        "INSERT INTO authority_certificates SELECT 'F' || substr(serial, 2), role, tbs, tbs_sha256, "
        "'00' || substr(key_id, 3), subject, not_before, not_after, intended_at, der, issued_at "
        "FROM authority_certificates WHERE role = 'issuing'",
        "UPDATE drafts SET issuer_serial = (SELECT serial FROM authority_certificates WHERE serial LIKE 'F%') "
        f"WHERE decision_id = '{scene.decision}'",
    )


def responder(der: str) -> Attack:
    return writes(
        "INSERT INTO authority_certificates SELECT 'F' || substr(serial, 2), 'responder', tbs, tbs_sha256, "
        f"'00' || substr(key_id, 3), subject, not_before, not_after + 1, intended_at, {der} "
        "FROM authority_certificates WHERE role = 'responder'"
    )


def draft_moved(scene: Scene) -> None:
    """The dates beside the bytes are others than those that were decided, and that the bytes have."""
    scene.world.seconded(scene.decision)
    later = f"not_after + {20 * 86_400}"
    forge(scene.world, f"UPDATE drafts SET not_after = {later} WHERE decision_id = '{scene.decision}'")


def ended_by_several(scene: Scene) -> None:
    world = scene.world
    world.seconded(world.proposed(ending(scene.good, EndCause.SSC, "Trust us.")))


def revoked_by_mallory(scene: Scene) -> None:
    with scene.world.store.begin("a forged grant") as tx:
        grant(tx, MALLORY, NOW)
    revoke(scene.world.desk, MALLORY, Revoke(scene.good, EndCause.SSC, "Trust me."))


def roster_in_rows(*statements: str) -> Attack:
    """The copy that web looks at is changed; then officers act who are on no roster that the authority remembers."""

    def attack(scene: Scene) -> None:
        forge(scene.world, *statements)
        looked(scene.world)
        with suppress(AuthorisationRefused):  # web goes by the roster again that the authority has put right
            by(MALLORY, TRUDY, MALLORY, TRUDY)(scene)

    return attack


OTHER_ROSTER = (
    f"UPDATE rosters SET members = '{members_text([member('mallory'), member('trudy')])}'",
    "UPDATE rosters SET number = 0, set_at = 0, effective_at = 0",
)

A = AlarmCode
SUPERSEDED = (
    "UPDATE certificates SET superseded_at = {now}, ends_at = {now}, fate = fate + 1, presign_due = 0 "
    "WHERE serial = '{good_serial}'"
)

REFUSED = (
    Case(37, "the dates of a draft", draft_moved, A.REGISTER_CONTRADICTS),
    Case(1, "a seconder's name", lambda s: seconded_in_rows(s, s.decision, "officer-2"), A.DECISION_UNPROVED),
    Case(1, "a seconder whom nobody knows", lambda s: seconded_in_rows(s, s.decision, "mallory"), A.DECISION_UNPROVED),
    Case(1, "with a row of secondings", lambda s: seconding_in_rows(s, "officer-2"), A.DECISION_UNPROVED),
    Case(
        1,
        "the seconding's fact is lost",
        lambda s: seconded_without_facts(s, s.decision, OFFICER_2),
        A.DECISION_UNPROVED,
    ),
    Case(2, "a decision of two officers", pretending(invented(OFFICER_1, OFFICER_2)), A.DECISION_UNPROVED),
    Case(2, "a decision of two inventions", pretending(invented(MALLORY, TRUDY)), A.DECISION_UNPROVED),
    Case(3, "a responder without bytes", responder("NULL, NULL"), A.REGISTER_CONTRADICTS),
    Case(3, "a responder with another's bytes", responder("der, issued_at"), A.REGISTER_CONTRADICTS),
    Case(4, "ends are undone", writes(UNREVOKED, NOT_ENDED), A.REGISTER_CONTRADICTS),
    Case(
        4,
        "ends are moved",
        writes(
            "UPDATE certificates SET revoked_at = revoked_at + 60, ends_at = ends_at + 60, "
            "fate = fate + 1, presign_due = 0 WHERE serial = '{ended_serial}'"
        ),
        A.REGISTER_CONTRADICTS,
    ),
    Case(
        4,
        "ends get another reason",
        writes(
            "UPDATE certificates SET cause = 'manufacturer', fate = fate + 1, "
            "presign_due = 0 WHERE serial = '{ended_serial}'"
        ),
        A.REGISTER_CONTRADICTS,
    ),
    Case(5, "ends and lists are undone", writes(UNREVOKED, NOT_ENDED, "DELETE FROM crls"), A.REGISTER_CONTRADICTS),
    Case(9, "the column asks for two", three_are_asked("2"), A.DECISION_UNPROVED),
    Case(9, "the column asks for one", three_are_asked("1"), A.DECISION_UNPROVED),
    Case(12, "an invented issuing CA", invented_issuer, A.REGISTER_CONTRADICTS),
    Case(14, "sealed facts are deleted", writes("DELETE FROM journal WHERE subject = '{decision}'"), A.JOURNAL_CHANGED),
    Case(
        14,
        "and then it is seconded",
        then_seconded("DELETE FROM journal WHERE subject = '{decision}'"),
        A.DECISION_UNPROVED,
    ),
    Case(
        15,
        "and then it is seconded",
        then_seconded(
            "UPDATE journal SET actor = 'officer-3' WHERE kind = 'decision-proposed' AND subject = '{decision}'"
        ),
        A.DECISION_UNPROVED,
    ),
    Case(
        14,
        "all before the head is deleted",
        writes("DELETE FROM journal WHERE seal_number < (SELECT max(seal_number) FROM journal)"),
        A.JOURNAL_CHANGED,
    ),
    *(
        Case(
            15,
            f"a sealed row's {column} is edited",
            writes(f"UPDATE journal SET {column} = {value} WHERE subject = '{{decision}}'"),
            A.JOURNAL_CHANGED,
        )
        for column, value in (
            ("actor", "'mallory'"),
            ("role", "NULL"),
            ("at", "at - 1"),
            ("payload", "'[1]'"),
            ("subject", "'dec-0'"),
            ("kind", "'decision-rejected'"),
        )
    ),
    Case(16, "history is rewritten, and a restart", history_rewritten(restart=True), A.STORE_WENT_BACK),
    Case(18, "the register goes back", went_back(restart=False, act=False), A.STORE_WENT_BACK),
    Case(21, "a rekey by two officers", rekeyed(OFFICER_1, OFFICER_2), A.DECISION_UNPROVED),
    Case(21, "a rekey by two inventions", pretending(rekeyed(MALLORY, TRUDY)), A.DECISION_UNPROVED),
    Case(
        23,
        "another's bytes under a serial",
        writes(
            "UPDATE certificates SET der = (SELECT der FROM certificates "
            "WHERE serial = '{ended_serial}'), presign_due = 0 WHERE serial = '{good_serial}'"
        ),
        A.REGISTER_CONTRADICTS,
    ),
    Case(25, "an end without a decision", revoked_in_rows("ssc"), A.END_UNPROVED),
    Case(25, "a compromised key", revoked_in_rows("key-compromise"), A.END_UNPROVED),
    Case(25, "a supersession by nothing", writes(SUPERSEDED), A.END_UNPROVED),
    Case(
        25,
        "an end whose facts are lost",
        revoked_without(FactKind.APPROVAL_REVOKED, FactKind.CERTIFICATE_REVOKED),
        A.END_UNPROVED,
    ),
    Case(25, "an end by nobody", urgent_by_nobody, A.END_UNPROVED),
    Case(25, "an end that was decided otherwise", decided_otherwise, A.END_UNPROVED),
    Case(
        28,
        "another authority",
        writes(
            "UPDATE authority SET environment = 'live', name = 'Trial CPA', arc = '1.2', "
            "base_url = 'http://elsewhere.example'"
        ),
        A.AUTHORITY_CHANGED,
    ),
    Case(30, "officers by rows", pretending(by(MALLORY, TRUDY)), A.DECISION_UNPROVED),
    Case(30, "one officer by rows", pretending(by(OFFICER_1, TRUDY)), A.DECISION_UNPROVED),
    Case(
        30,
        "an officer's name and another key",
        by(OFFICER_1, Actor("officer-2", Role.SSC_OFFICER, None, "cred-forged")),
        A.DECISION_UNPROVED,
    ),
    Case(
        30,
        "a process's name",
        pretending(
            by(
                OFFICER_1,
                Actor("authority", Role.SSC_OFFICER, None, "cred-a"),
                Actor("authority", Role.SSC_OFFICER, None, "cred-a"),
            )
        ),
        A.DECISION_UNPROVED,
    ),
    Case(30, "access that was taken away", after_access_was_revoked, A.DECISION_UNPROVED),
    Case(33, "history is rewritten while running", history_rewritten(restart=False), A.STORE_WENT_BACK),
    Case(34, "the register goes back, then an act", went_back(restart=False, act=True), A.STORE_WENT_BACK),
    Case(34, "the register goes back, then a restart", went_back(restart=True, act=True), A.STORE_WENT_BACK),
    Case(
        35,
        "another journal key",
        writes(
            "UPDATE authority SET journal_key = (SELECT tbs FROM authority_certificates LIMIT 1)",
            "UPDATE journal_heads SET signature = link",
        ),
        A.AUTHORITY_CHANGED,
    ),
    Case(37, "a draft's bytes", bytes_changed, A.REGISTER_CONTRADICTS),
    Case(43, "a number used again", number_used_again, A.REGISTER_CONTRADICTS),
    Case(1, "a seconder, and the fact", pretending(pretended_seconder), A.ACT_UNPROVED),
    Case(2, "everything, grants included", pretending(by(MALLORY, TRUDY, MALLORY, TRUDY)), A.ACT_UNPROVED),
    Case(2, "both officers' API keys", pretending(by(OFFICER_1, OFFICER_2)), A.ACT_UNPROVED),
    Case(21, "a rekey, and the facts", pretending(rekeyed(OFFICER_1, OFFICER_2, facts_too=True)), A.ACT_UNPROVED),
    Case(30, "an officer, grant included", pretending(by(OFFICER_1, TRUDY, TRUDY)), A.ACT_UNPROVED),
    Case(25, "an urgent end by an API key", pretending(revoked_without()), A.ACT_UNPROVED),
    Case(25, "an end by both API keys", pretending(ended_by_several), A.ACT_UNPROVED),
    Case(25, "an end by an invention", pretending(revoked_by_mallory), A.ACT_UNPROVED),
    Case(1, "the roster's rows are deleted", roster_in_rows("DELETE FROM rosters"), A.REGISTER_CONTRADICTS),
    Case(1, "the roster's rows go by another", roster_in_rows(*OTHER_ROSTER), A.REGISTER_CONTRADICTS),
    Case(44, "a key under another approval", key_moved, A.REGISTER_CONTRADICTS),
)
