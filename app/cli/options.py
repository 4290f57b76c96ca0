"""Options that several commands share."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from core.errors import InstantMalformed
from core.instants import read_instant

DEFAULT_URL = "http://127.0.0.1:8470"
"""Where a service is that nobody has put elsewhere."""

_F = TypeVar("_F", bound=Callable[..., Any])


def home_option(command: _F) -> _F:
    """Add `--home DIR`."""
    return click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        help="The authority's folder; else TRIALCPA_HOME, else ./var.",
    )(command)


class InstantType(click.ParamType[datetime]):
    """An instant in RFC 3339."""

    name = "INSTANT"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime:
        """Return the instant, or fail with the sentence of the error."""
        if isinstance(value, datetime):
            return value
        try:
            return read_instant(str(value), field=(param.opts[0] if param else "instant"))
        except InstantMalformed as error:
            self.fail(f"{error} {error.hint}", param, ctx)


INSTANT = InstantType()
