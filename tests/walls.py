"""The walls of the house as data, and what trespasses on them: read from the source with `ast`, nothing is imported.
The table is that of the design (docs/adr/): who may import whom. `tests` and `bench` are free."""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from tests.sources import FREE, Source, sources


@dataclass(frozen=True)
class Wall:
    """What a package may import: dotted names of ours (each with everything below it), and distributions."""

    ours: frozenset[str]
    outside: frozenset[str]


def _wall(ours: str, outside: str = "") -> Wall:
    return Wall(frozenset(ours.split()), frozenset(outside.split()))


# The part of `ca` that carries bytes and plain values; it holds no key and signs nothing.
_CA_VALUES = "ca.clearance ca.draft ca.profile ca.issuer.order ca.revocation.crl ca.revocation.ocsp"

# The ground floor of the use cases: what every subject stands on. Nothing on it knows a subject.
_GROUND = (
    "ra.access ra.authorising ra.bounds ra.desk ra.findings ra.grounds ra.instant ra.issuing ra.proposal ra.repeat "
    "ra.standing ra.views"
)


def _use_cases(subjects: str, outside: str = "") -> Wall:
    """A subject of ra/: the ground floor, and the subjects below it; never one above, so there is no circle."""
    return _wall(f"{_GROUND} {subjects} core officers policy store ca.hierarchy documents intake", outside)


WALLS: Mapping[str, Wall] = {
    "core": _wall("core"),
    "keys": _wall("keys core", "cryptography pkcs11"),
    "store": _wall("store core", "sqlalchemy alembic psycopg"),
    "ca": _wall("ca core keys.signer", "cryptography asn1crypto"),
    "officers": _wall("officers core", "cryptography joserfc pydantic"),
    "memory": _wall("memory officers core", "pydantic"),
    "backup": _wall("backup core", "pydantic pyrage"),
    "policy": _wall(f"policy core {_CA_VALUES}", "cryptography pkilint pyasn1_alt_modules"),
    "documents": _wall("documents core", "typst segno openpyxl icalendar"),
    "intake": _wall("intake core", "cryptography openpyxl defusedxml"),
    "ra": _use_cases("", "pydantic"),
    **{each: _use_cases(each) for each in ("ra.applying", "ra.telling", "ra.reporting", "ra.committee", "ra.ordering")},
    "ra.deciding": _use_cases("ra.applying ra.committee ra.telling ra.reporting ra.deciding"),
    "ra.deciding.kinds": _use_cases(  # what kinds share stands beside them; a kind sees no other
        "ra.applying ra.telling ra.deciding.end ra.deciding.kind ra.deciding.later_issue ra.deciding.many "
        "ra.deciding.taking_up"
    ),
    "ra.entering": _use_cases("ra.entering", "webauthn"),
    "ra.auditing": _use_cases(
        "ra.applying ra.committee ra.telling ra.reporting ra.deciding ra.ordering ra.auditing ra.roster"
    ),
    "ra.waiting": _use_cases("ra.reporting ra.deciding ra.waiting"),
    "ra.meeting": _use_cases("ra.committee ra.waiting ra.meeting"),
    "jobs": _wall("jobs core officers ra policy ca keys memory backup store verify.audited"),
    "api": _wall(
        "api core officers ra store.reading store.transactions", "flask flask_openapi3 pydantic pydantic_core werkzeug"
    ),
    "api.status": _wall(  # of keys/ the writer of private files, no key
        "api.status api.problems core documents.tables intake.table intake.workbook keys.private_file",
        "asn1crypto cryptography immutables segno",
    ),
    "console": _wall(
        "console core officers ra api.problems api.status.formats renderer.asking",
        "flask flask_wtf itsdangerous markupsafe webauthn werkzeug",
    ),
    "renderer": _wall("renderer", "pypdfium2"),
    "published": _wall("published api.status ca.revocation.octets core"),
    "front": _wall("front api.status.exchange api.status.refused api.problems core", "httptools"),
    "verify": _wall("verify core", "cryptography asn1crypto httpx"),
    "verify.kit": _wall("verify.kit", "cryptography"),
    "app": _wall(
        "api app backup ca console core documents front intake jobs keys memory officers policy published ra store"
        " renderer.asking verify",
        "cryptography click flask granian httpx rich",
    ),
    "story": _wall(
        "story core officers verify app.audit_sent app.house app.processes app.settings app.cli.ceremony app.cli.clock "
        "app.cli.decide_export app.cli.demo app.cli.options app.client app.officer app.recomputed",
        "aiosmtpd click cryptography httpx pkilint rich",
    ),
}
"""By package; the longest name that fits a file is the one that counts."""
ONLY_IN: Mapping[str, str] = {**dict.fromkeys(("sqlalchemy", "alembic", "psycopg"), "store"), "pypdfium2": "renderer"}
"""Distributions that one package alone may say."""
CLOCK_FILE = "core/clock.py"
_READS_THE_CLOCK = frozenset(
    {
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
        "time.time",
        "time.time_ns",
        "time.localtime",
        "time.gmtime",
        "time.clock_gettime",
        "sqlalchemy.func.now",
        "sqlalchemy.func.current_timestamp",
    }
)
WITHOUT_TIME = frozenset({"core", "keys", "ca", "policy", "ra"})
"""Packages in which even a monotonic clock or a sleep has no place: time is an argument."""
_LATE = frozenset({"importlib.import_module", "importlib.__import__"})
LOADS_BY_NAME = {"app/cli/main.py": "a command's module is loaded when it is called for: the help answers at once"}
"""Files that import by a name that is worked out: of what lies in `app`, or of the story's command, its client."""
_ATTICS = frozenset({"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"})

