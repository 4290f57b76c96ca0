"""What a command asks: whoever is not there to answer is told what to say instead, and nothing is done."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from app.cli import asking
from app.cli.main import cli
from core.errors import QuestionUnanswered
from tests.people_world import trialcpa, write_private

ASKED: list[tuple[Callable[[], object], str, object]] = [
    (lambda: asking.words("Why", instead="--why"), "It has to be.\n", "It has to be."),
    (lambda: asking.number("Which year is it"), "2027\n", 2027),
    (lambda: asking.repeated("Type it", instead="--yes"), " 4F \n", "4F"),
    (lambda: asking.repeated("Type it"), "\n", ""),
    (lambda: asking.require_agreed("Sure", instead="--yes"), "y\n", None),
]


@pytest.mark.parametrize(("ask", "typed", "said"), ASKED)
def test_what_is_typed_is_the_answer_and_its_absence_is_told(
    ask: Callable[[], object], typed: str, said: object
) -> None:
    with CliRunner().isolation(typed):
        assert ask() == said
    with CliRunner().isolation(""), pytest.raises(QuestionUnanswered, match="There was no answer to “"):
        ask()


def test_what_could_be_said_instead_is_named() -> None:
    with CliRunner().isolation(""), pytest.raises(QuestionUnanswered) as caught:
        asking.words("Why", instead="--why")
    assert caught.value.hint.endswith("Run it at a terminal, or say --why.")
    with CliRunner().isolation(""), pytest.raises(QuestionUnanswered) as caught:
        asking.number("Which year is it")
    assert caught.value.hint.endswith("Run it at a terminal.")


def test_what_is_no_yes_ends_the_command() -> None:
    with CliRunner().isolation("n\n"), pytest.raises(click.ClickException, match="not a yes"):
        asking.require_agreed("Sure", instead="--yes")


def test_ctrl_c_is_no_answer_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        try:
            signal.default_int_handler(signal.SIGINT, None)  # a signal itself is ignored where a shell started us by &
        except KeyboardInterrupt:
            raise click.Abort from None

    monkeypatch.setattr(click, "prompt", interrupted)
    with pytest.raises(click.Abort):
        asking.words("Why", instead="--why")


@pytest.mark.parametrize(
    "words",
    [
        ("officer", "key", "new", "jane.key.pem", "--passphrase"),
        ("init", "--test", "--home", "home", "--passphrase"),
        ("init", "--test", "--home", "home", "--passphrase", "file:long", "--root-passphrase"),
        ("backup", "today.age", "--home", "home", "--passphrase"),
    ],
    ids=lambda words: words[0],
)
def test_wherever_a_passphrase_is_chosen_a_short_one_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_private(tmp_path / "short", b"hunter2\n")
    write_private(tmp_path / "long", b"correct horse battery staple\n")
    said = trialcpa(*words, "file:short")
    assert (said.status, "15 characters at least" in said.words, "hunter2" in said.words) == (1, True, False), said
    assert sorted(each.name for each in tmp_path.iterdir()) == ["long", "short"]


@pytest.mark.parametrize(
    ("words", "former"),
    [
        (("breaches", "suspect"), "--note"),
        (("requirements", "met"), "--reason"),
        (("requirements", "waive"), "--reason"),
        (("amendments", "request"), "--reasons"),
        (("decide", "revoke"), "--reasons"),
        (("cpl", "acknowledge"), "--rejected"),
    ],
)
def test_why_has_one_name_and_what_it_was_called_before_is_taken_and_not_shown(
    words: tuple[str, str], former: str
) -> None:
    found: click.Command = cli
    for each in words:
        assert isinstance(found, click.Group)
        made = found.get_command(click.Context(found), each)
        assert made is not None
        found = made
    taken = {name for each in found.params for name in each.opts}
    assert former in taken
    assert taken & {"--why", "--reject"}
    assert former not in CliRunner().invoke(found, ["--help"]).output
    told = CliRunner().invoke(found, [former]).output
    assert f"'{former}' requires an argument" in told
