"""README.txt of the album: how to check what it holds with nothing but openssl and GnuTLS."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from core.instants import seconds, text
from story.album import Album

_HEAD = """\
The life of a Trial CPA Certificate, as trialcpa story played it: every object and every exchange over HTTP, numbered in
the order they came. *.cer, *.crl and *.der are DER; *.json holds requests and replies, without the API keys. The first
certificate was revoked, the second one expired in an authority of its own with a test clock; so each moment below says
at which instant the tools are to look. All of it is in UTC.
"""


def write(album: Album) -> None:
    """Write README.txt with commands that name the files of this album."""
    names = [each.path.name for each in album.kept]
    leaves = [place for place, name in enumerate(names) if name.endswith("-certificate.pem")]
    parts = [_HEAD]
    for begin, end in pairwise([*leaves, len(names)]):  # none where no certificate came
        parts += _certificate(names[begin:end], album.moments)
    parts += _agreed(names)
    parts.append(_linters(names))
    album.readme("\n".join(parts))


def _certificate(names: Sequence[str], moments: Mapping[str, datetime]) -> list[str]:
    leaf, issuing, root, chain = (
        _first(names, suffix) for suffix in ("-certificate.pem", "-issuing-ca.pem", "-root.pem", "-chain.pem")
    )
    parts = [f"THE CERTIFICATE\n  openssl x509 -text -noout -in {leaf}\n"]
    for lists in [name for name in names if name.endswith("-lists.pem")]:
        moment = lists.removesuffix("-lists.pem")[3:]
        at = moments[moment]
        answer = _first(names, f"-{moment}-ocsp-sha256.der")
        then = f"TZ=UTC faketime -f '{at:%Y-%m-%d %H:%M:%S}' \\\n   "
        parts.append(
            f"{moment.upper()}, at {text(at)}\n"
            f"  openssl crl -text -noout -in {lists}\n"
            f"  openssl verify -x509_strict -crl_check_all -attime {seconds(at)} \\\n"
            f"    -CAfile {root} -untrusted {issuing} -CRLfile {lists} {leaf}\n"
            f"  {then} certtool --verify --load-ca-certificate {root} --load-crl {lists} --infile {chain}\n"
            f"  {then} openssl ocsp -sha256 -issuer {issuing} -cert {leaf} -CAfile {root} \\\n"
            f"    -respin {answer} -resp_text\n"
            f"  {then} ocsptool --verify-response --load-trust {issuing} --load-response {answer}\n"
        )
    return parts


def _agreed(names: Sequence[str]) -> list[str]:
    if not any(name.endswith("-dossier.zip") for name in names):
        return []
    dossier, root = _first(names, "-dossier.zip"), _first(names, "-root.pem")
    proof = f"trialcpa-verify decision {dossier} --root {root} --transcript ../ceremony/transcript.txt"
    return [f"WHO AGREED to the first one, from here\n  {proof}\n"]


def _linters(names: Sequence[str]) -> str:
    leaf, issuing = _first(names, "-certificate.cer"), _first(names, "-issuing-ca.cer")
    return (
        "THE LINTERS OF PKILINT, for any object of its kind\n"
        f"  lint_pkix_cert lint -s WARNING {leaf}\n"
        f"  lint_pkix_signer_signee_cert_chain lint -s WARNING {issuing} {leaf}\n"
        f"  lint_crl lint -t CRL -p PKIX -s WARNING {_first(names, '-list.crl')}\n"
        f"  lint_ocsp_response lint -s WARNING {_first(names, '-ocsp-sha256.der')}\n"
    )


def _first(names: Sequence[str], suffix: str) -> str:
    return next((name for name in names if name.endswith(suffix)), "")
