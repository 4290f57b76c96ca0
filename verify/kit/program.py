"""The console program `trialcpa-verify`: what a stranger proves of an authority, by what they hold of it."""

import argparse
import json
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from verify.kit import inclusion
from verify.kit.agreed import command as deciding
from verify.kit.canonical import read
from verify.kit.clock import now
from verify.kit.cosigned import Cosigned
from verify.kit.evidence import command as checking
from verify.kit.fetching import Authority, proved
from verify.kit.mirror import Compared, LongSource, Mirror
from verify.kit.note import WITNESS, Key, key, key_of
from verify.kit.simulated import Log
from verify.kit.simulator import Simulator
from verify.kit.stopped import Check, Stopped
from verify.kit.vectors import conforms, judged, named
from verify.kit.witness import Witness, written

YES, NO, UNDECIDED = 0, 1, 2
"""Exit codes: it is so; it is not, or what was shown is wrong; it could not be found out."""

_KINDS = ("approval", "serial", "sha256")
_AGAIN_SECONDS = 5
_BEHIND_SECONDS = 0.5
_MOST_BEHIND = 10
"""How often `--once` follows a register that is newer than the copy: rows are told within a second of being signed."""

_BY_KEY = frozenset({Check.ORIGIN, Check.SIGNATURE})
"""What fails where the key is another log's."""

_KEY_WORDS = (
    "the log's key (--log-key or TRIALCPA_LOG_KEY) is what an authority says as log.verifier_key at /v1/authority"
)

_ROOT_WORDS = "the root (--root) is the certificate of this authority's root, which you had from somewhere you trust"


def main(typed: Sequence[str] | None = None) -> None:
    """Run the program.

    Args:
        typed: what was typed after its name; None is what was.
    """
    chosen = _parser().parse_args(typed)
    try:
        raise SystemExit(COMMANDS[chosen.command].run(chosen))
    except Stopped as stopped:
        words = _ROOT_WORDS if stopped.under_root else _KEY_WORDS
        hint = f" If that is your mistake: {words}." if stopped.check in _BY_KEY else ""
        sys.stderr.write(f"trialcpa-verify: stopped by {stopped.check.value}: {stopped.detail}{hint}\n")
        raise SystemExit(UNDECIDED if stopped.check in (Check.UNREACHABLE, Check.TOO_OLD) else NO) from None
    except (ValueError, OSError, sqlite3.Error) as error:  # a copy that is damaged is no answer, least of all a no
        sys.stderr.write(f"trialcpa-verify: {_sentence(error)}\n")
        raise SystemExit(UNDECIDED) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _sentence(error: Exception) -> str:
    """Return what an error says, without the number that the system gave it."""
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        return f"there is no file {str(error.filename)!r}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{str(error.filename)!r} cannot be used: {error.strerror}"
    return str(error)


def _mirror(chosen: argparse.Namespace) -> int:
    authority, copy = _source(chosen), _copy(chosen)
    behind = 0
    while True:
        try:
            whole = copy.follow(authority, wait=0 if chosen.once else 30)
        except Stopped as stopped:
            if chosen.once or stopped.check is not Check.UNREACHABLE:
                raise
            sys.stderr.write(f"trialcpa-verify: {stopped.detail} It is asked again.\n")
            time.sleep(_AGAIN_SECONDS)
            continue
        if not whole or not chosen.once:
            continue
        found = copy.compare(authority, None if chosen.root is None else chosen.root.read_bytes())
        if found is not None:
            sys.stdout.write(_told(copy, found))
            return YES
        behind += 1
        if behind == _MOST_BEHIND:
            # The feed holds rows back, or the witnesses have not seen them: what is here is proved, and not compared.
            raise Stopped(
                Check.UNREACHABLE,
                f"The copy has {copy.size} rows, and the register more: nothing newer is told. Ask later.",
            )
        time.sleep(_BEHIND_SECONDS)


def _told(copy: Mirror, found: Compared) -> str:
    approvals = len(copy.documents())
    told = f"{_counted(copy.size, 'row is', 'rows are')} proved, {_counted(approvals, 'approval', 'approvals')}. "
    told += f"The register of {_counted(found.size, 'row', 'rows')} says the same"
    since = copy.size - found.size
    told += f", but of {_counted(since, 'row that was', 'rows that were')} added since" if since else ""
    return told + (".\n" if found.signed is None else f"; the authority signed it at {found.signed}.\n")


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _source(chosen: argparse.Namespace) -> LongSource:
    authority = Authority(chosen.base)
    if not chosen.note:
        return authority
    if not chosen.wanted:
        raise ValueError(
            "--note names what witnesses have cosigned: say how many are wanted (--wanted) and who (--witness)"
        )
    witnesses = [key(each) for each in chosen.witness]
    return Cosigned(authority, chosen.note, _log_key(chosen.log_key), witnesses, chosen.wanted)


