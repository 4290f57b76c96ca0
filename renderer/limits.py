"""What drawing may cost. Whatever would cost more is not drawn, and is offered as a file."""

LARGEST_DOCUMENT = 10 * 1024 * 1024
"""Octets of a document: what evidence may have (intake/evidence.py)."""

MOST_PAGES = 500
"""Pages of a document that can be looked at; a test report has some dozens."""

PAGES_AT_ONCE = 5
"""Pages that are told of in one answer."""

WIDEST = 1_000
"""Pixels of a picture's width: a page of A4 at 120 to the inch."""

HIGHEST = 2_000
"""Pixels of its height: a page that is longer is drawn narrower."""

LONGEST_TEXT = 20_000
"""Characters of a page's text; a page that is full of small print has 8,000."""

LARGEST_PICTURE = 8 * 1024 * 1024
"""Octets of a picture: what WIDEST by HIGHEST can have in three colours when nothing of it can be made smaller."""

CPU_SECONDS = 4
"""Of a processor, for one answer; a drawing with 100,000 lines takes one."""

WALL_SECONDS = 6.0
"""Of the clock, for one answer, whatever the process waits for: after it, it is killed."""

MEMORY = 768 * 1024 * 1024
"""Octets of address space: 200 MiB of Python and its library, the document, two pictures, and what fonts take."""

AT_ONCE = 2
"""Documents that are drawn at the same time; others wait in the socket's queue."""

ASK_SECONDS = 8.0
"""How long whoever asks waits for an answer, whoever is before it."""
