"""The PDF of a dossier: an approval told as a story, for people who were not there."""

from collections.abc import Mapping
from datetime import datetime

from core.canonical import Json
from documents import typesetting

TEMPLATE = "dossier.typ"


def dossier_pdf(story: Mapping[str, Json], *, dated: datetime) -> bytes:
    """Return the story of an approval as PDF: the same story gives the same bytes.

    Args:
        story: its values in words.
        dated: as of when it is told.
    """
    return typesetting.typeset(TEMPLATE, _shown(dict(story)), dated=dated)


def _shown(value: dict[str, Json]) -> dict[str, Json]:
    return {name: _one(each) for name, each in value.items()}


def _one(value: Json) -> Json:
    """A value with each text as it can be shown."""
    if isinstance(value, str):
        return typesetting.line(value)
    if isinstance(value, list):
        return [_one(each) for each in value]
    if isinstance(value, dict):
        return _shown(value)
    return value