MOST_BY_PLACE = 3
"""Values that a dataclass of ours takes by their place; of more, two that are swapped are seen by nobody."""

LONGEST_FILE, LONGEST_TEST = 450, 600
LONGER_FOR_A_REASON = {
    "core/errors.py": "one list of every code that the contract knows",
    "store/tables.py": "one schema, read from top to bottom",
    "store/migrations/versions/0001_first.py": "a revision that has landed is never edited",
    "store/migrations/versions/0002_section_f.py": "one step of the schema, which lands whole",
    "store/trial_tables.py": "one schema, read from top to bottom",
}


def trespasses(root: Path) -> list[str]:
    """Return every trespass in a tree, each as `file: what`."""
    found = []
    every = list(sources(root))
    for source in every:
        for rule in _RULES:
            found += [f"{source.name}: {what}" for what in rule(source, root)]
    return [*found, *_by_place(every), *_mappings(every), *_package_list(root)]


def unnamed(root: Path) -> list[str]:
    """Return every function, class and constant of the product that nothing else in the tree names, as `file: name`.

    What a decorator hands to somebody (a command, a rule) is named by that. A constant is named where its own file
    reads it, where another imports it, and where anybody takes it as a member.
    """
    every = list(sources(root))
    nodes = [node for source in every for node in source.nodes]
    members = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    named = members | {node.id for node in nodes if isinstance(node, ast.Name)}
    taken = members.union(*(source.aliases.values() for source in every))
    found = []
    for source in every:
        if source.free or "migrations" in source.name:
            continue
        for node in source.tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                dead = [] if node.decorator_list or node.name in named else [node.name]
            else:
                dead = _unread(source, node, taken)
            found += [f"{source.name}: {name}" for name in dead]
    return found


