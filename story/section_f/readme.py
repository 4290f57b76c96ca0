"""README.txt of the album: what each file is, and what to open it with."""

from story.album import Album
from story.section_f.dates import Dates

_HEAD = """\
A trial under Section F of the Smart Energy Code, as trialcpa story --section-f played it: every notice, message, report
and list, numbered in the order they came. The authority was a TEST authority of its own, whose clock ran from
{applied:%-d %B %Y} to {report:%-d %B %Y}; it is gone, and what it issued holds nowhere. All instants are UTC.

*.eml      messages as the mail server took them, over STARTTLS; any mail program opens them
*.pdf      the notices and the report, as people read them
*.xlsx     the report and the Panel's instructions, for a spreadsheet; identifiers are text and keep their zeros
*.csv      the instructions, and the Panel's list as it was handed in for reconciliation
*.xml      the DCC's inventory responses (DUIS 5.4, service 8.2); their UPRN and postcode got no further
*.ics      the calendar
*.json     requests and replies, without the API keys; notices and the report for programs
*.pem, *.cer, *.crl, *.der   certificates, lists and OCSP answers, to be checked as in HOME/story

"""

_WHAT = (
    ("refusal-to-", "the refusal (F2.24)"),
    ("grant-to-", "the grant (F2.21): three copies, each with what is its recipient's"),
    ("amendment-to-", "the amendment (F2.29)"),
    ("revocation-to-", "the revocation (F2.30)"),
    ("report-", "the monthly report (F2.28)"),
    ("cpl-instructions", "what the Panel was told (F2.27)"),
    ("the-panels-list", "the Panel's list"),
    ("inventory", "devices deployed"),
    ("calendar", "what is coming"),
)


def write(album: Album, dates: Dates) -> None:
    """Write README.txt for the files of this album."""
    names = [each.path.name for each in album.kept]
    lines = [_HEAD.format(applied=dates.applied, report=dates.report)]
    for begins, what in _WHAT:
        found = [name for name in names if name.partition("-")[2].startswith(begins)]
        if found:
            lines += [f"{what[0].upper()}{what[1:]}", *(f"  {name}" for name in found), ""]
    album.readme("\n".join(lines))
