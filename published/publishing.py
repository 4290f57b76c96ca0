"""One turn of publishing: what the status plane shows at this moment becomes files.

Nothing is said here that the service would not say: what is planted, dated ahead or forgotten by a register that went
back is left out by the same snapshot. While the register is silent the files stay; each says itself how long it holds.
"""

import logging
from collections.abc import Callable, Iterator, Sequence

from api.status import fetching
from api.status.lists import is_genuine
from api.status.mirror import Mirror
from api.status.snapshot import Snapshot
from core.kinds import HierarchyRole
from core.mirror import PublishedCrl
from core.trouble import Trouble
from published.answers import Answers
from published.folder import File, Folder
from published.lists import Lists
from published.log import LogFiles, Source

_log = logging.getLogger(__name__)


class Publishing:
    """Keeps a folder as the service answers.

    Args:
        mirror: what is published from; nobody else lets it follow.
        folder: where.
        numbers_after: as of Lists.
        source: where the public log is read.
    """

    def __init__(
        self, mirror: Mirror, folder: Folder, numbers_after: Callable[[str, int, int], Sequence[int]], source: Source
    ) -> None:
        self._mirror = mirror
        self._folder = folder
        self._lists = Lists(folder, self._past, numbers_after)
        self._answers = Answers(folder)
        self._log = LogFiles(folder, source)
        self._anew = True
        self._kept: dict[str, bytes] = {}
        self._foreign, self._log_trouble = Trouble(_log), Trouble(_log)

    def touched(self, approvals: frozenset[str] | None) -> None:
        """Hear which approvals may be others from the next snapshot on; None is all of them."""
        if approvals is None:
            self._anew = True
        else:
            self._answers.touched(approvals)

    def turn(self) -> bool:
        """Look what is new and write a portion of it; return whether there is more.

        Raises:
            StoreUnavailable: the register does not answer; what was published stays.
            PlaceUnusable: a file cannot be written.
        """
        self._mirror.follow()
        view, now = self._mirror.view(), self._mirror.now()
        if self._anew:
            self._answers.anew(view.approvals)
            self._anew = False
        crls = (view.authority.crl(key_id, now) for key_id in sorted(view.authority.crls))
        more = self._lists.turn([each for each in crls if each is not None and self._is_genuine(each)])
        self._keep([*self._certificates(view)])
        more |= self._answers.turn(view, now)
        # Of a register that went back nothing is believed that is newer than what was published.
        more |= not view.went_back and self._log.turn()
        if self._log.wrong:
            self._log_trouble.begins(f"{self._log.wrong} What was published of it stays.")
        else:
            self._log_trouble.ends("The log is published again.")
        if self._folder.foreign:
            count, one = len(self._folder.foreign), min(self._folder.foreign)
            self._foreign.begins(f"{count} files are left as they are: somebody else wrote them, {one} for one.")
        else:
            self._foreign.ends("No file of somebody else's is in the way any more.")
        return more

    def _certificates(self, view: Snapshot) -> Iterator[File]:
        now, every = self._mirror.now(), view.authority.certificates
        holds = {each.key_id: each.not_before for each in every if each.not_before <= now}
        for key_id, since in holds.items():
            reply = fetching.authority_certificate(view, key_id, now)
            yield File(name=f"ca/{key_id}.cer", octets=reply.body, at=since)
        since = max(each.not_before for each in every if each.role in (HierarchyRole.ROOT, HierarchyRole.ISSUING))
        yield File(name="ca/root.cer", octets=fetching.root_certificate(view).body, at=since)
        yield File(name="ca/chain.pem", octets=fetching.chain(view).body, at=since)

    def _keep(self, files: list[File]) -> None:
        """Write what is another one than was written here."""
        self._folder.keep([each for each in files if self._kept.get(each.name) != each.octets])
        self._kept.update((each.name, each.octets) for each in files)

    def _past(self, key_id: str, number: int) -> PublishedCrl | None:
        found = self._mirror.past_crl(key_id, number)
        return found if found is not None and self._is_genuine(found) else None

    def _is_genuine(self, crl: PublishedCrl) -> bool:
        return is_genuine(crl, self._mirror.held().authority.certificates)
