"""The cycle as a row of steps, each done by one process: what is killed, step by step, and started again.

Here are the certificates; the trial around them (F2.19 to F2.31) is in trial.py. In the row it comes where its dates
are: after what is decided before the start, and before everything expires.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from core.actors import Role
from core.approval import EndCause
from core.errors import WrongState
from ra.access import grant_access, revoke_access
from ra.applying.accept import AnswerCertificate, answer_certificate
from ra.applying.apply import apply, cancel_application
from ra.deciding.end import Revoke
from ra.deciding.every_kind import Proposal
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.deciding.kinds.rekey import ProposeRekey
from ra.repeat import RequestKey
from tests.acting import reject, revoke
from tests.kill.ordering import Ordering
from tests.kill.steps import Known, Step, approval_of, propose_step, second_step
from tests.kill.trial import FEBRUARY, at_its_end, before_the_start, while_it_runs
from tests.world import ADMIN, DEVICE, MANUFACTURER, OFFICER_1, OFFICER_2, World, application, csr_pem, ending

EXPIRED = datetime(2027, 7, 1, 0, 0, 10, tzinfo=UTC)
"""Ten seconds after the last second of the trials, and long past half the life of the responder's certificate."""


@dataclass
class Scenario:
    """The steps of one sweep; its CSRs are made once, so that a repeated request is the same request."""

    csrs: dict[str, bytes] = field(default_factory=dict)
    ordering: Ordering = field(default_factory=Ordering)

    def steps(self) -> Iterator[Step]:
        for trial in "ABC":
            first = trial == "A"
            yield self._apply(trial, swept=first)
            yield self._propose_grant(trial, swept=first)
        yield Step("draft", "authority")
        for trial in "ABC":
            yield second_step(f"propose {trial}", OFFICER_2, swept=trial == "A")
        yield Step("issue", "authority", meanwhile=_revoke_at_once)
        yield Step(
            "accept A",
            "web",
            lambda world, known, key: answer_certificate(
                world.desk,
                MANUFACTURER,
                AnswerCertificate(world.record(approval_of(known, "propose A")).certificates[0].serial, accepted=True),
                key,
            ),
        )
        yield from self._new_keys()
        yield from self._ends()
        yield from self._refusals()
        yield from self.ordering.steps()
        yield from _access()
        yield from before_the_start(self._csr("apply T"))
        yield self._apply("L", swept=False)
        yield self._propose_grant("L", swept=False)
        yield Step("draft L", "authority", swept=False)
        yield Step("a month later", "authority", at=FEBRUARY)
        yield from while_it_runs()
        yield from at_its_end()
        yield Step("expire", "authority", at=EXPIRED)
        yield Step("stop", "authority", at=EXPIRED)

    # --- parts --------------------------------------------------------------------------------------------------

    def _new_keys(self) -> Iterator[Step]:
        """A's key is replaced (its certificate superseded), B's is compromised (its certificate cancelled)."""
        for trial, compromised in (("A", False), ("B", True)):
            yield propose_step(f"rekey {trial}", self._rekey(trial, compromised=compromised), swept=compromised)
        yield Step("draft new keys", "authority", swept=False)
        for trial in "AB":
            yield second_step(f"rekey {trial}", OFFICER_2, swept=trial == "B")
        yield Step("issue new keys", "authority")

    def _ends(self) -> Iterator[Step]:
        yield Step(
            "revoke C",
            "web",
            lambda world, known, key: revoke(
                world.desk, OFFICER_1, Revoke(approval_of(known, "propose C"), EndCause.BREACH, "Limit exceeded."), key
            ),
        )
        yield Step("publish the revocation", "authority")
        yield propose_step(
            "withdraw B",
            lambda known: ending(approval_of(known, "propose B"), EndCause.MANUFACTURER, "They asked for it."),
            swept=False,
        )
        yield second_step("withdraw B", OFFICER_2)
        yield Step("publish the withdrawal", "authority", swept=False)

    def _refusals(self) -> Iterator[Step]:
        yield self._apply("E", swept=False)
        yield propose_step("refuse E", lambda known: ProposeRefusal(known["apply E"]["application"], "No."))
        yield second_step("refuse E", OFFICER_2)
        yield self._apply("F", swept=False)
        yield Step(
            "cancel F",
            "web",
            lambda world, known, key: cancel_application(
                world.desk, MANUFACTURER, known["apply F"]["application"], key
            ),
        )
        yield self._apply("G", swept=False)
        yield self._propose_grant("G", swept=False)
        # Two applications with one key: the first that is drafted has it, the other is rejected.
        for trial in "HI":
            yield self._apply(trial, swept=False, key="H")
            yield self._propose_grant(trial, swept=False)
        yield Step("draft one of two", "authority")
        yield Step(
            "reject G",
            "web",
            lambda world, known, key: reject(
                world.desk, OFFICER_2, known["propose G"]["decision"], why="Second thoughts.", request=key
            ),
        )

    def _apply(self, trial: str, *, swept: bool, key: str = "") -> Step:
        wanted = application(device=replace(DEVICE, model=f"TRIAL-{trial}"), csr=self._csr(f"apply {key or trial}"))
        return Step(
            f"apply {trial}",
            "web",
            lambda world, _known, request: apply(world.desk, MANUFACTURER, wanted, request),
            swept=swept,
        )

    def _propose_grant(self, trial: str, *, swept: bool) -> Step:
        return propose_step(
            f"propose {trial}",
            lambda known: ProposeGrant(known[f"apply {trial}"]["application"], "It looks sound."),
            swept=swept,
        )

    def _rekey(self, trial: str, *, compromised: bool) -> Callable[[Known], Proposal]:
        csr = self._csr(f"rekey {trial}")
        return lambda known: ProposeRekey(approval_of(known, f"propose {trial}"), csr, compromised, "A new key.")

    def _csr(self, name: str) -> bytes:
        return self.csrs.setdefault(name, csr_pem())


def _access() -> Iterator[Step]:
    def grant(world: World, _known: Known, _key: RequestKey) -> Any:
        life = timedelta(days=30)
        granted = grant_access(
            world.desk, ADMIN, name="new.desk", role=Role.MANUFACTURER, organisation="New Metering Ltd", life=life
        )
        return {"credential": granted.credential.id}

    def end(world: World, known: Known, _key: RequestKey) -> Any:
        with contextlib.suppress(WrongState):  # it is revoked: a second time does nothing
            revoke_access(world.desk, ADMIN, known["grant access"]["credential"])
        return {"credential": known["grant access"]["credential"], "revoked": True}

    yield Step("grant access", "web", grant, repeatable=False)
    yield Step("revoke access", "web", end, repeatable=False)


def _revoke_at_once(world: World, known: Known) -> Any:
    """Whether its draft was claimed decides: a certificate that is cancelled from the start, or none at all."""
    return revoke(world.desk, OFFICER_1, Revoke(approval_of(known, "propose C"), EndCause.SSC, "Before it is signed."))
