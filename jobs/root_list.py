"""The root's list: which issuing CAs had to end. It is made where the root's key is, at most a few times a year."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ca.certificates import issuer
from ca.clearance import Clearance
from ca.revocation import crl as lists
from ca.revocation import gate
from core.actors import CONSOLE
from core.canonical import Json
from core.errors import PublicationRefused, RegisterUnproved
from core.facts import Fact, FactKind
from core.instants import seconds
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate, PublishedCrl
from core.status import Revoked, endings
from jobs.duty import later
from jobs.hierarchy import held_of
from jobs.published import previous
from keys.signer import Signer
from memory.memory import Memory
from memory.records import Listed
from policy.linted import Linted
from policy.profile import clear_crl
from store.transactions import Store, Transaction
from store.verbs import artefacts, facts

ROOT_CRL_LIFE = timedelta(days=365)
"""Valid for a year because the root's key is offline; the service warns from 60 days before."""


@dataclass(frozen=True, kw_only=True)
class RootList:
    """A list that may be signed.

    Args:
        order: what it says.
        entries: the same as in the order, to be read again.
        draft: its bytes.
        clearance: policy's word on them.
    """

    order: lists.CrlOrder
    entries: tuple[Revoked, ...]
    draft: lists.CrlDraft
    clearance: Clearance

    @property
    def listed(self) -> Listed:
        """What is remembered of it before it is signed, or published."""
        return Listed(
            key_id=issuer(self.order.issuer_der).key_identifier.hex(),
            number=self.order.number,
            this_update=self.order.this_update,
            next_update=self.order.next_update,
            count=len(self.entries),
            tbs_sha256=self.draft.digest.hex(),
        )

    def gated(self, der: bytes, before: bytes | None, at: datetime) -> PublishedCrl:
        """Return the signed list once it has passed the gate.

        Args:
            der: signed.
            before: the list before it, DER; None if there is none.
            at: now.

        Raises:
            PublicationRefused: it is not what was drafted, or loses what was listed before.
        """
        problems = gate.inspect(der, order=self.order, previous=before, register=lambda: endings(self.entries), at=at)
        if problems:
            raise PublicationRefused(number=self.order.number, detail=" ".join(problems))
        return PublishedCrl(
            key_id=self.listed.key_id,
            number=self.order.number,
            this_update=self.order.this_update,
            next_update=self.order.next_update,
            entries=len(self.entries),
            der=der,
        )


def root_list(root_der: bytes, number: int, entries: Sequence[Revoked], this_update: datetime) -> RootList:
    """Return a list of the root, ready to be signed.

    Args:
        root_der: the root's certificate.
        number: its CRLNumber.
        entries: the issuing CAs that had to end, in order of serials.
        this_update: its date.

    Raises:
        PublicationRefused: the lint found something.
    """
    order = lists.CrlOrder(
        issuer_der=root_der,
        number=number,
        this_update=this_update,
        next_update=later(this_update, ROOT_CRL_LIFE),
        expired_certs_on_crl=None,
        entries=tuple(entries),
    )
    drafted = lists.draft(order)
    cleared = clear_crl(drafted, order, Linted())
    if not isinstance(cleared, Clearance):
        raise PublicationRefused(number=number, detail=" ".join(each.detail for each in cleared))
    return RootList(order=order, entries=tuple(entries), draft=drafted, clearance=cleared)


def publish_root_crl(store: Store, memory: Memory, root_signer: Signer, at: datetime) -> PublishedCrl:
    """Publish the root's CRL: at the ceremony, and within each year once more, with the root's key at hand.

    It lists the issuing CAs that had to end. Of which root it is, from which list it goes on, and which CAs these are,
    the memory says: a row alone lets this key sign nothing.

    Raises:
        RegisterUnproved: the register does not hold the root that this authority began with.
        PublicationRefused: lint or gate found something; the last good list stays.
        IssuerMismatch: the key at hand is not the root's.
    """
    with store.read() as tx:
        root = root_of(memory, tx)
        before = previous(memory, tx, root.key_id, at)
    newest = memory.newest_list(root.key_id)
    number = max(seconds(at), newest.number + 1 if newest else 1)
    made = root_list(root.der, number, memory.root_entries(at), at)
    memory.remember([made.listed], now=at)
    der = lists.sign(made.draft, made.clearance, root_signer, root.der)
    published = made.gated(der, before.der, at)
    with store.begin("publish root crl") as tx:
        record_root_list(tx, published, at)
    return published


def root_of(memory: Memory, tx: Transaction) -> AuthorityCertificate:
    """Return the root's certificate as the register holds it and the memory knows it.

    Raises:
        RegisterUnproved: the register does not hold the root that this authority began with.
    """
    roots = held_of(memory, tx, HierarchyRole.ROOT)
    if not roots:
        raise RegisterUnproved(detail="it does not hold the root's certificate that this authority remembers")
    return roots[-1]


def record_root_list(tx: Transaction, published: PublishedCrl, at: datetime) -> None:
    """Publish a list of the root in the register, as a fact."""
    artefacts.publish_crl(tx, published, at=at)
    said: dict[str, Json] = {
        "number": published.number,
        "key_id": published.key_id,
        "entries": published.entries,
    }
    facts.record(tx, Fact(kind=FactKind.CRL_PUBLISHED, at=at, actor=CONSOLE, subject=None, approvals=(), payload=said))