def _unread(source: Source, made: ast.stmt, taken: AbstractSet[str]) -> list[str]:
    """The constants that a statement makes and that neither their own file reads nor another takes."""
    if not isinstance(made, ast.Assign | ast.AnnAssign):
        return []
    names = {node.id for node in source.nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    targets = made.targets if isinstance(made, ast.Assign) else [made.target]
    return [
        node.id
        for target in targets
        for node in ast.walk(target)
        # `__all__` and its like Python itself reads.
        if isinstance(node, ast.Name) and not node.id.startswith("__")
        if node.id not in names and not {node.id, f"{source.module}.{node.id}"} & taken
    ]


def told(root: Path, found: list[str]) -> str:
    """Return trespasses for people: one a line, and under those of a room what the room may import.

    Args:
        root: of the tree.
        found: what `trespasses` returned for it.
    """
    room_of = {source.name: _room_of(source.package) for source in sources(root)}
    by_room: dict[str, list[str]] = {}
    for each in found:
        by_room.setdefault(room_of.get(each.split(": ")[0]) or "", []).append(each)
    lines = [f"Trespasses on the walls of tests/walls.py: {len(found)}"]
    for room, some in by_room.items():
        lines += ["", *(f"  {each}" for each in some)]
        if room in WALLS:
            lines += [f"  {room} may import of ours: {' '.join(sorted(WALLS[room].ours))}"]
            lines += [f"  {room} may import from outside: {' '.join(sorted(WALLS[room].outside)) or 'nothing'}"]
    return "\n".join(lines)


# --- imports ------------------------------------------------------------------------------------------------------


def _imports(source: Source, root: Path) -> Iterator[str]:
    room = _room_of(source.package)
    if source.free:
        return
    if room is None:
        yield f"{source.package or 'the top'} is not a package of the house"
        return
    for name in [*_imported(source, root), *_imported_late(source)]:
        top = name.split(".")[0]
        if name.startswith("."):
            yield f"imports {name}; write the whole name"
        elif top in WALLS or top in FREE:
            if not any(name == allowed or name.startswith(f"{allowed}.") for allowed in WALLS[room].ours):
                yield f"imports {name}"
        elif top not in sys.stdlib_module_names and top not in WALLS[room].outside:
            yield f"imports {name}"
        if ONLY_IN.get(top, source.top) != source.top:
            yield f"says {top}, which only {ONLY_IN[top]}/ says"


def _room_of(package: str) -> str | None:
    """The name in WALLS that counts for a package; None if it is no part of the house."""
    parts = package.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((name for name in names if name in WALLS), None)


def _imported_late(source: Source) -> Iterator[str]:
    """What `importlib` is asked for: a name that can be read here, except where the command line loads commands."""
    for node in source.nodes:
        if isinstance(node, ast.Call) and _dotted(node.func, source.aliases) in _LATE:
            asked = node.args[0] if node.args else None
            if isinstance(asked, ast.Constant) and isinstance(asked.value, str):
                yield asked.value
            elif source.name not in LOADS_BY_NAME:
                yield "something.that.cannot.be.seen"


def _imported(source: Source, root: Path) -> Iterator[str]:
    for node in source.nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                place = root / whole.replace(".", "/")
                yield whole if place.is_dir() or place.with_suffix(".py").is_file() else module


# --- calls --------------------------------------------------------------------------------------------------------


def _clocks(source: Source, _root: Path) -> Iterator[str]:
    if source.free or source.name in (CLOCK_FILE, "verify/kit/clock.py"):
        return
    yield from (f"reads the clock: {name}" for name in _named(source) if name in _READS_THE_CLOCK)
    if source.top in WITHOUT_TIME and "time" in {name.split(".")[0] for name in source.aliases.values()}:
        yield "imports time; here time is an argument"


def _clearances(source: Source, _root: Path) -> Iterator[str]:
    if source.free or source.top == "policy":
        return
    if _calls(source, "ca.clearance.Clearance"):
        yield "makes a Clearance, which only policy/ does"


def _claims(source: Source, _root: Path) -> Iterator[str]:
    if not source.free and source.top != "officers" and _calls(source, "officers.statement.Claim"):
        yield "says what an act claims, which only officers/ does"


def _observers(source: Source, _root: Path) -> Iterator[str]:
    if not source.free and source.name != "core/boundaries.py" and "core.boundaries.observe" in set(_named(source)):
        yield "observes the boundaries, which only tests do"


def _by_place(every: Sequence[Source]) -> Iterator[str]:
    """Dataclasses of ours that are built by more values than anybody keeps in order, or by as many as there may be."""
    ours = {f"{source.module}.{node.name}" for source in every for node in _dataclasses(source)}
    for source in every:
        if source.free:
            continue
        names = {**source.aliases, **{node.name: f"{source.module}.{node.name}" for node in _dataclasses(source)}}
        for node in source.nodes:
            if not isinstance(node, ast.Call) or _dotted(node.func, names) not in ours:
                continue
            if len(node.args) > MOST_BY_PLACE or any(isinstance(each, ast.Starred) for each in node.args):
                yield f"{source.name}: builds {ast.unparse(node.func)} by place in line {node.lineno}; name what it is"


def _dataclasses(source: Source) -> Iterator[ast.ClassDef]:
    if source.free:
        return
    for node in source.nodes:
        if isinstance(node, ast.ClassDef):
            named = (each.func if isinstance(each, ast.Call) else each for each in node.decorator_list)
            if any(_dotted(each, source.aliases) == "dataclasses.dataclass" for each in named):
                yield node


def _named(source: Source) -> Iterator[str]:
    """Every imported thing that the file mentions, by its whole name."""
    yield from source.aliases.values()
    for node in source.nodes:
        if isinstance(node, ast.Attribute):
            name = _dotted(node, source.aliases)
            if name is not None:
                yield name


def _calls(source: Source, wanted: str) -> bool:
    return any(isinstance(node, ast.Call) and _dotted(node.func, source.aliases) == wanted for node in source.nodes)


def _dotted(node: ast.expr, aliases: Mapping[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return aliases.get(node.id)
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value, aliases)
        return None if before is None else f"{before}.{node.attr}"
    return None


_ASKED_IN = {
    "click.prompt": "app/cli/asking.py",
    "click.confirm": "app/cli/asking.py",
    "getpass.getpass": "keys/passphrase.py",
}
"""What asks a person, and the one file that says what is so where nobody answers."""


def _questions(source: Source, _root: Path) -> Iterator[str]:
    if source.free:
        return
    for name in set(_named(source)) & set(_ASKED_IN):
        if source.name != _ASKED_IN[name]:
            yield f"asks by {name}, which only {_ASKED_IN[name]} does"


_COUNTED = re.compile(
    r" (?:more )?(?:application|approval|certificate|condition|day|device|end|fact|file|head|line|list|notice"
    r"|officer|record|row)s\b| (?:more )?entries\b"
)
"""What the command line counts."""


def _plurals(source: Source, _root: Path) -> Iterator[str]:
    """A number with a plural behind it, which is wrong of one: `many` knows both (app/cli/shown.py)."""
    if not source.name.startswith("app/cli/"):
        return
    for node in source.nodes:
        if isinstance(node, ast.JoinedStr):
            for value, words in zip(node.values, node.values[1:], strict=False):
                if isinstance(value, ast.FormattedValue) and isinstance(words, ast.Constant):
                    fixed = ast.unparse(value.value).rpartition(".")[2].isupper()
                    if not fixed and _COUNTED.match(str(words.value)):
                        yield f"says {ast.unparse(node)}, wrong of one; say it by app.cli.shown.many"


# --- kinds and states ---------------------------------------------------------------------------------------------

_KINDS = frozenset({"kind", "state", "cause", "outcome", "channel", "role", "event"})
"""What a thing is called that has one of a closed list of values, alone (`state`) or at an end (`end_cause`)."""


def _words_for_kinds(source: Source, _root: Path) -> Iterator[str]:
    """A kind or state beside a string: the checker would not name the place when a member is added."""
    if source.free:
        return
    for node in source.nodes:
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(_is_kind(each) for each in sides) and any(_is_word(each) for each in sides):
                yield f"compares with a word: {ast.unparse(node)}"
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"in_", "not_in"}
        ):
            if _is_kind(node.func.value) and any(_is_word(each) for each in node.args):
                yield f"compares with a word: {ast.unparse(node)}"
        elif isinstance(node, ast.Match) and _is_kind(node.subject):
            values = [
                each.value for case in node.cases for each in ast.walk(case.pattern) if isinstance(each, ast.MatchValue)
            ]
            yield from (f"matches a word: {ast.unparse(each)}" for each in values if _is_word(each))


