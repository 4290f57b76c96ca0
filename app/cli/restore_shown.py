"""What a register gets again, as an officer must see it before they sign: read from the file that is signed for."""

from rich.console import Console

from app.cli import shown
from app.recomputed import certificate_again
from core.approval import RevocationReason
from core.instants import text
from officers.restore import EndAgain, Restore

_UNSAID = "somebody whom no journal that was handed in names"


def show(console: Console, restore: Restore) -> None:
    """Show what is signed for: whose register, who counts, and every certificate, end and list.

    Args:
        console: where.
        restore: as the file has it; certificates are read from their bytes.

    Raises:
        ShownOtherwise: bytes in it are another certificate's than is said beside them, or nobody's.
    """
    shown.heading(console, f"Accept a register of {restore.authority.name} that went back", "bold reverse")
    facts: list[tuple[str, object]] = [
        ("register", f"ends at row {restore.restored_to.number}"),
        ("sealed before", f"up to row {restore.sealed_before.number}"),
    ]
    if restore.roster is not None:
        keys = [f"{each.officer}  {each.key}" for each in restore.roster.members]
        facts += [("roster", f"{restore.roster.number}; an older one than you know: do not sign"), ("who counts", keys)]
    shown.facts(console, facts)
    for each in restore.certificates:
        people = f"{each.proposer or _UNSAID}, seconded by {each.seconder or _UNSAID}"
        shown.heading(console, f"Certificate {each.serial}, entered again, read from the very bytes")
        shown.facts(console, [*certificate_again(each), ("proposed by", people)])
    if restore.ends:
        shown.heading(console, "Ends, entered again")
        header = ("approval", "serial", "ended", "reason", "cause", "by")
        shown.table(console, header, [_end(each) for each in restore.ends])
    if restore.lists:
        shown.heading(console, "Lists that were published; the next number is above each")
        shown.table(console, ("CA", "CRL"), [(each.ca, each.number) for each in restore.lists])
    # Each on a line that no window breaks: they are compared by eye.
    console.print()
    shown.sentence(console, f"Root's key {restore.authority.root_key_sha256}", indent=0)
    shown.sentence(console, f"Digest     {restore.sha256}", indent=0)


def _end(each: EndAgain) -> tuple[str, ...]:
    try:
        reason = RevocationReason(each.reason).name
    except ValueError:
        reason = str(each.reason)
    since = "" if each.invalidity_date is None else f", key compromised since {text(each.invalidity_date)}"
    return each.approval, each.serial, f"{text(each.at)}{since}", reason, each.cause or "", each.by or ""
