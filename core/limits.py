"""How much may be typed or sent, whichever way it comes: API, forms and command line have these from here.

Form alone is bounded by them. What a rule says of a value is narrower, and is answered with a finding.
"""

import re

NAME_LIMIT = 200
"""Characters of a name: a device's or firmware's field, a meeting, a minute; DUIS 5.4 has 30 for the longest."""

WORDS_LIMIT = 10_000
"""Characters of a text for people: purpose, reasons."""

CSR_LIMIT = 128 * 1024
"""Characters of a certificate signing request; the use case has a narrower limit and says so itself."""

MOST_FIRMWARE = 1_000
"""Firmware versions that one request or decision adds or takes away."""

MOST_CONDITIONS = 100
"""Conditions that one decision sets."""

CONTROL_CHARACTERS = r"\x00-\x08\x0B\x0C\x0E-\x1F\x7F"
"""As a class of a pattern has them. PostgreSQL has no room for U+0000, and no text for people needs the others; a line
feed and a tabulator are words.
"""

CONTROLS = re.compile(f"[{CONTROL_CHARACTERS}]")