def _is_kind(node: ast.expr) -> bool:
    """`state`, `row.state`, `said["state"]`, `said.get("state")`."""
    name: object = None
    if isinstance(node, ast.Name):
        name = node.id
    elif isinstance(node, ast.Attribute):
        name = node.attr
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        name = node.slice.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        name = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
    return isinstance(name, str) and name.rsplit("_", 1)[-1] in _KINDS


def _is_word(node: ast.expr) -> bool:
    """A string, or several in brackets; the empty one stands for none."""
    if isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.func, ast.Name):
        return node.func.id in {"frozenset", "set", "tuple", "list"} and _is_word(node.args[0])
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(_is_word(each) for each in node.elts)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != ""


# --- mappings over kinds and states -------------------------------------------------------------------------------

PARTLY: Mapping[str, str] = {
    "api/status/page.py: _WORDS": "what is not known has no page",
    "app/courier.py: lists": "a Manufacturer is written to at the address in its application",
    "app/courier.py: mail_to": "a Manufacturer is written to at the address in its application",
    "ra/waiting/reminders.py: _NAMES": "a Manufacturer is written to by its own name",
    "policy/certificate_rules.py: _YEARS": "a responder lives for days, by a rule of its own",
    "verify/channels.py: _REASONS": "lists and OCSP give a reason for an end only",
}
"""Mappings over members of an enum that are not meant to name every member, each with the reason."""


