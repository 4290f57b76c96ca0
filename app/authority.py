"""The authority process, put together from a house: only who runs it loads all that it does."""

from dataclasses import replace

from app.house import House, open_memory
from core.errors import RestoreNotAccepted
from jobs.authority import Authority
from jobs.following import Following
from jobs.keyring import Keyring, opened_keyring
from jobs.put_back import marked
from keys.passphrase import FromCredential, FromFile


def open_authority(house: House) -> Authority:
    """Open the private keys and the memory and return the authority process.

    Who it is, it knows by itself: nothing in the register makes it another authority.

    Raises:
        KeyUnusable: a key cannot be opened, or is not the one that this authority remembers.
        MemoryMissing, MemoryUnusable: it does not know what it has signed.
        RestoreNotAccepted: a backup was put back, and nobody has accepted it yet.
    """
    made_at = marked(house.settings.keys_dir)
    if made_at is not None:
        raise RestoreNotAccepted(made_at=made_at)
    passphrase = house.settings.passphrase.read()
    memory = open_memory(house, passphrase)
    place = house.place(passphrase)
    moved = house.clock_of(memory.begun.environment)
    keyring = opened_keyring(memory, place, moved.now())
    memory.keep_reserve()

    def reopen() -> Keyring:
        again = replace(place, passphrase=house.settings.passphrase.read())
        return opened_keyring(memory, again, moved.now())

    return Authority(
        store=house.store,
        clock=moved,
        machine=house.machine,
        keyring=keyring,
        memory=memory,
        pace=house.settings.pace,
        rules=house.settings.rules,
        reopen=reopen if isinstance(house.settings.passphrase, (FromFile, FromCredential)) else None,
        tokens=house.tokens,
        following=Following(store=house.store, journal_key=keyring.journal.public_key),
    )
