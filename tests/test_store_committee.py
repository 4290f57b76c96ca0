"""What must never be true of meetings, interests and comments cannot be written, on both databases."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from store.committee_tables import agenda_items, attendances, comments, interests, item_minutes, meetings
from store.transactions import violated
from tests.planting import Plant, WrittenError, both, change, copy, furnished_worlds, rules_of, write_and_take_back
from tests.trial_rows import furnish
from tests.world import NOW, World

TABLES = (meetings, attendances, agenda_items, item_minutes, interests, comments)

VIOLATIONS: list[tuple[str, str, Plant]] = [
    ("pk_meetings", "a meeting numbered twice", copy(meetings, name="SSC 98")),
    ("ck_meetings_named", "a meeting without a name", change(meetings, name="")),
    ("ck_meetings_cancelled_whole", "cancelled by nobody", change(meetings, cancelled_at=NOW)),
    ("ck_meetings_cancelled_whole", "cancelled and never", change(meetings, cancelled_by="officer-1")),
    ("uq_meetings_name", "two of one name", copy(meetings, id="mtg-other")),
    ("pk_attendances", "an attendance numbered twice", copy(attendances, name="K.")),
    ("ck_attendances_named", "nobody attends", change(attendances, name="")),
    ("ck_attendances_struck_whole", "struck by nobody", change(attendances, struck_at=NOW)),
    ("uq_attendances_meeting_name", "somebody attends twice", copy(attendances, id="att-other")),
    ("fk_attendances_meeting_id", "at no meeting", change(attendances, meeting_id="mtg-none")),
    ("pk_agenda_items", "an item numbered twice", copy(agenda_items, place=2, subject="app-other")),
    ("ck_agenda_items_kind_known", "an item of nothing known", change(agenda_items, kind="rumour")),
    ("ck_agenda_items_taken_off_whole", "taken off by nobody", change(agenda_items, taken_off_at=NOW)),
    ("uq_agenda_items_meeting_id_place", "two in one place", copy(agenda_items, id="agi-other", subject="app-other")),
    ("uq_agenda_items_meeting_subject", "one thing twice", copy(agenda_items, id="agi-other", place=2)),
    ("fk_agenda_items_meeting_id", "on no agenda", copy(agenda_items, id="agi-other", meeting_id="mtg-none")),
    ("fk_agenda_items_application_id", "of no application", change(agenda_items, application_id="app-none")),
    ("pk_item_minutes", "one version twice", copy(item_minutes)),
    ("ck_item_minutes_numbered", "a minute without a number", change(item_minutes, minute="")),
    ("ck_item_minutes_counts", "a version before the first", change(item_minutes, version=0)),
    ("fk_item_minutes_item_id", "a minute of nothing", change(item_minutes, item_id="agi-none")),
    ("pk_interests", "an interest numbered twice", copy(interests)),
    ("ck_interests_says_what", "an interest in no words", change(interests, text="")),
    ("ck_interests_withdrawn_whole", "withdrawn by nobody", change(interests, withdrawn_at=NOW)),
    ("fk_interests_application_id", "an interest in nothing", change(interests, application_id="app-none")),
    ("pk_comments", "a comment numbered twice", copy(comments)),
    ("ck_comments_says_something", "a comment in no words", change(comments, text="")),
    ("fk_comments_application_id", "a comment on nothing", change(comments, application_id="app-none")),
]
ALLOWED = {
    "a name again, of one that was cancelled": both(
        change(meetings, cancelled_at=NOW, cancelled_by="officer-1"),
        copy(meetings, id="mtg-other", cancelled_at=None, cancelled_by=None),
    ),
    "a person again, who was struck": both(
        change(attendances, struck_at=NOW, struck_by="officer-1"),
        copy(attendances, id="att-other", struck_at=None, struck_by=None),
    ),
    "a thing again, that was taken off": both(
        change(agenda_items, taken_off_at=NOW, taken_off_by="officer-1"),
        copy(agenda_items, id="agi-other", place=2, taken_off_at=None, taken_off_by=None),
    ),
    "a further version": copy(item_minutes, version=2),
}
RULES = {name: said for table in TABLES for name, said in rules_of(table).items()}


@pytest.fixture(scope="module")
def furnished(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Callable[[str], World]]:
    yield from furnished_worlds(store_copy, keys_folder, furnish)


@pytest.mark.parametrize(
    ("rule", "plant"),
    [(each[0], each[2]) for each in VIOLATIONS],
    ids=[f"{rule}: {how}" for rule, how, _ in VIOLATIONS],
)
def test_what_must_never_be_true_cannot_be_written(
    furnished: Callable[[str], World], store_kind: str, rule: str, plant: Plant
) -> None:
    with pytest.raises(IntegrityError) as refused:
        write_and_take_back(furnished(store_kind).store, plant)
    assert violated(refused.value) == (rule if store_kind == "postgresql" else RULES[rule])


@pytest.mark.parametrize("plant", ALLOWED.values(), ids=ALLOWED)
def test_the_rules_refuse_no_more_than_they_should(
    furnished: Callable[[str], World], store_kind: str, plant: Plant
) -> None:
    with pytest.raises(WrittenError):
        write_and_take_back(furnished(store_kind).store, plant)


def test_every_rule_was_tried() -> None:
    assert {rule for rule, _, _ in VIOLATIONS} == {name for table in TABLES for name in rules_of(table)}
