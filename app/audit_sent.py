"""The whole register as a service sends it, portion by portion, line by line."""

from collections.abc import Iterator

from app.client import Client, path
from ra.auditing.views import AuditPortion
from verify.exported import Said, read_line


def sent(client: Client) -> Iterator[Said]:
    """Give the lines that a service sends, portion by portion.

    Raises:
        Unreadable: one of them is none.
    """
    after: str | None = ""
    while after is not None:
        portion = client.show(AuditPortion, path("audit"), after=after)
        for number, each in enumerate(portion.lines, 1):
            yield read_line(each.encode("utf-8", "replace") + b"\n", number)
        after = portion.next
