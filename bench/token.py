"""What keys in a token cost: signatures and certificates a second, by the clock and by the processor (SoftHSM)."""

import argparse
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path

from bench.cycle import held_world, proposed
from tests.token_said import MODULE
from tests.world import tokens

LABEL, PIN = "Trial CPA", "24681357"


def in_token(folder: Path) -> None:
    """Make a token, and say that the ceremony of a folder makes its keys in it."""
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    words = ["--init-token", "--free", "--label", LABEL, "--so-pin", "87654321", "--pin", PIN]
    subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)
    pin = folder / "pin"
    pin.touch(mode=0o600)
    pin.write_text(PIN)
    (folder / "ceremony").mkdir()
    said = f'{{"token": "{LABEL}", "pin": "{pin}", "module": "{MODULE}"}}'
    (folder / "ceremony" / "token.json").write_text(said)


def spent() -> float:
    """Seconds of a processor, by us and by children that have ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def main() -> None:
    """Measure, and print a line for each."""
    reading = argparse.ArgumentParser(description=__doc__)
    reading.add_argument("--certificates", type=int, default=100)
    reading.add_argument("--signatures", type=int, default=2_000)
    asked = reading.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        in_token(folder)
        began = spent()
        world = held_world(folder)
        signer = world.authority.keyring.journal
        clock, processor = time.perf_counter(), time.process_time()
        for number in range(asked.signatures):
            signer.sign(str(number).encode())
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
        print(
            f"signatures: {asked.signatures / clock:,.0f}/s by the clock, {asked.signatures / processor:,.0f}/s of ours"
        )
        waiting = [proposed(world, number) for number in range(asked.certificates)]
        world.authority.settle()
        for each in waiting:
            world.seconded(each)
        clock, processor = time.perf_counter(), time.process_time()
        world.authority.settle()
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
        rates = (asked.certificates / clock, asked.certificates / processor)
        print(f"certificates, to published: {rates[0]:,.1f}/s by the clock, {rates[1]:,.1f}/s of our processor")
        world.close()
        held = tokens(world.folder)
        if held is not None:
            held.close()
        print(f"all of it, the token's process included: {spent() - began:,.1f} s of a processor")


if __name__ == "__main__":
    main()