def _copy(chosen: argparse.Namespace) -> Mirror:
    return Mirror(
        chosen.file,
        _log_key(chosen.log_key),
        witnesses=[key(each) for each in chosen.witness],
        wanted=chosen.wanted,
        longest=chosen.longest,
        clock=now,
    )


def _log_key(written: str) -> Key:
    try:
        return key(written)
    except ValueError as error:
        raise ValueError(f"{error}; {_KEY_WORDS}") from None


def _ask(chosen: argparse.Namespace) -> int:
    question = {name: getattr(chosen, name) for name in (*_KINDS, "device_id", "at") if getattr(chosen, name)}
    if chosen.device:
        question["device"] = read(chosen.device.encode("utf-8"))
    if chosen.file is not None:
        members: Mapping[str, object] = _copy(chosen).holding.asked(question, now()).members
    else:
        if "sha256" in question:
            raise ValueError("an authority is asked by approval, serial or device")
        api_key = "" if chosen.key_file is None else chosen.key_file.read_text("utf-8").strip()
        status, body = Authority(chosen.base, api_key=api_key).post("/v1/verify", question)
        members = read(body)
        if status != 200:
            sys.stdout.write(f"{json.dumps(members, indent=2)}\n")
            return UNDECIDED
    sys.stdout.write(f"{json.dumps(members, indent=2)}\n")
    return YES if members["valid"] is True else NO


