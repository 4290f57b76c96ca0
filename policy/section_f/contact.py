"""Where notices can be sent to: what an address must be (F2.21)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.errors import Finding, Severity
from policy.rules import Rule, judge, rule

LONGEST_ADDRESS = 254
"""RFC 5321 (4.5.3.1.3): a path of 256 octets, without its angle brackets."""

# The dot-string of RFC 5321 (4.1.2) at a domain name: what mail systems deliver to. Quoted local parts and address
# literals are allowed by the standard and used by nobody who applies.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")

_EXAMPLE_DOMAIN = re.compile(r"[@.]example(?:\.(?:com|net|org))?$", re.IGNORECASE)
"""RFC 2606, 2 and 3: names that no mail is ever delivered to."""


@dataclass(frozen=True, kw_only=True)
class ContactFacts:
    """Where an organisation wants to be reached.

    Args:
        notices: the address for notices; empty if they are only fetched.
        urgent: a second one for urgent notices; empty if there is none.
        live: whether this is a live authority's, which takes no example for what is meant.
    """

    notices: str
    urgent: str
    live: bool


def contact_findings(facts: ContactFacts) -> tuple[Finding, ...]:
    """Return everything against a contact."""
    return judge(CONTACT_RULES, facts)


def is_address(text: str) -> bool:
    """Return whether mail systems deliver to an address."""
    return len(text) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def is_example(text: str) -> bool:
    """Return whether an address is at a domain that is reserved for examples."""
    return _EXAMPLE_DOMAIN.search(text) is not None


# Where a person can be reached is not repeated, not even to whoever said it.


@rule("contact-address", "F2.21", Severity.FATAL, "Give one address, name@company.example, or an empty one for none.")
def _contact_address(facts: ContactFacts) -> Iterator[str]:
    for called, address in (("for notices", facts.notices), ("for urgent notices", facts.urgent)):
        if address and not is_address(address):
            yield f"The contact {called} is not an e-mail address that they can be sent to."
        elif facts.live and is_example(address):
            yield f"The contact {called} is at a domain that is reserved for examples (RFC 2606)."


@rule("contact-urgent-alone", "F2.30", Severity.NOTICE, "Name one for notices, too, or go on fetching them.")
def _contact_urgent_alone(facts: ContactFacts) -> Iterator[str]:
    if facts.urgent and not facts.notices:
        yield "Urgent notices are sent; all others are only fetched."


CONTACT_RULES: tuple[Rule[ContactFacts], ...] = (_contact_address, _contact_urgent_alone)
