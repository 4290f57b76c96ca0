"""What is answered, described for /openapi.json: read from the views that the use cases answer with."""

import inspect
import operator
import re
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from api.links import HEADERS, Links
from core.errors import Finding
from core.kinds import AuthorisationFlaw
from ra.deciding.views import DecisionAuthorised, DecisionProposed, DecisionSeconded

SOMETIMES = Field(exclude_if=operator.not_)
"""Marks a member that is left out where it says nothing; every other is always there."""

_ARGUMENT = re.compile(r"(\w+(?:, \w+)*): (.*)")


@cache
def answer(view: type[Any], *files: str, links: Links = Links.NONE) -> type[BaseModel]:
    """Return what flask-openapi3 asks for to describe an answer: a model whose schema is that of a view.

    Args:
        view: a dataclass that a use case answers with. Its first sentence describes the answer, the section `Args:` its
            members.
        files: media types of files that the same is answered as, if they are asked for.
        links: that its headers have.
    """
    content = {each: {"schema": {"type": "string", "format": "binary"}} for each in files}
    extra: dict[str, object] = {"content": content}
    if HEADERS[links]:
        extra["headers"] = dict(HEADERS[links])

    class Described(BaseModel):
        model_config = ConfigDict(openapi_extra=extra)  # type: ignore[typeddict-unknown-key]

        @classmethod
        def model_json_schema(  # type: ignore[override]
            cls, *, ref_template: str, mode: JsonSchemaMode = "serialization", **_: object
        ) -> dict[str, Any]:
            # Whoever asks takes it apart.
            return deepcopy(_schema(view, ref_template, mode))  # type: ignore[arg-type] # a class is hashable

    Described.__name__ = view.__name__  # by which flask-openapi3 calls the model of a refusal
    return Described


@cache
def _schema(view: type[Any], ref_template: str, mode: JsonSchemaMode) -> dict[str, Any]:
    return TypeAdapter(view).json_schema(ref_template=ref_template, schema_generator=_Exact, mode=mode)


class _Exact(GenerateJsonSchema):
    """Every member of an answer is known and is there, unless it says when not; docstrings become descriptions."""

    def field_is_required(self, field: Any, *_: object, **__: object) -> bool:  # noqa: ANN401 - three kinds of fields
        return field.get("serialization_exclude_if") is None

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        made = super().dataclass_schema(schema)
        sentence, members = described(schema["cls"])
        for name, words in members.items():
            if name in made["properties"] and "$ref" not in made["properties"][name]:
                made["properties"][name]["description"] = words
        return {**made, "description": sentence, "additionalProperties": False}


def described(view: type[Any]) -> tuple[str, dict[str, str]]:
    """Return the first paragraph of a docstring, and what its section `Args:` says of each member."""
    text = inspect.getdoc(view) or ""
    sentence, _, section = text.partition("\n\nArgs:\n")
    members: dict[str, str] = {}
    names: list[str] = []
    for line in inspect.cleandoc(section).splitlines() if section else []:
        found = None if line.startswith(" ") else _ARGUMENT.match(line)
        if found:
            names = found[1].split(", ")
            members.update(dict.fromkeys(names, found[2]))
        else:
            members.update({name: f"{members[name]} {line.strip()}" for name in names})
    return " ".join(sentence.split("\n\n")[0].split()), members


@dataclass(frozen=True, kw_only=True)
class Problem:
    """An error (RFC 9457). `code` is stable; `detail` and `hint` are for people.

    Args:
        flaw: of an authorisation that was refused, in a word.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    hint: str
    findings: Annotated[tuple[Finding, ...], SOMETIMES] = ()
    flaw: Annotated[AuthorisationFlaw | None, SOMETIMES] = None
    reference: Annotated[str, SOMETIMES] = ""


@dataclass(frozen=True)
class DecisionBatchResult:
    """What became of one decision of a batch: its outcome, or the problem."""

    outcome: DecisionProposed | DecisionAuthorised | DecisionSeconded | None
    problem: Problem | None


@dataclass(frozen=True)
class DecisionBatchAnswer:
    """What became of each decision of a batch, in order; each stands or falls alone."""

    results: tuple[DecisionBatchResult, ...]