def _witness(chosen: argparse.Namespace) -> int:
    if not chosen.key.exists():
        opened = os.open(chosen.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "wb") as file:
            fresh = Ed25519PrivateKey.generate()
            file.write(fresh.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
    private = Ed25519PrivateKey.from_private_bytes(chosen.key.read_bytes())
    if chosen.show_key:
        sys.stdout.write(f"{key_of(private, chosen.name, WITNESS)}\n")
        return YES
    if chosen.base is None:
        raise ValueError("name --base")
    authority, log = Authority(chosen.base), _log_key(chosen.log_key)

    def proof(first: int, second: int) -> list[bytes]:
        return proved(authority.get(f"/v1/proofs/consistency?from={first}&to={second}"))

    witness = Witness(chosen.file, log, private, chosen.name)
    note = witness.cosign(authority.get("/v1/checkpoint").decode("utf-8"), proof, now())
    if chosen.note is not None:
        written(chosen.note, note.encode("utf-8"))
    sys.stdout.write(note)
    return YES


def _proof(chosen: argparse.Namespace) -> int:
    row = inclusion.proved(read(chosen.file.read_bytes()), _log_key(chosen.log_key))
    found = row if chosen.approval is None else inclusion.carried(row, chosen.approval)
    sys.stdout.write(f"{json.dumps(found, indent=2)}\n")
    return YES


def _conformance(chosen: argparse.Namespace) -> int:
    if chosen.judge:
        sys.stdout.write(f"{json.dumps(judged(read(sys.stdin.buffer.read())))}\n")
        return YES
    words = chosen.words[1:] if chosen.words[:1] == ["--"] else chosen.words
    if not words:
        raise ValueError("name the command of your verifier behind --")
    if shutil.which(words[0]) is None:
        raise ValueError(f"there is no program {words[0]!r} that can be run: no vector was tried")
    files, wrong = named(chosen.vectors, chosen.like), 0
    for line in conforms(files, words):
        wrong += 1
        sys.stdout.write(f"{line}\n")
    tried = f"{_counted(len(files), 'vector was', 'vectors were')} tried: "
    sys.stdout.write(tried + (f"{wrong} judged otherwise.\n" if wrong else "each is judged as it says.\n"))
    return NO if wrong else YES


def _simulator(chosen: argparse.Namespace) -> int:
    with Simulator((chosen.host, chosen.port), Log(), now) as server:
        for number in range(1, chosen.approvals + 1):
            server.told({"grant": number})
        sys.stdout.write(server.introduced())
        sys.stdout.flush()
        server.serve_forever()
    return YES


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command.

    Args:
        help: what it does, in a line.
        takes: what is typed behind its options.
        describe: says which words it takes.
        run: does it, and returns the exit code.
        example: of a line that is typed.
    """

    help: str
    takes: str
    describe: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    example: str


def _parser() -> argparse.ArgumentParser:
    """Return what reads the words that are typed."""
    whole = argparse.ArgumentParser(
        prog="trialcpa-verify",
        description="Prove what a Trial CPA authority says, by what you hold of it from before.",
        epilog="exit: 0 it is so; 1 it is not, or what was shown is wrong; 2 it cannot be told",
    )
    each = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.describe(
            each.add_parser(
                name,
                usage=f"trialcpa-verify {name} [options] {command.takes}".rstrip(),
                help=command.help,
                description=command.help,
                epilog=f"example:\n  trialcpa-verify {name} {command.example}",
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    return whole


def _of_mirror(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the copy; made if there is none")
    parser.add_argument("--base", required=True, help="where the authority is")
    parser.add_argument("--once", action="store_true", help="end when it is the newest, compared with the register")
    parser.add_argument("--root", type=Path, help="the root's certificate: the register's signature is looked at")
    _of_copy(parser)
    parser.add_argument(
        "--note", action="append", default=[], metavar="PLACE", help="file or address of a witness's newest note"
    )


def _of_ask(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--copy", dest="file", type=Path, help="of `mirror`")
    where.add_argument("--base", help="where the authority is")
    parser.add_argument("--key-file", type=Path, help="with the API key, for the authority")
    for name in (*_KINDS, "device-id", "at"):
        parser.add_argument(f"--{name}", metavar="WORD")
    parser.add_argument("--device", metavar="JSON")
    _of_copy(parser)


def _of_witness(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="where the last one seen is kept")
    parser.add_argument("--key", type=Path, required=True, help="32 octets; made if there are none")
    parser.add_argument("--name", required=True, help="of the witness, as others know it")
    parser.add_argument("--show-key", action="store_true", help="say its verifier's key, and nothing else")
    parser.add_argument("--base", help="where the authority is")
    parser.add_argument("--note", type=Path, metavar="FILE", help="write the cosigned note there, too")
    _of_log(parser)


def _of_proof(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the answer")
    parser.add_argument("--approval", metavar="WORD", help="show what the row says of it, and fail if it says nothing")
    _of_log(parser)


def _of_conformance(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--vectors", type=Path, default=Path(__file__).parent / "vectors", metavar="FOLDER")
    parser.add_argument(
        "--like", default="*", metavar="PATTERN", help="of names: 'check-*', 'decision-*', 'register-*', active"
    )
    parser.add_argument("--judge", action="store_true", help="judge one vector from standard input")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND")


def _of_simulator(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--approvals", type=int, default=10)


def _of_log(parser: argparse.ArgumentParser) -> None:
    held = os.environ.get("TRIALCPA_LOG_KEY", "")
    parser.add_argument("--log-key", default=held, metavar="VKEY", help="of the log; TRIALCPA_LOG_KEY")


def _of_copy(parser: argparse.ArgumentParser) -> None:
    _of_log(parser)
    parser.add_argument("--witness", action="append", default=[], metavar="VKEY", help="several may be")
    parser.add_argument("--wanted", type=int, default=0, metavar="N", help="witnesses that must have cosigned")
    parser.add_argument("--longest", type=int, default=600, metavar="SECONDS", help="for which a copy is believed")


COMMANDS: Mapping[str, Command] = {
    "mirror": Command(
        help="Keep a copy of the register that proves itself.",
        takes="FILE",
        describe=_of_mirror,
        run=_mirror,
        example="register.sqlite --base https://authority.example",
    ),
    "ask": Command(
        help="Ask a copy, or the authority.",
        takes="",
        describe=_of_ask,
        run=_ask,
        example="--copy register.sqlite --approval TDA-2027-0042-Y",
    ),
    "check": Command(
        help="Check a certificate by lists and OCSP answer, offline.",
        takes="CERTIFICATE",
        describe=checking.describe,
        run=checking.run,
        example="leaf.cer --root root.cer --issuer ca.cer --list ca.crl",
    ),
    "decision": Command(
        help="Prove who agreed to what, from a dossier.",
        takes="FOLDER|ZIP",
        describe=deciding.describe,
        run=deciding.run,
        example="dossier --root root.cer --transcript transcript.txt",
    ),
    "witness": Command(
        help="Cosign the newest checkpoint, if it follows from the last one seen.",
        takes="FILE",
        describe=_of_witness,
        run=_witness,
        example="seen --key w.key --name dcc.example/w --base …",
    ),
    "proof": Command(
        help="Check what /v1/proofs/inclusion answered, and show what it proves.",
        takes="FILE",
        describe=_of_proof,
        run=_proof,
        example="proof.json --approval TDA-2027-0042-Y",
    ),
    "conformance": Command(
        help="Try somebody's verifier on the vectors.",
        takes="-- COMMAND",
        describe=_of_conformance,
        run=_conformance,
        example="--like 'check-*' -- ./judge",
    ),
    "simulator": Command(
        help="Be an authority that does wrong when it is told to.",
        takes="",
        describe=_of_simulator,
        run=_simulator,
        example="--port 8471 --approvals 100",
    ),
}
