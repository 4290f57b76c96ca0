"""How pages say things: every instant in one form, whatever it stands in; nothing else is touched."""

from datetime import UTC, datetime

import pytest

from console.shown import instant, instants, remedy, who
from core.errors import AuthorityRefused, BodyMalformed, IdentifierMalformed

SUMMER = datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC)
UTC_WORDS, UK_WORDS = "23:59:59 UTC on 30 June 2027", "00:59:59 BST on 1 July 2027"


def test_an_instant_is_said_in_utc_and_in_uk_local_time() -> None:
    assert instant(SUMMER) == f'<time datetime="2027-06-30T23:59:59Z">{UTC_WORDS}</time> <small>{UK_WORDS}</small>'
    assert instant(None) == "—"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "<b> 2027-06-30T23:59:59Z & on",
            f'&lt;b&gt; <time datetime="2027-06-30T23:59:59Z">{UTC_WORDS}</time> ({UK_WORDS}) &amp; on',
        ),
        ("from 2027-13-01T00:00:00Z", "from 2027-13-01T00:00:00Z"),
        ("2027-06-30", "2027-06-30"),
        (7, "7"),
    ],
)
def test_instants_within_words_are_said_likewise(said: object, shown: str) -> None:
    assert instants(said) == shown
    assert str(instants(f"{said} {said}")).count(shown) == 2


def test_what_is_no_person_is_called_what_it_is() -> None:
    assert [who(each) for each in ("console", "authority", "jane.doe")] == [
        "an operator, at the machine's command line",
        "the authority itself",
        "jane.doe",
    ]


def test_what_is_said_to_programs_is_left_out_of_what_to_do() -> None:
    said = [
        BodyMalformed(detail="device.model has characters that are no text"),
        AuthorityRefused(status=410, problem="gone", detail="It is gone"),
    ]
    assert ["/openapi.json" in each.hint for each in said] == [True, True]
    assert [remedy(each) for each in said] == ["Mend that and send it again.", ""]
    assert remedy(IdentifierMalformed(value="x")) == IdentifierMalformed(value="x").hint
