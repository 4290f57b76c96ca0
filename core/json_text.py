"""JSON from strangers, read strictly: UTF-8, each member named once, nothing that RFC 8259 does not know."""

from core.canonical import LARGEST_NAMED, NestedTooDeeply, read_json
from core.plain_text import TextUnreadable, utf8


class JsonUnreadable(ValueError):
    """Octets that are not such JSON. Its message says why, as half a sentence; nothing that was sent is repeated."""


def read_sent(octets: bytes) -> object:
    """Return the value of a JSON text that somebody sent.

    A byte order mark before it is ignored (RFC 8259, 8.1). Half a character and a large number are taken, for whoever
    names the field in which they stand.

    Raises:
        JsonUnreadable: it is anything else.
    """
    try:
        return read_json(utf8(octets), once_each=True, halves=True, largest=LARGEST_NAMED)
    except TextUnreadable as error:
        raise JsonUnreadable(str(error)) from None
    except NestedTooDeeply:
        raise JsonUnreadable("it is nested too deeply") from None
    except ValueError:
        # Readers differ in which of two equal names they believe (RFC 8259, 4): nobody may be asked by one and read by
        # two. Also numbers of thousands of digits.
        raise JsonUnreadable("it is not JSON in UTF-8 with each member named once") from None
