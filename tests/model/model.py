"""What must be true of a Trial Device Approval, as shortly as it can be said."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise


@dataclass
class Certificate:
    begins: datetime
    expiry: datetime
    limit: int
    firmware: frozenset[str]
    ends: datetime
    why: str = "expired"
    conditions: frozenset[str] = frozenset()

    def says(self, at: datetime) -> str:
        return self.why if at >= self.ends else "active" if at >= self.begins else "not-yet-started"

    def anew(self, before: "Certificate", waits: "Certificate") -> "Certificate":
        expiry = self.expiry if waits.expiry == before.expiry else waits.expiry
        limit = self.limit if waits.limit == before.limit else waits.limit
        firmware = self.firmware - (before.firmware - waits.firmware) | (waits.firmware - before.firmware)
        said = self.conditions - (before.conditions - waits.conditions) | (waits.conditions - before.conditions)
        return Certificate(waits.begins, expiry, limit, firmware, expiry + timedelta(seconds=1), conditions=said)


@dataclass
class Trial:
    name: str
    device: str
    start: datetime
    issued: list[Certificate] = field(default_factory=list)
    over: tuple[datetime, str] | None = None
    units: set[int] = field(default_factory=set)
    required: set[str] = field(default_factory=set)
    listed: dict[str, datetime] = field(default_factory=dict)
    before: bool = False  # whether the previous report counted it on the list
    since: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("added", "removed", "up", "down"), 0))

    def line(self) -> list[Certificate]:
        return [each for each in self.issued if each.begins < each.ends] or self.issued

    def basis(self, begins: datetime) -> tuple[Certificate, list[Certificate]]:
        held = next((each for each in reversed(self.line()) if each.begins <= begins), self.line()[0])
        return held, self.line()[self.line().index(held) + 1 :]

    def decided(self, first: Certificate, *, withdraws: bool) -> list[Certificate]:
        held, behind = self.basis(first.begins)
        made = [first]
        for before, waits in pairwise([held, *(() if withdraws else behind)]):
            made.append(made[-1].anew(before, waits))
        return made

    def issue(self, made: list[Certificate], over: datetime) -> None:
        for each in made:
            self.cut(over if each is made[0] else each.begins, "superseded")
            self.issued.append(each)

    def withdraw(self, at: datetime) -> None:
        held, _ = self.basis(at)
        self.cut(at, "change-withdrawn")
        held.ends, held.why = held.expiry + timedelta(seconds=1), "expired"

    def end(self, at: datetime, why: str) -> None:
        self.cut(at, why)
        self.over = at, why

    def cut(self, at: datetime, why: str) -> None:
        for each in self.issued:
            if at < each.ends:
                each.ends, each.why = at, why

    def holding(self, at: datetime) -> Certificate | None:
        return next((each for each in self.issued if each.says(at) == "active"), None)

    def says(self, at: datetime) -> str:
        words = [each.says(at) for each in self.issued]
        ended = self.over[1] if self.over and self.over[0] <= at else "expired"
        return next((word for word in ("active", "not-yet-started") if word in words), ended)

    def shown(self, at: datetime) -> dict[str, datetime]:
        return dict.fromkeys(held.firmware, held.expiry) if (held := self.holding(at)) else {}

    def loaded(self, firmware: str, expiry: datetime | None) -> None:
        self.since["added"] += expiry is not None and firmware not in self.listed
        self.since["removed"] += expiry is None and firmware in self.listed
        self.listed = {k: v for k, v in self.listed.items() if k != firmware} | ({firmware: expiry} if expiry else {})
