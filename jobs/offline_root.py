"""The root's side: what an authority asks of it is judged and shown, and signed if a person says so.

There is no store here, no network and no memory: the key, the folder that it lies in, and the file that was carried in.
What the folder keeps is what the root knows of itself: its certificate and the newest list that it signed. The
authority's word alone takes nothing off that list.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ca import der as write
from ca.certificates import authority_key_id, issuer, public_key_in, serial_in, signature_holds, signed_by, tbs_sha256
from ca.clearance import Clearance
from ca.draft import Draft, again, described
from ca.profile import Profile
from ca.revocation import crl as lists
from ca.revocation.published import Published, read_published
from ca.signing import sign_certificate
from core.carried import RootRequest, RootResponse, WantedCertificate, possession_statement
from core.errors import RootRequestRefused, TrialCpaError
from core.instants import seconds, text
from core.kinds import HierarchyRole
from core.status import Revoked
from jobs.root_list import RootList, root_list
from keys.private_file import keep
from keys.signer import Signer
from policy.profile import clear_hierarchy

ROOT_CERTIFICATE, ROOT_LIST = "root.cer", "root.crl"
"""Beside the root's key: its certificate, and the newest list that it signed; both DER."""

RENEWED_AFTER = timedelta(days=30)
"""A list that is older than that is made anew when the root's key is at hand anyway."""

_LARGEST = 16 * 1024 * 1024


@dataclass(frozen=True)
class RootFolder:
    """The folder of the root's key, as far as it knows of itself.

    Args:
        path: of the folder.
    """

    path: Path

    def certificate(self) -> bytes | None:
        """Return the root's certificate as it was kept here; None in a folder of before it was."""
        return self._read(ROOT_CERTIFICATE)

    def newest_list(self) -> bytes | None:
        """Return the newest list that was signed here; None in a folder of before it was kept."""
        return self._read(ROOT_LIST)

    def keep(self, certificate: bytes, newest_list: bytes | None) -> None:
        """Keep what the root knows of itself; RootRequestRefused if it cannot be written."""
        try:
            keep(self.path / ROOT_CERTIFICATE, certificate)
            if newest_list is not None:
                keep(self.path / ROOT_LIST, newest_list)
        except OSError as error:
            raise RootRequestRefused(detail=f"{self.path} cannot be written ({error.strerror})") from error

    def issued(self, draft: Draft) -> bytes | None:
        """Return the certificate that was signed here over these very bytes; None if none was.

        A key in a token signs the same bytes to another signature: what was handed out once is handed out again.
        """
        found = self._read(_issued(draft))
        if found is None or serial_in(found) != draft.serial or tbs_sha256(found) != draft.digest.hex():
            return None
        return found

    def keep_issued(self, draft: Draft, certificate: bytes) -> None:
        """Keep a certificate before it is handed out; RootRequestRefused if it cannot be written."""
        try:
            keep(self.path / _issued(draft), certificate)
        except OSError as error:
            raise RootRequestRefused(detail=f"{self.path} cannot be written ({error.strerror})") from error

    def _read(self, name: str) -> bytes | None:
        try:
            with (self.path / name).open("rb") as file:
                return file.read(_LARGEST)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RootRequestRefused(detail=f"{self.path / name} cannot be read ({error.strerror})") from error


