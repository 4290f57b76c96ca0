"""CRLs as they would be published, beside what the register and the last list hold: losses, changes and lies."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ca.revocation import crl
from ca.revocation.crl import CrlOrder
from core.approval import RevocationReason
from core.identifiers import Serial, serial_of
from core.instants import text
from core.status import Revoked
from policy import der
from tests.lint_cases import NONE
from tests.lint_corpus import crls
from tests.lint_corpus.crls import ORDER, ROOT_ORDER, entry
from tests.lint_corpus.writing import Case, Written, of_crl_order, of_register
from tests.profile_world import AT, DAY, ISSUING, ROOT, SECOND, an_issuing, private_key, signature, signed

KEY_COMPROMISE = RevocationReason.KEY_COMPROMISE
ENTRIES = (
    Revoked(serial_of(0x41), AT - 3 * DAY, RevocationReason.SUPERSEDED),
    Revoked(Serial("4" + "1" * 31), AT - 2 * DAY, KEY_COMPROMISE, AT - 9 * DAY),
    Revoked(Serial("5" + "1" * 31), AT - DAY, RevocationReason.CESSATION_OF_OPERATION),
    Revoked(Serial("6" + "1" * 31), AT, RevocationReason.PRIVILEGE_WITHDRAWN),
)
LAST = ENTRIES[3]
SOUND: Written = {**of_crl_order(ORDER), **of_register(ENTRIES), "at": (text(AT),), "previous": (NONE,)}

_KEYS = {ISSUING.preview: "issuing", ROOT.preview: "root"}


def _list(
    entries: tuple[Revoked, ...] = ENTRIES, *, order: CrlOrder = ORDER, key: str = "", **changes: object
) -> bytes:
    ordered = replace(order, entries=entries, **changes)  # type: ignore[arg-type]
    return signed(crl.draft(ordered).tbs, private_key(key or _KEYS[ordered.issuer_der]))


def cases() -> Iterator[Case]:
    for what, list_, problem in (*_bad(), *_odd()):
        yield _case(what, list_, *problem)
    yield from (*_elsewhere(), *_foreign_entries(), *_octets(), *_times(), *_beside_the_last(), *_forgotten(), *_good())


def _case(
    what: str,
    list_: bytes,
    *expect: str,
    order: CrlOrder = ORDER,
    register: tuple[Revoked, ...] = ENTRIES,
    at: datetime = AT,
    previous: bytes | None = None,
) -> Case:
    facts: Written = {**of_crl_order(order), **of_register(register), "at": (text(at),)}
    return Case(what, expect, {**facts, "previous": (previous or NONE,), "list": (list_,)})


def _good() -> Iterator[Case]:
    yield _case("clean: the first list", _list())
    yield _case("clean: beyond the last list", _list(), previous=_list(ENTRIES[:2], number=6, this_update=AT - DAY))
    yield _case("clean: the root's list", _list((), order=ROOT_ORDER), order=ROOT_ORDER, register=())
    pointed = crls.to_be_signed(
        begins=AT - DAY,
        entries=(entry(LAST.serial, AT - DAY, 9),),
        extensions={crls.IDP: (crls.POINT, True), crls.NUMBER: (der.integer(6), False)},
    )
    had = (replace(LAST, at=AT - DAY),)
    yield _case(
        "clean: the last list was an earlier release's, with issuingDistributionPoint",
        _list(had),
        register=had,
        previous=signed(pointed, private_key("issuing")),
    )
    yield _case("clean: in its last second", _list(), at=AT + 2 * DAY - SECOND)


def _bad() -> Iterator[tuple[str, bytes, tuple[str, ...]]]:
    one_more = Revoked(Serial("7" + "1" * 31), AT, RevocationReason.PRIVILEGE_WITHDRAWN)
    was, reason = text(AT), LAST.reason.name
    first, second = ENTRIES[0].serial, ENTRIES[1].serial
    yield from (
        ("unreadable: an INTEGER", b"\x30\x03\x02\x01\x01", ("it cannot be read",)),
        ("unreadable: cut off", _list()[:-1], ("it cannot be read",)),
        ("an entry lost", _list(ENTRIES[:3]), (f"{LAST.serial} is lost: it is in the register and not on the list",)),
        (
            "an entry too many",
            _list((*ENTRIES, one_more)),
            (f"{one_more.serial} is on the list and not in the register",),
        ),
        (
            "another reason",
            _list((*ENTRIES[:3], replace(LAST, reason=KEY_COMPROMISE))),
            (f"{LAST.serial}: the list says {was} (KEY_COMPROMISE), the register {was} ({reason})",),
        ),
        (
            "another date",
            _list((replace(ENTRIES[0], at=AT), *ENTRIES[1:])),
            (f"{first}: the list says {was} (SUPERSEDED), the register {text(ENTRIES[0].at)} (SUPERSEDED)",),
        ),
        (
            "invalidity date lost",
            _list((ENTRIES[0], replace(ENTRIES[1], invalidity_date=None), *ENTRIES[2:])),
            (f"{second}: the list says {text(ENTRIES[1].at)} (KEY_COMPROMISE), the register",),
        ),
        ("an entry twice", _list((*ENTRIES, LAST)), (f"it cannot be read: {LAST.serial} is out of order or there",)),
        (
            "out of order",
            _list(ENTRIES[::-1]),
            (
                *(f"{each.serial} is lost: it is in the register and not on the list" for each in ENTRIES[:3]),
                f"it cannot be read: {ENTRIES[2].serial} is out of order or there",
            ),
        ),
    )


def _odd() -> Iterator[tuple[str, bytes, tuple[str, ...]]]:
    written, altered = (f"{at:%y%m%d%H%M%SZ}".encode() for at in (AT - DAY, AT - DAY - SECOND))
    there = ENTRIES[2].serial
    changed = f"{there}: the list says {text(AT - DAY - SECOND)} (CESSATION_OF_OPERATION), the register"
    not_so = "extension {} does not say what it must"
    yield from (
        (
            "an entry altered after it was signed",
            _list().replace(written, altered),
            ("its signature is not that of its CA", changed),
        ),
        ("another number", _list(number=8), (not_so.format("2.5.29.20"),)),
        ("no expiredCertsOnCRL", _list(expired_certs_on_crl=None), ("extension 2.5.29.60 is missing",)),
        ("another expiredCertsOnCRL", _list(expired_certs_on_crl=AT), (not_so.format("2.5.29.60"),)),
        ("another time", _list(next_update=AT + timedelta(hours=49)), ("its times are not those that were ordered",)),
    )


def _elsewhere() -> Iterator[Case]:
    """Lists of other CAs."""
    twin = an_issuing(ROOT, key="twin").preview
    yield _case(
        "another CA of the same name",
        _list(issuer_der=twin, key="twin"),
        "its signature is not that of its CA",
        "extension 2.5.29.35 does not say what it must",
    )
    yield _case(
        "the root's list for the issuing CA's",
        _list((), order=ROOT_ORDER, next_update=ORDER.next_update),
        "it names another issuer",
        "its signature is not that of its CA",
        "extension 2.5.29.35 does not say what it must",
        "extension 2.5.29.60 is missing",
        register=(),
    )


def _foreign_entries() -> Iterator[Case]:
    """What our own writer cannot write."""
    named = der.sequence(der.tlv(0x86, b"http://a.uk"))
    unknown = {x509.CertificateIssuer.oid.dotted_string: (named, False)}
    none = f"{LAST.serial} has no reason, or one that is not ours"
    odd = f"{LAST.serial}: the list says {text(AT)} (no reason of ours), the register"
    key = private_key("issuing")
    for what, listed, problems in (
        ("removeFromCRL", entry(LAST.serial, reason=8), (none, odd)),
        ("certificateHold", entry(LAST.serial, reason=6), (none, odd)),
        ("no reason", entry(LAST.serial, reason=None), (none, odd)),
        (
            "certificateIssuer",
            entry(LAST.serial, reason=9, more=unknown),
            (f"{LAST.serial} has an extension that does not belong there",),
        ),
    ):
        list_ = signed(crls.to_be_signed(entries=(listed,)), key)
        yield _case(f"an entry with {what}", list_, *problems, register=(LAST,))
    good = (entry(LAST.serial, reason=9),)
    since, _ = crls.GOOD_EXTENSIONS[crls.EXPIRED]
    pointed = crls.to_be_signed(entries=good, extensions={crls.IDP: (crls.POINT, True)})
    belongs = "extension 2.5.29.28 does not belong there"
    yield _case("a list with issuingDistributionPoint", signed(pointed, key), belongs, register=(LAST,))
    critical = crls.to_be_signed(entries=good, extensions={crls.EXPIRED: (since, True)})
    not_so = "extension 2.5.29.60 does not say what it must"
    yield _case("expiredCertsOnCRL critical", signed(critical, key), not_so, register=(LAST,))
    tbs = crls.to_be_signed(entries=good, algorithm=crls.SHA384)
    under = der.sequence(tbs, crls.SHA384, signature(tbs, key, hashes.SHA384()))
    yield _case("under SHA-384", under, "it is not signed by ECDSA with SHA-256", register=(LAST,))


def _octets() -> Iterator[Case]:
    """What says what it must, and is written as nobody may write it: the reader forgives it."""
    key = private_key("issuing")
    again = "written again from its values, it is not the same octets"
    since = {"2.5.29.24": (der.generalized_time(AT - DAY), True)}
    dated = replace(LAST, invalidity_date=AT - DAY)
    good = entry(LAST.serial, reason=9)
    reason = der.extension(x509.CRLReason.oid, b"\x0a\x01\x09", critical=False)
    first = der.extension(x509.InvalidityDate.oid, der.generalized_time(AT - DAY), critical=False)
    serial, both = der.integer(int(LAST.serial, 16)), der.sequence(first, reason)
    for what, listed, register in (
        ("an invalidityDate that is critical", entry(LAST.serial, reason=9, more=since), dated),
        ("a date of the wrong kind", der.sequence(serial, der.generalized_time(AT), der.sequence(reason)), LAST),
        ("an entry's extensions in another order", der.sequence(serial, der.time(AT), both), dated),
    ):
        yield _case(what, signed(crls.to_be_signed(entries=(listed,)), key), again, register=(register,))
    empty = signed(crls.to_be_signed(listed=der.sequence()), key)
    yield _case("an empty list that stands there", empty, again, register=())
    version_1 = crls.to_be_signed(version=b"", entries=(good,))
    yield _case("a list without its version", signed(version_1, key), again, register=(LAST,))
    tbs = crls.to_be_signed(entries=(good,))
    unused = der.sequence(tbs, crls.ALGORITHM, der.tlv(0x03, b"\x01" + signature(tbs, key)[3:]))
    yield _case("bits that the signature does not use", unused, again, register=(LAST,))


def _times() -> Iterator[Case]:
    yield _case(
        "from the future",
        _list(),
        f"it is dated {text(AT)}, in the future",
        at=AT - SECOND,
    )
    yield _case("its nextUpdate has passed", _list(), "it has no nextUpdate, or one that has passed", at=AT + 2 * DAY)
    future = (replace(ENTRIES[0], at=AT + SECOND),)
    dated = f"{future[0].serial} is dated in the future: {text(AT + SECOND)}"
    yield _case("an entry from the future", _list(future), dated, register=future)


def _beside_the_last() -> Iterator[Case]:
    for what, problem, previous in (
        ("the number of the last list", "its number 7 is not above the last one, 7", _list()),
        ("a number below the last list's", "its number 7 is not above the last one, 8", _list(number=8)),
        (
            "dated before the last list",
            f"it is dated before the last one, {text(AT + SECOND)}",
            _list(number=6, this_update=AT + SECOND),
        ),
        ("a last list of another CA", "the last list is another CA's", _list((), order=ROOT_ORDER, number=6)),
    ):
        yield _case(what, _list(), problem, previous=previous)


def _forgotten() -> Iterator[Case]:
    """As after a restore from an old backup: the register and the new list agree, and both have forgotten."""
    last = _list(number=6)
    for place, lost in enumerate(ENTRIES):
        rest = (*ENTRIES[:place], *ENTRIES[place + 1 :])
        problem = f"{lost.serial} is lost: it is in the last list and not on the list"
        yield _case(
            f"entry {place + 1} forgotten by the register too", _list(rest), problem, register=rest, previous=last
        )
    first = ENTRIES[0]
    for what, changed in (
        ("date", replace(first, at=AT - 4 * DAY)),
        ("reason", replace(first, reason=KEY_COMPROMISE)),
        ("invalidity date", replace(first, invalidity_date=AT - 20 * DAY)),
    ):
        now = (changed, *ENTRIES[1:])
        since = "" if changed.invalidity_date is None else f", invalid since {text(changed.invalidity_date)}"
        problem = (
            f"{first.serial}: the list says {text(changed.at)} ({changed.reason.name}{since}), "
            f"the last list {text(first.at)} (SUPERSEDED)"
        )
        yield _case(f"{what} changed in the register too", _list(now), problem, register=now, previous=last)
