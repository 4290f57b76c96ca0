"""What may be sent about what waits and what is coming."""

from typing import Annotated

from pydantic import Field

from api.forms.fields import Body, Words
from core.limits import NAME_LIMIT


class CalendarBody(Body):
    """An address for a calendar program."""

    name: Annotated[
        Words,
        Field(max_length=NAME_LIMIT, description="What you call it, to know which to revoke: the phone, the office's."),
    ]