def _mappings(every: Sequence[Source]) -> Iterator[str]:
    """A mapping that names some members of an enum of core/, or has a default for those that it might not name."""
    members = {name: frozenset(found) for source in every for name, found in _enums(source)}
    unused = set(PARTLY) if any(source.name == "tests/walls.py" for source in every) else set()
    for source in every:
        if source.free:
            continue
        whole = set()
        for constant, mapping in _assigned(source.nodes):
            named = _members_named(mapping, source, members)
            where = f"{source.name}: {constant}"
            for enum in sorted({enum for enum, _ in named}):
                missing = sorted(members[enum] - {member for each, member in named if each == enum})
                if where in PARTLY:
                    unused.discard(where if missing else "")
                elif missing:
                    yield f"{where} does not name {', '.join(missing)} of {enum}"
                else:
                    whole.add(constant)
        for node in source.nodes:
            if isinstance(node, ast.Attribute) and node.attr == "get" and ast.unparse(node.value) in whole:
                name = ast.unparse(node.value)
                yield f"{source.name}: {name} names every member, and line {node.lineno} has a default"
    yield from (f"{each} is in PARTLY, and is whole or gone" for each in sorted(unused))


def _enums(source: Source) -> Iterator[tuple[str, list[str]]]:
    """The enums of words that a file of core/ defines: whole name, members."""
    if source.top != "core":
        return
    for node in source.tree.body:
        if isinstance(node, ast.ClassDef) and any(
            _dotted(base, source.aliases) == "enum.StrEnum" for base in node.bases
        ):
            targets = [each.targets[0] for each in node.body if isinstance(each, ast.Assign)]
            yield f"{source.module}.{node.name}", [each.id for each in targets if isinstance(each, ast.Name)]


def _assigned(nodes: Sequence[ast.AST]) -> Iterator[tuple[str, ast.Dict]]:
    """Every mapping that is written out and given a name, there and within what it is handed to."""
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            for each in ast.walk(node.value):
                if isinstance(each, ast.Dict):
                    yield ast.unparse(target), each


def _members_named(mapping: ast.Dict, source: Source, members: Mapping[str, frozenset[str]]) -> set[tuple[str, str]]:
    here = {name.rsplit(".", 1)[-1]: name for name in members if name.rsplit(".", 1)[0] == source.module}
    dotted = (None if key is None else _dotted(key, {**source.aliases, **here}) for key in mapping.keys)
    parts = ((name or "").rpartition(".") for name in dotted)
    return {(enum, member) for enum, _, member in parts if member in members.get(enum, ())}


# --- roles --------------------------------------------------------------------------------------------------------

_ROLE = "core.actors.Role."
ROLES_FILE = "policy/roles.py"
_DEMO = {"app/cli/demo.py", "console/demo.py", "console/trying.py"}
_NAMES_ROLES = frozenset({ROLES_FILE, "store/tables.py", *_DEMO})
"""The CHECK is held to the roles by tests/test_roles.py; who plays a demo's people says which each of them is."""


def _roles(source: Source, _root: Path) -> Iterator[str]:
    """A role named where something is decided: whoever adds one would not know of the place."""
    if source.free or source.name in _NAMES_ROLES:
        return
    for name in sorted(set(_named(source))):
        if name.startswith(_ROLE):
            yield f"asks for {name.removeprefix('core.actors.')}; ask {ROLES_FILE} what it may do"


# --- files --------------------------------------------------------------------------------------------------------


def _files(source: Source, _root: Path) -> Iterator[str]:
    if set(source.path.stem.lower().split("_")) & _ATTICS:
        yield "has the name of an attic"
    most = LONGEST_TEST if source.free else LONGEST_FILE
    lines = len(source.path.read_text("utf-8").splitlines())
    if lines > most and source.name not in LONGER_FOR_A_REASON:
        yield f"has {lines} lines, more than {most}"


def _packages(source: Source, _root: Path) -> Iterator[str]:
    if source.path.name == "__init__.py":
        first = (ast.get_docstring(source.tree) or "").splitlines()[:1]
        if not first or first[0].split(" — ")[0].replace("/", ".") != source.package:
            yield "does not begin by saying what it is"
    elif not source.free and not (source.path.parent / "__init__.py").is_file():
        yield "lies in no package"


def _package_list(root: Path) -> list[str]:
    listed = set(tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"])
    there = {source.package for source in sources(root) if source.path.name == "__init__.py" and not source.free}
    return [
        *(f"pyproject.toml: does not list {name}" for name in sorted(there - listed)),
        *(f"pyproject.toml: lists {name}, which is not there" for name in sorted(listed - there)),
    ]


_RULES: tuple[Callable[[Source, Path], Iterator[str]], ...] = (
    _imports,
    _clocks,
    _clearances,
    _claims,
    _observers,
    _questions,
    _plurals,
    _words_for_kinds,
    _roles,
    _files,
    _packages,
)
