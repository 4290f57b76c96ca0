"""What may be sent about what waits and what is coming."""

from typing import Annotated

from pydantic import Field

from api.forms.fields import Body, Name


class CalendarBody(Body):
    """An address for a calendar program."""

    name: Annotated[Name, Field(description="What you call it, to know which one to revoke: the phone, the office's.")]
