"""The demo officers of a real service: they sign with the keys in its home, as their tools do."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app.cli.demo import demo_key, open_demo_key
from app.officer import ROSTER_PATH, Hand, officer_on, roster_read
from app.recomputed import read, recomputed
from core.instants import parse
from core.kinds import AuthorisedAct
from officers.statement import Claim

Ask = Callable[[str, str, str], Mapping[str, Any]]
"""Asks as somebody, by method and path; returns the JSON answered."""


class DemoOfficers:
    """Everybody who can sign in a home; nobody where an earlier release made it.

    Args:
        home: of the authority.
        ask: reaches its service.
    """

    def __init__(self, home: Path, ask: Ask) -> None:
        self._home = home
        self._ask = ask
        self._hands: dict[str, Hand] = {}

    def signs(self, who: str) -> bool:
        return demo_key(self._home, who)[0].exists()

    def for_decision(self, who: str, act: AuthorisedAct, shown: Mapping[str, Any]) -> dict[str, Any]:
        """What is sent with an act about a decision, as it was shown."""
        if not self.signs(who):  # an earlier release shows a decision in other words, too
            return {}
        return {**self._hand(who).for_decision(act, recomputed(read(json.dumps(shown))).listed)}

    def for_proposal(self, who: str, shown: Mapping[str, Any]) -> dict[str, Any]:
        """The body by which a proposer signs for a decision, as it was shown."""
        signed = self.for_decision(who, AuthorisedAct.PROPOSE, shown)
        return {"proposal_sha256": shown["proposal_sha256"], **signed}

    def for_seconding(self, who: str, shown: Mapping[str, Any]) -> dict[str, Any]:
        """The body by which an officer seconds a decision, as it was shown."""
        digests = {name: shown[name] for name in ("proposal_sha256", "tbs_sha256")}
        return {**digests, **self.for_decision(who, AuthorisedAct.SECOND, shown)}

    def for_claim(self, who: str, claim: Claim) -> dict[str, Any]:
        """What is sent with another act."""
        return {} if not self.signs(who) else {**self._hand(who).for_claim(claim)}

    def _hand(self, who: str) -> Hand:
        if who not in self._hands:
            roster = roster_read(json.dumps(self._ask(who, "GET", ROSTER_PATH)))
            officer = officer_on(roster, open_demo_key(self._home, who))
            self._hands[who] = Hand(officer, lambda: parse(self._ask(who, "GET", "/v1/authority")["now"]))
        return self._hands[who]