def _issued(draft: Draft) -> str:
    return f"issued-{draft.serial}.cer"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A request that may be signed, if people say so.

    Args:
        request: what was asked.
        root: the root's certificate.
        wanted: the certificate that would be signed, with policy's word; None if none was asked for.
        made: the list that would be signed; None if none is due.
        newest: the newest list that there is already, DER.
        shown: name and value of each line that people look at.
    """

    request: RootRequest
    root: bytes
    wanted: tuple[Draft, Clearance] | None
    made: RootList | None
    newest: bytes | None
    shown: tuple[tuple[str, str], ...]


def judge(request: RootRequest, public_key: bytes, folder: RootFolder) -> Judged:
    """Judge a request under the key at hand; nothing is signed.

    Args:
        request: as it was carried in.
        public_key: of the root's key at hand, SubjectPublicKeyInfo, DER.
        folder: that it lies in.

    Raises:
        RootRequestRefused: it is another root's, or not what this root signs.
        PublicationRefused: the list that is due would not be one.
    """
    profile = _profile(request)
    root = _root(request, public_key, folder, profile)
    wanted = None if request.certificate is None else _wanted(request, request.certificate, profile, root)
    made, newest = _list(request, root, folder)
    if wanted is None and made is None and newest == request.newest_list:
        raise RootRequestRefused(detail="it asks for nothing")
    shown = (*_of_authority(request, root), *_of_certificate(request, wanted), *_of_list(made))
    return Judged(request=request, root=root, wanted=wanted, made=made, newest=newest, shown=shown)


def sign(judged: Judged, signer: Signer, folder: RootFolder) -> RootResponse:
    """Sign what was shown. The same request gives the same certificate, however often it is signed.

    If we die before the list is kept, nothing has left this machine; after it the next run finds the list, and answers
    with that one.

    Args:
        judged: what people have looked at.
        signer: the root's key.
        folder: that it lies in.

    Raises:
        RootRequestRefused: the folder cannot be written.
        IssuerMismatch, NotCleared, SignatureWrong, PublicationRefused: what is signed is not what was judged.
    """
    newest, made = judged.newest, judged.made
    if made is not None:
        der = lists.sign(made.draft, made.clearance, signer, judged.root)
        newest = made.gated(der, newest, made.order.this_update).der
    folder.keep(judged.root, newest)
    certificate = None
    if judged.wanted is not None:
        draft, clearance = judged.wanted
        certificate = folder.issued(draft)
        if certificate is None or not signed_by(certificate, judged.root):
            certificate = sign_certificate(draft, clearance, signer, judged.root)
            # If we die before it is kept, it has not left this machine, and the next run signs the same bytes.
            folder.keep_issued(draft, certificate)
    return RootResponse(
        request_sha256=judged.request.digest(),
        certificate=certificate,
        newest_list=None if newest == judged.request.newest_list else newest,
    )


# --- judging ---------------------------------------------------------------------------------------------------------


def _profile(request: RootRequest) -> Profile:
    try:
        return Profile(
            environment=request.environment,
            arc=request.arc,
            base_url=request.base_url,
            name=request.name,
            organisation=request.organisation,
        )
    except TrialCpaError as error:
        raise RootRequestRefused(detail=str(error)) from error


def _root(request: RootRequest, public_key: bytes, folder: RootFolder, profile: Profile) -> bytes:
    """Return the root's certificate, which is the one that was kept, and in any case one of the key at hand."""
    kept = folder.certificate()
    if kept is not None and kept != request.root:
        raise RootRequestRefused(detail="it is for another root than the one whose key lies here")
    try:
        own = issuer(request.root)
        serial = serial_in(request.root)
    except ValueError as error:
        raise RootRequestRefused(detail="the root's certificate in it cannot be read") from error
    if own.public_key != public_key or serial is None or not signed_by(request.root, request.root):
        raise RootRequestRefused(detail="the key at hand is not that of the root's certificate in it")
    meant = again(serial, own.parsed.tbs_certificate_bytes, public_key)
    cleared = clear_hierarchy(meant, HierarchyRole.ROOT, profile, None, at=own.not_before, stored=True)
    if not isinstance(cleared, Clearance):
        raise RootRequestRefused(detail="the root is not of the authority that it names")
    return request.root


