"""The PDF of the minutes of a meeting of the Security Sub-Committee, to be read, filed and signed on paper."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import cast

from core import instants, local_time
from core.canonical import Json
from documents import typesetting

TEMPLATE = "minutes.typ"
LONGEST_FOOT = 40
"""Characters of a meeting's name at the foot of a page; of a longer one its day stands there."""


def minutes_pdf(document: Mapping[str, Json]) -> bytes:
    """Return the minutes of a meeting as PDF: the same document gives the same bytes.

    Args:
        document: the meeting as it stands, with who was present, its items, and what was decided of each.
    """
    as_of = instants.parse(str(document["as_of"]))
    return typesetting.typeset(TEMPLATE, _view(document), dated=as_of, places=_places(document))


def _places(document: Mapping[str, Json]) -> dict[str, list[str]]:
    """Where words of people stand, by what a reader would look for."""
    places = {"the head": [str(document["name"])], "those present": list(map(str, _list(document["present"])))}
    for number, item in enumerate(_objects(document["items"]), 1):
        said = [word for each in _objects(item["interests"]) for word in (str(each["officer"]), str(each["text"]))]
        decided = item["decision"]
        if decided is not None:
            said += [str(each) for each in cast("Mapping[str, Json]", decided).values()]
        places[f"item {number}"] = [*said, *(str(item[name]) for name in ("minute", "text", "title", "before"))]
    return places


def _view(document: Mapping[str, Json]) -> dict[str, Json]:
    name, held = typesetting.line(str(document["name"])), _day(str(document["held_on"]))
    as_of = instants.parse(str(document["as_of"]))
    return {
        "metadata_title": f"Minutes of {name}",
        "name": name,
        "foot": f"Minutes of {name}" if len(name) <= LONGEST_FOOT else f"Minutes, {held}",
        "test": document["environment"] != "live",
        "caution": _cautions(document),
        "authority": typesetting.line(str(document["authority"])),
        "meta": [
            {"label": "Held on", "value": held, "beside": None},
            {"label": "As the register had it at", "value": local_time.utc(as_of), "beside": local_time.uk(as_of)},
            {"label": "Meeting", "value": str(document["meeting"]), "beside": None},
        ],
        "present": [typesetting.line(str(each)) for each in _list(document["present"])],
        "items": [_item(each, number) for number, each in enumerate(_objects(document["items"]), 1)],
    }


def _cautions(document: Mapping[str, Json]) -> list[Json]:
    said: list[Json] = []
    if document["cancelled_at"] is not None:
        at = local_time.utc(instants.parse(str(document["cancelled_at"])))
        said.append(f"This meeting was cancelled, at {at}. What was recorded of it stays.")
    if document["environment"] != "live":
        said.append("These minutes come from a test authority. Nothing in them holds outside the test.")
    return said


def _item(item: Mapping[str, Json], number: int) -> Json:
    return {
        "number": str(number),
        "minute": typesetting.line(str(item["minute"])),
        "title": typesetting.line(str(item["title"])),
        "before": typesetting.line(str(item["before"])),
        "interests": [
            {"officer": typesetting.line(str(each["officer"])), "text": typesetting.lines(str(each["text"]))}
            for each in _objects(item["interests"])
        ],
        "text": typesetting.lines(str(item["text"])) if item["text"] else [],
        **_decided(item),
    }


def _decided(item: Mapping[str, Json]) -> dict[str, Json]:
    """What became of an item: in a word, by whom, and under which numbers."""
    if item["decision"] is None:
        return {"outcome": "Not decided." if item["waits"] else "", "by": "", "named": ""}
    it = cast("Mapping[str, Json]", item["decision"])
    kind, state = (str(it[name]).replace("-", " ") for name in ("kind", "state"))
    by = f"Proposed by {it['proposer']}"
    if it["seconder"] and it["seconded_at"] is not None:
        by += f", seconded by {it['seconder']} at {local_time.utc(instants.parse(str(it['seconded_at'])))}"
    elif it["seconder"]:
        by += f", seconded by {it['seconder']}"
    minute = f", which names minute {it['minute']}" if it["minute"] else ""
    meeting = f" of {it['meeting']}" if minute and it["meeting"] else ""
    return {
        "outcome": "Not decided." if it["open"] else f"{kind[:1].upper()}{kind[1:]}: {state}.",
        "by": typesetting.line(f"{by}."),
        "named": typesetting.line(f"Decision {it['decision']}{minute}{meeting}."),
    }


def _day(said: str) -> str:
    day = date.fromisoformat(said)
    return f"{day.day} {day:%B %Y}"


def _objects(value: Json) -> Sequence[Mapping[str, Json]]:
    return cast("Sequence[Mapping[str, Json]]", value)


def _list(value: Json) -> Sequence[Json]:
    return cast("Sequence[Json]", value)
