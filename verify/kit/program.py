"""The console program: `trialcpa-verify mirror`, `ask`, `witness`, `proof`, `conformance`, `simulator`."""

import argparse
import base64
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from verify.kit.canonical import read
from verify.kit.clock import now
from verify.kit.fetching import Authority
from verify.kit.inclusion import carried, proved
from verify.kit.mirror import Mirror
from verify.kit.note import WITNESS, key, key_of
from verify.kit.simulated import Log
from verify.kit.simulator import Simulator
from verify.kit.stopped import Check, Stopped
from verify.kit.vectors import conforms, judged
from verify.kit.witness import Witness

YES, NO, UNDECIDED = 0, 1, 2
"""Exit codes: it is so; it is not, or what was shown is wrong; it could not be found out."""

_KINDS = ("approval", "serial", "sha256")
_AGAIN_SECONDS = 5


def main(words: Sequence[str] | None = None) -> None:
    """Run the program.

    Args:
        words: what was typed after its name; None is what was.
    """
    chosen = _parser().parse_args(words)
    try:
        raise SystemExit(COMMANDS[chosen.command](chosen))
    except Stopped as stopped:
        sys.stderr.write(f"trialcpa-verify: stopped by {stopped.check.value}: {stopped.detail}\n")
        raise SystemExit(UNDECIDED if stopped.check in (Check.UNREACHABLE, Check.TOO_OLD) else NO) from None
    except (ValueError, OSError) as error:
        sys.stderr.write(f"trialcpa-verify: {error}\n")
        raise SystemExit(UNDECIDED) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _mirror(chosen: argparse.Namespace) -> int:
    authority, copy = Authority(chosen.base), _copy(chosen)
    while True:
        try:
            whole = copy.follow(authority, wait=0 if chosen.once else 30)
        except Stopped as stopped:
            if chosen.once or stopped.check is not Check.UNREACHABLE:
                raise
            sys.stderr.write(f"trialcpa-verify: {stopped.detail} It is asked again.\n")
            time.sleep(_AGAIN_SECONDS)
            continue
        if whole and chosen.once:
            copy.compare(authority)
            sys.stdout.write(f"{copy.size} rows are proved, {len(copy.documents())} approvals.\n")
            return YES


def _copy(chosen: argparse.Namespace) -> Mirror:
    return Mirror(
        chosen.file,
        key(chosen.log_key),
        witnesses=[key(each) for each in chosen.witness],
        wanted=chosen.wanted,
        longest=chosen.longest,
        clock=now,
    )


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
    if chosen.base is None or chosen.log_key is None:
        raise ValueError("name --base and --log-key")
    authority, log = Authority(chosen.base), key(chosen.log_key)

    def proof(first: int, second: int) -> list[bytes]:
        said = read(authority.get(f"/v1/proofs/consistency?from={first}&to={second}"))
        return [base64.b64decode(each, validate=True) for each in said["hashes"]]

    witness = Witness(chosen.file, log, private, chosen.name)
    sys.stdout.write(witness.cosign(authority.get("/v1/checkpoint").decode("utf-8"), proof, now()))
    return YES


def _proof(chosen: argparse.Namespace) -> int:
    row = proved(read(chosen.file.read_bytes()), key(chosen.log_key))
    found = row if chosen.approval is None else carried(row, chosen.approval)
    sys.stdout.write(f"{json.dumps(found, indent=2)}\n")
    return YES


def _conformance(chosen: argparse.Namespace) -> int:
    if chosen.judge:
        sys.stdout.write(f"{json.dumps(judged(read(sys.stdin.buffer.read())))}\n")
        return YES
    words = chosen.words[1:] if chosen.words[:1] == ["--"] else chosen.words
    if not words:
        raise ValueError("name the command of your verifier behind --")
    wrong = list(conforms(chosen.vectors, words))
    sys.stdout.write("".join(f"{each}\n" for each in wrong) or "Every vector is judged as it says.\n")
    return NO if wrong else YES


def _simulator(chosen: argparse.Namespace) -> int:
    with Simulator((chosen.host, chosen.port), Log(), now) as server:
        for number in range(1, chosen.approvals + 1):
            server.told({"grant": number})
        sys.stdout.write(f"{server.base} {server.log.key}\n")
        sys.stdout.flush()
        server.serve_forever()
    return YES


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "mirror": _mirror,
    "ask": _ask,
    "witness": _witness,
    "proof": _proof,
    "conformance": _conformance,
    "simulator": _simulator,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trialcpa-verify", description="Doubt a Trial CPA authority by its own log.")
    each = parser.add_subparsers(dest="command", required=True)
    mirror = each.add_parser("mirror", help="keep a copy of the register that proves itself")
    mirror.add_argument("file", type=Path, help="the copy; made if there is none")
    mirror.add_argument("--base", required=True, help="where the authority is")
    mirror.add_argument("--once", action="store_true", help="end when it is the newest, compared with the register")
    _of_copy(mirror)
    ask = each.add_parser("ask", help="ask a copy, or the authority")
    where = ask.add_mutually_exclusive_group(required=True)
    where.add_argument("--copy", dest="file", type=Path, help="of `mirror`")
    where.add_argument("--base", help="where the authority is")
    ask.add_argument("--key-file", type=Path, help="with the API key, for the authority")
    for name in (*_KINDS, "device-id", "at"):
        ask.add_argument(f"--{name}")
    ask.add_argument("--device", help="as JSON")
    _of_copy(ask)
    witness = each.add_parser("witness", help="cosign the newest checkpoint, if it follows from the last one seen")
    witness.add_argument("file", type=Path, help="where the last one seen is kept")
    witness.add_argument("--key", type=Path, required=True, help="32 octets; made if there are none")
    witness.add_argument("--name", required=True, help="of the witness, as others know it")
    witness.add_argument("--show-key", action="store_true", help="say its verifier's key, and nothing else")
    witness.add_argument("--base")
    witness.add_argument("--log-key")
    proof = each.add_parser("proof", help="check what /v1/proofs/inclusion answered, and show what it proves")
    proof.add_argument("file", type=Path, help="the answer")
    proof.add_argument("--approval", help="show what the row says of it, and fail if it says nothing")
    proof.add_argument("--log-key", default=os.environ.get("TRIALCPA_LOG_KEY", ""), help="of the log, as a vkey")
    conformance = each.add_parser("conformance", help="try somebody's verifier on the vectors")
    conformance.add_argument("--vectors", type=Path, default=Path(__file__).parent / "vectors")
    conformance.add_argument("--judge", action="store_true", help="judge one vector from standard input")
    conformance.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    simulator = each.add_parser("simulator", help="an authority that does wrong when it is told to")
    simulator.add_argument("--host", default="127.0.0.1")
    simulator.add_argument("--port", type=int, default=0)
    simulator.add_argument("--approvals", type=int, default=10)
    return parser


def _of_copy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--log-key", default=os.environ.get("TRIALCPA_LOG_KEY", ""), help="of the log, as a vkey")
    parser.add_argument("--witness", action="append", default=[], help="a witness's key, as a vkey; several may be")
    parser.add_argument("--wanted", type=int, default=0, help="how many witnesses must have cosigned")
    parser.add_argument("--longest", type=int, default=600, help="seconds for which a copy is believed")