def _wanted(request: RootRequest, wanted: WantedCertificate, profile: Profile, root: bytes) -> tuple[Draft, Clearance]:
    unsigned = write.signed(wanted.tbs, b"unsigned")
    serial, public_key = serial_in(unsigned), public_key_in(unsigned)
    if serial is None or public_key is None:
        raise RootRequestRefused(detail="what is to be signed is no certificate")
    if not signature_holds(public_key, possession_statement(wanted.tbs), wanted.proof):
        raise RootRequestRefused(detail="it does not prove that somebody has the key that is to be certified")
    above = issuer(root)
    if public_key == above.public_key or authority_key_id(unsigned) != above.key_identifier.hex():
        raise RootRequestRefused(detail="what is to be signed is not an issuing CA below this root")
    meant = again(serial, wanted.tbs, above.public_key)
    said = described(meant)
    # Its life begins with the day on which it was drafted, which is not after the day on which it is asked for.
    if said.not_before > request.at:
        raise RootRequestRefused(detail=f"it would begin at {text(said.not_before)}, after it was asked for")
    cleared = clear_hierarchy(meant, HierarchyRole.ISSUING, profile, root, at=said.not_before)
    if not isinstance(cleared, Clearance):
        raise RootRequestRefused(detail=" ".join(f"[{each.code}] {each.detail}" for each in cleared))
    return meant, cleared


def _list(request: RootRequest, root: bytes, folder: RootFolder) -> tuple[RootList | None, bytes | None]:
    """Return the list that is due, if one is, and the newest that there is."""
    known = [(der, _read(der, root)) for der in (request.newest_list, folder.newest_list()) if der is not None]
    newest, said = max(known, key=lambda each: each[1].number, default=(None, None))
    if said is not None and said.this_update > request.at:
        raise RootRequestRefused(detail=f"the newest list is dated {text(said.this_update)}, after the request")
    entries = _entries(request, [each for _, each in known])
    if said is not None and entries == said.entries and request.at < said.this_update + RENEWED_AFTER:
        return None, newest
    number = max(seconds(request.at), said.number + 1 if said is not None else 1)
    return root_list(root, number, entries, request.at), newest


def _read(der: bytes, root: bytes) -> Published:
    try:
        return read_published(der, root)
    except ValueError as error:
        raise RootRequestRefused(detail=f"a list of the root cannot be read: {error}") from error


def _entries(request: RootRequest, known: Sequence[Published]) -> tuple[Revoked, ...]:
    """Return every end that was ever listed, and those that are asked for; each serial has one for ever."""
    every: dict[str, Revoked] = {}
    for each in (*(entry for listed in known for entry in listed.entries), *request.ended):
        if every.setdefault(each.serial, each) != each:
            raise RootRequestRefused(detail=f"it gives certificate {each.serial} another end than the list has")
        if each.at > request.at:
            raise RootRequestRefused(detail=f"certificate {each.serial} would end at {text(each.at)}, in the future")
    return tuple(every[serial] for serial in sorted(every))


# --- showing ---------------------------------------------------------------------------------------------------------


def _of_authority(request: RootRequest, root: bytes) -> Iterator[tuple[str, str]]:
    yield "Authority", f"{request.name} ({request.environment}), {request.organisation}"
    yield "Asked", text(request.at)
    yield "Root", f"SHA-256 {hashlib.sha256(root).hexdigest()}"
    yield "Request", f"SHA-256 {request.digest()}"


def _of_certificate(request: RootRequest, wanted: tuple[Draft, Clearance] | None) -> Iterator[tuple[str, str]]:
    if wanted is None:
        return
    said = described(wanted[0])
    yield "To be signed", f"a certificate for {said.subject}"
    yield "  serial", wanted[0].serial
    yield "  key", f"{said.key_id}, SHA-256 {said.public_key_sha256}; whoever asks has it"
    yield "  valid", f"{text(said.not_before)} to {text(said.not_after)}"
    yield "  may", f"issue Trial CPA Certificates of the {request.environment} policy, and no further CA"
    yield "  bytes", f"SHA-256 {wanted[0].digest.hex()}"


def _of_list(made: RootList | None) -> Iterator[tuple[str, str]]:
    if made is None:
        return
    yield "To be signed", f"the root's list {made.order.number}"
    yield "  valid", f"{text(made.order.this_update)} to {text(made.order.next_update)}"
    for each in made.entries:
        yield "  ends", f"issuing CA {each.serial} at {text(each.at)}: {each.reason.name}"
    if not made.entries:
        yield "  ends", "no issuing CA"
