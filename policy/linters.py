"""The linter's own objects: four of pkilint's linters, put together as its commands put them together.

Imported late, by policy/pkix.py only: loading its ASN.1 modules takes a while.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Protocol

from pkilint import document, loader, pkix, validation
from pkilint.pkix import algorithm, extension, key, name
from pkilint.pkix import certificate as certificates
from pkilint.pkix import crl as crls
from pkilint.pkix import ocsp as ocsps
from pkilint.pkix.certificate import certificate_extension, certificate_key
from pyasn1_alt_modules import rfc5280


class _Severity(Protocol):
    name: str


class _Code(Protocol):
    severity: _Severity
    code: str


class _Description(Protocol):
    finding: _Code
    message: str | None


class _Node(Protocol):
    path: str


class Result(Protocol):
    """What one validator of pkilint says about one node of a document."""

    node: _Node
    finding_descriptions: Sequence[_Description]


class _Validator(Protocol):
    def validate(self, node: object) -> Iterable[Result]: ...


def certificate(der: bytes) -> Iterable[Result]:
    """Lint a certificate, as lint_pkix_cert does."""
    return _certificate_validator().validate(loader.load_der_certificate(der).root)


def chain(issuer: bytes, subject: bytes, *, signed: bool) -> Iterable[Result]:
    """Lint an issuer and what it issued, as lint_pkix_signer_signee_cert_chain does; the signature only if `signed`."""
    decoders, of_issuer, of_signature = _chain_validators()
    documents: dict[str, document.Document] = {}
    for label, der in (("issuer", issuer), ("subject", subject)):
        documents[label] = loader.load_der_certificate(der, label, None, documents)
    above, below = documents["issuer"].root, documents["subject"].root
    yield from decoders.validate(above)
    yield from decoders.validate(below)
    yield from of_issuer.validate(above)
    if signed:
        yield from of_signature.validate(below)


def crl(der: bytes) -> Iterable[Result]:
    """Lint a CRL, as lint_crl -t CRL -p PKIX does."""
    return _crl_validator().validate(loader.load_der_crl(der).root)


def ocsp(der: bytes) -> Iterable[Result]:
    """Lint an OCSP response, as lint_ocsp_response does."""
    return _ocsp_validator().validate(loader.load_der_ocsp_response(der).root)


@cache
def _certificate_validator() -> _Validator:
    validator: _Validator = certificates.create_pkix_certificate_validator_container(
        certificates.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificates.create_issuer_validator_container([]),
            certificates.create_validity_validator_container(),
            certificates.create_subject_validator_container([]),
            certificates.create_extensions_validator_container([]),
            certificates.create_spki_validator_container([]),
        ],
    )
    return validator


@cache
def _chain_validators() -> tuple[_Validator, _Validator, _Validator]:
    decoders = validation.ValidatorContainer(
        validators=[
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
            pkix.create_signature_algorithm_identifier_decoder(
                algorithm.SIGNATURE_ALGORITHM_IDENTIFIER_MAPPINGS, path="certificate.tbsCertificate.signature"
            ),
            certificates.create_spki_decoder(
                key.SUBJECT_PUBLIC_KEY_ALGORITHM_IDENTIFIER_MAPPINGS,
                key.SUBJECT_KEY_PARAMETER_ALGORITHM_IDENTIFIER_MAPPINGS,
            ),
        ],
        path="certificate",
    )

    def authority_key_identifier(node: object) -> object:
        subject = document.get_document_by_name(node, "subject")
        return subject.get_extension_by_oid(rfc5280.id_ce_authorityKeyIdentifier)

    of_issuer = validation.ValidatorContainer(
        validators=[
            name.IssuerSubjectNameBinaryEqualValidator(
                path="certificate.tbsCertificate.subject",
                subject_document_issuer_dn_path="subject:certificate.tbsCertificate.issuer",
            ),
            extension.IssuerSubjectKeyIdentifierBinaryEqualValidator(
                subject_auth_key_id_retriever=authority_key_identifier
            ),
            certificate_extension.IssuerSubjectPolicyChainValidator(),
        ]
    )
    of_signature = validation.ValidatorContainer(
        validators=[
            certificate_key.SubjectSignatureVerificationValidator(
                tbs_node_retriever=lambda node: node.navigate("^.tbsCertificate"), path="certificate.signature"
            )
        ]
    )
    return decoders, of_issuer, of_signature


@cache
def _crl_validator() -> _Validator:
    validator: _Validator = crls.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crls.create_issuer_validator_container([]),
            crls.create_validity_validator_container([]),
            crls.create_extensions_validator_container([]),
        ],
    )
    return validator


@cache
def _ocsp_validator() -> _Validator:
    validator: _Validator = ocsps.create_pkix_ocsp_response_validator_container(
        [
            ocsps.create_response_decoder(),
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [],
    )
    return validator
