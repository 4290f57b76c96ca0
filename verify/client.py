"""The client: asks the authority over HTTP what anyone may ask, and believes nothing of the form of its answers."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from core.approval import DEVICE_MEMBERS
from core.canonical import read_json
from core.errors import AuthorityAnswerMalformed, AuthorityRefused, AuthorityUnreachable
from core.identifiers import Serial
from core.instants import text
from core.mirror import HashName
from verify.kit.evidence.parsing import CRL_LIMIT
from verify.kit.evidence.statement import DeviceClaim

TIMEOUT = 10.0
"""Seconds for each of connecting, sending, and waiting for more of the answer."""

ANSWER_LIMIT = 1024 * 1024
"""Octets of an answer that is not a revocation list."""

BATCH_LIMIT = 64 * 1024 * 1024
"""Octets of the answers to a batch: 10,000 of 6,400, which is four times what one has."""

_PROBLEM_WORDS = 500
"""Characters of a problem document that are repeated to people."""

_HASHES: dict[HashName, hashes.SHA1 | hashes.SHA256] = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}  # noqa: S303 - RFC 6960 names CertIDs by SHA-1; nothing is signed with it


@dataclass(frozen=True)
class Exchange:
    """One question and its answer, for whoever keeps them as evidence.

    Args:
        method, path: what was asked for, below the base URL.
        request: the body that was sent.
        status: of HTTP.
        content_type: as answered.
        body: the answer.
    """

    method: str
    path: str
    request: bytes
    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Answer:
    """An answer in JSON.

    Args:
        body: as it came, for evidence.
        document: as it was read.
    """

    body: bytes
    document: Mapping[str, object]


class AuthorityClient:
    """One authority, asked by one relying party. A context manager: it holds connections open.

    Every method raises AuthorityUnreachable (no answer within the time), AuthorityRefused (a problem document) or
    AuthorityAnswerMalformed (an answer too large or of another form).

    Args:
        base_url: the authority's public base, `http://127.0.0.1:8470`.
        api_key: sent as a bearer credential with questions that need one; None asks public things only.
        transport: how bytes travel; None means the network. Proxies of the environment are not used.
        timeout: seconds.
        observer: told of every exchange; the credential is not part of it.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        timeout: float = TIMEOUT,
        observer: Callable[[Exchange], None] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._observer = observer
        # A redirect could carry the credential elsewhere, and nothing here is ever moved.
        self._http = httpx.Client(transport=transport, timeout=timeout, follow_redirects=False, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    # --- verification ---

    def verify_approval(self, approval: str, *, device_id: str | None = None, at: datetime | None = None) -> Answer:
        """Ask about an approval by its identifier; `device_id` asks about one unit, `at` about a past instant."""
        return self.verify({"approval": approval}, device_id=device_id, at=at)

    def verify_certificate(
        self, certificate: bytes, *, device_id: str | None = None, at: datetime | None = None
    ) -> Answer:
        """Ask about a certificate by its bytes, DER or PEM."""
        pem = certificate if b"-----BEGIN" in certificate else _pem(certificate)
        return self.verify({"certificate": pem.decode("ascii", "replace")}, device_id=device_id, at=at)

    def verify_serial(self, serial: Serial, *, device_id: str | None = None, at: datetime | None = None) -> Answer:
        """Ask about a certificate by its serial number."""
        return self.verify({"serial": serial}, device_id=device_id, at=at)

    def verify_device(self, device: DeviceClaim, *, device_id: str | None = None, at: datetime | None = None) -> Answer:
        """Ask about a device model with its firmware."""
        fields = {
            **{name: getattr(device, name) for name in DEVICE_MEMBERS},
            "firmware_version": device.firmware_version,
            "firmware_hash": device.image_digest,
        }
        return self.verify(
            {"device": {name: value for name, value in fields.items() if value is not None}},
            device_id=device_id,
            at=at,
        )

    def verify(
        self, question: Mapping[str, object], *, device_id: str | None = None, at: datetime | None = None
    ) -> Answer:
        """Ask `POST /v1/verify` what `question` says in the words of the contract."""
        body = dict(question)
        if device_id is not None:
            body["device_id"] = device_id
        if at is not None:
            body["at"] = text(at)
        return self._json("POST", "/v1/verify", json.dumps(body).encode("utf-8"))

    def verify_batch(self, questions: Sequence[Mapping[str, object]]) -> tuple[Mapping[str, object], ...]:
        """Ask `POST /v1/verify/batch` up to 10,000 questions at once.

        Returns:
            In their order, for each the answer, or the document of the problem with which it was refused: that has no
            `valid`, and is no yes.
        """
        path = "/v1/verify/batch"
        body = json.dumps({"questions": [dict(each) for each in questions]}).encode("utf-8")
        answers = self._json("POST", path, body, limit=BATCH_LIMIT).document.get("answers")
        if not isinstance(answers, list) or len(answers) != len(questions):
            raise AuthorityAnswerMalformed(url=self.base_url + path, detail="it has not one answer for each question")
        if not all(isinstance(each, dict) for each in answers):
            raise AuthorityAnswerMalformed(url=self.base_url + path, detail="an answer is not a JSON object")
        return tuple(answers)

    # --- fetching ---

    def authority(self) -> Answer:
        """Return how the authority describes itself: test or live, names, identifiers and addresses."""
        return self._json("GET", "/v1/authority")

    def root(self) -> bytes:
        """Return the root certificate, DER. Compare it with the one you trust: this one is only what they say."""
        return self._fetch("GET", "/ca/root.cer")

    def issuer(self, key_id: str) -> bytes:
        """Return a CA certificate by the hex of its subject key identifier, DER."""
        return self._fetch("GET", f"/ca/{quote(key_id, safe='')}.cer")

    def chain(self) -> bytes:
        """Return the CA certificates, issuing before root, as PEM."""
        return self._fetch("GET", "/ca/chain.pem")

    def crl(self, key_id: str, number: int | None = None) -> bytes:
        """Return the newest list of a CA, or the one of a number, DER."""
        name = quote(key_id, safe="")
        path = f"/crl/{name}.crl" if number is None else f"/crl/{name}/{number}.crl"
        return self._fetch("GET", path, limit=CRL_LIMIT)

    def certificate(self, approval: str, issue: int | None = None) -> bytes:
        """Return the certificate of an approval that holds now, or the one of an issue, with its chain, as PEM."""
        path = f"/v1/approvals/{quote(approval, safe='')}/certificate"
        path += "" if issue is None else f"?issue={issue}"
        return self._fetch("GET", path, accept="application/pem-certificate-chain", credential=True)

    def page(self, approval: str) -> bytes:
        """Return the approval's public status page, HTML."""
        return self._fetch("GET", f"/approvals/{quote(approval, safe='')}", accept="text/html")

    # --- OCSP ---

    def ocsp_post(self, certificate: x509.Certificate, issuer: x509.Certificate, hash_name: HashName) -> bytes:
        """Ask the responder by POST; return the whole OCSPResponse, which may also be a refusal."""
        request = ocsp_request(certificate, issuer, hash_name)
        return self._fetch("POST", "/ocsp", request, content_type="application/ocsp-request")

    def ocsp_get(self, certificate: x509.Certificate, issuer: x509.Certificate, hash_name: HashName) -> bytes:
        """Ask the responder by GET (RFC 6960, A.1); return the whole OCSPResponse."""
        request = base64.b64encode(ocsp_request(certificate, issuer, hash_name)).decode("ascii")
        return self._fetch("GET", f"/ocsp/{quote(request, safe='')}")

    # --- how ---

    def _json(self, method: str, path: str, body: bytes = b"", *, limit: int = ANSWER_LIMIT) -> Answer:
        received = self._fetch(
            method,
            path,
            body,
            content_type="application/json",
            accept="application/json",
            credential=True,
            limit=limit,
        )
        document = _object(received)
        if document is None:
            raise AuthorityAnswerMalformed(url=self.base_url + path, detail="it is not a JSON object")
        return Answer(received, document)

    def _fetch(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        content_type: str | None = None,
        accept: str = "*/*",
        credential: bool = False,
        limit: int = ANSWER_LIMIT,
    ) -> bytes:
        headers = {"Accept": accept}
        if body and content_type:
            headers["Content-Type"] = content_type
        if credential and self._api_key is not None:
            headers["Authorization"] = f"Bearer {self._api_key}"
        url = self.base_url + path
        try:
            with self._http.stream(method, url, content=body, headers=headers) as response:
                received = bytearray()
                for piece in response.iter_bytes():
                    received += piece
                    if len(received) > limit:
                        raise AuthorityAnswerMalformed(url=url, detail=f"it is larger than {limit} octets")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError) as error:
            raise AuthorityUnreachable(url=url, detail=type(error).__name__) from error
        answered = bytes(received)
        if self._observer is not None:
            kind = response.headers.get("Content-Type", "")
            self._observer(
                Exchange(
                    method=method,
                    path=path,
                    request=body,
                    status=response.status_code,
                    content_type=kind,
                    body=answered,
                )
            )
        if response.status_code != httpx.codes.OK:
            raise _refused(response.status_code, answered)
        return answered


def ocsp_request(certificate: x509.Certificate, issuer: x509.Certificate, hash_name: HashName) -> bytes:
    """Return an OCSPRequest for one certificate, DER, without a nonce: answers are signed ahead."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, _HASHES[hash_name])
    return builder.build().public_bytes(Encoding.DER)


def _refused(status: int, body: bytes) -> AuthorityRefused:
    document = _object(body) or {}
    problem, detail = document.get("code"), document.get("detail")
    return AuthorityRefused(
        status=status,
        problem=problem[:_PROBLEM_WORDS] if isinstance(problem, str) else "no-code",
        detail=detail[:_PROBLEM_WORDS] if isinstance(detail, str) else "It did not say why.",
    )


def _object(body: bytes) -> Mapping[str, object] | None:
    try:
        document = read_json(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _pem(der: bytes) -> bytes:
    lines = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"-----END CERTIFICATE-----\n"
