"""The way to the service: an API key goes nowhere but there, an act is done once, and every failure is a sentence."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.client import ANSWER_LIMIT, ATTEMPTS, Client, path, require_safe
from core.errors import InputUnusable, ServiceAddressUnsafe, ServiceAnswerMalformed, ServiceRefused, ServiceUnreachable
from tests.mail_world import certificate
from tests.people_world import trialcpa

Answer = tuple[int, dict[str, str], bytes]
HANG_UP: Answer = (0, {}, b"")


@contextmanager
def listener(
    answers: Callable[[int], Answer], tls: tuple[Path, Path] | None = None
) -> Iterator[tuple[str, list[tuple[str, str, str | None, bytes]]]]:
    """A real listener that answers the n-th request (from 1) as it is told, and keeps what came."""
    came: list[tuple[str, str, str | None, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            came.append((self.command, self.path, self.headers.get("Idempotency-Key"), body))
            assert self.headers["Authorization"] == "Bearer tcpa_key"
            status, headers, sent = answers(len(came))
            if not status:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PATCH = answer  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}", came
        server.shutdown()
        thread.join()


def as_json(status: int, document: object, **headers: str) -> Answer:
    kind = "application/json" if status < 400 else "application/problem+json"
    return status, {"Content-Type": kind, **headers}, json.dumps(document).encode()


def client(url: str, waits: list[float] | None = None) -> Client:
    return Client(url, "tcpa_key", sleep=(waits if waits is not None else []).append)


# --- once --------------------------------------------------------------------------------------------------------


def test_an_act_whose_answer_got_lost_is_asked_for_again_under_the_same_key() -> None:
    with (
        listener(lambda n: HANG_UP if n < ATTEMPTS else as_json(201, {"done": True})) as (url, came),
        client(url) as asked,
    ):
        assert asked.do(dict, "/v1/decisions", {"kind": "grant"}) == {"done": True}
        first = {each[2] for each in came}
        assert len(came) == ATTEMPTS
        assert len(first) == 1
        assert first != {None}
        assert {each[3] for each in came} == {b'{"kind": "grant"}'}
        asked.do(dict, "/v1/decisions", {"kind": "grant"})
        assert came[-1][2] not in first  # another act has another key


def test_what_does_not_answer_is_told_after_some_attempts() -> None:
    waits: list[float] = []
    with (
        listener(lambda _: HANG_UP) as (url, came),
        client(url, waits) as asked,
        pytest.raises(ServiceUnreachable, match=r"does not answer: (RemoteProtocolError|ReadError)"),
    ):
        asked.show(dict, "/v1/tasks")
    assert (len(came), len(waits)) == (ATTEMPTS, ATTEMPTS - 1)
    with client(url, waits) as asked, pytest.raises(ServiceUnreachable, match="nobody listens there"):
        asked.show(dict, "/v1/tasks")


def test_a_tls_certificate_is_believed_of_whom_is_named_and_of_nobody_else(tmp_path: Path) -> None:
    chain, private = certificate(tmp_path)
    with listener(lambda _: as_json(200, {"tasks": []}), (chain, private)) as (url, came):
        with client(url) as asked, pytest.raises(ServiceUnreachable, match=r"is not trusted .*TRIALCPA_CA_FILE names"):
            asked.show(dict, "/v1/tasks")
        assert came == []
        with Client(url, "tcpa_key", ca_file=chain) as asked:
            assert asked.show(dict, "/v1/tasks") == {"tasks": []}
        with client(url.replace("https", "http")) as asked, pytest.raises(ServiceUnreachable):
            asked.show(dict, "/v1/tasks")
    for unusable in (private, tmp_path / "none.pem"):
        with pytest.raises(InputUnusable, match="names no PEM"):
            Client("https://127.0.0.1:9", "tcpa_key", ca_file=unusable)


@pytest.mark.parametrize(("header", "wait"), [("2", 2.0), ("3600", 5.0), ("soon", 0.5), ("-1", 0.5), ("٣", 0.5)])
def test_a_service_that_is_busy_is_given_the_time_that_it_asks_for_within_reason(header: str, wait: float) -> None:
    waits: list[float] = []
    busy = {"code": "store-unavailable", "detail": "The register is busy.", "hint": "Try again."}
    sent = header if header.isascii() else header.encode().decode("latin-1")
    answers = [as_json(503, busy, **{"Retry-After": sent}), as_json(200, {"tasks": []})]
    with listener(lambda n: answers[n - 1]) as (url, _), client(url, waits) as asked:
        assert asked.show(dict, "/v1/tasks") == {"tasks": []}
    assert waits == [wait]


def test_a_refusal_is_not_asked_for_again_and_keeps_its_words_findings_and_code() -> None:
    finding = {"detail": "It is too late.", "remedy": "Be early.", "clause": "F2.21(c)", "code": "late"}
    problem = {"code": "rules-refused", "detail": "A rule\x1b[2J says no.", "hint": "Mend it.", "findings": [finding]}
    with (
        listener(lambda _: as_json(422, problem)) as (url, came),
        client(url) as asked,
        pytest.raises(ServiceRefused) as caught,
    ):
        asked.do(dict, "/v1/decisions", {})
    assert len(came) == 1
    assert str(caught.value) == "A rule\ufffd[2J says no.\n  - It is too late. Be early. (F2.21(c), late)"
    assert (caught.value.hint, caught.value.fields["problem"], caught.value.fields["status"]) == (
        "Mend it.",
        "rules-refused",
        422,
    )


# --- whatever answers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b"<html>"),
        (200, {}, b"[]"),
        (200, {}, b"[" * 100_000),
        (200, {}, b'"\xff"'),
        (200, {}, b""),
    ],
)
def test_an_answer_that_is_no_document_is_told(answer: Answer) -> None:
    with (
        listener(lambda _: answer) as (url, _),
        client(url) as asked,
        pytest.raises(ServiceAnswerMalformed, match="not JSON as dict is described"),
    ):
        asked.show(dict, "/v1/tasks")


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"[1]", b'{"code": 5, "detail": null, "findings": 3}'])
def test_a_refusal_without_words_is_told_with_its_status(body: bytes) -> None:
    with (
        listener(lambda _: (418, {}, body)) as (url, _),
        client(url) as asked,
        pytest.raises(ServiceRefused, match="did not say why") as caught,
    ):
        asked.show(dict, "/v1/tasks")
    assert caught.value.fields["problem"] == "http-418"


def test_the_key_follows_no_redirect() -> None:
    with listener(lambda _: as_json(200, {})) as (other, elsewhere):
        away = (302, {"Location": f"{other}/v1/tasks"}, b"")
        with listener(lambda _: away) as (url, _), client(url) as asked, pytest.raises(ServiceRefused):
            asked.show(dict, "/v1/tasks")
        assert elsewhere == []


def test_an_answer_without_end_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ANSWER_LIMIT == 256 * 1024 * 1024
    monkeypatch.setattr("app.client.ANSWER_LIMIT", 1000)
    for size, ends in ((990, False), (1001, True)):
        body = json.dumps({"x": "y" * (size - 9)}).encode()
        assert len(body) == size
        with listener(lambda _, body=body: (200, {}, body)) as (url, _), client(url) as asked:  # type: ignore[misc]
            if ends:
                with pytest.raises(ServiceAnswerMalformed, match="larger than"):
                    asked.show(dict, "/v1/tasks")
            else:
                asked.show(dict, "/v1/tasks")


@dataclass(frozen=True)
class Numbers:
    rows: list[dict[str, int]]
    next: str | None


def test_a_list_is_read_page_after_page() -> None:
    pages = [{"rows": [{"n": 1}], "next": "a b"}, {"rows": [{"n": 2}], "next": None}]
    with listener(lambda n: as_json(200, pages[n - 1])) as (url, came), client(url) as asked:
        assert [each["n"] for page in asked.pages(Numbers, "/v1/rows", state=None) for each in page.rows] == [1, 2]
    assert [each[1] for each in came] == ["/v1/rows?limit=100", "/v1/rows?limit=100&after=a+b"]


@pytest.mark.parametrize("proposed", ['"../../x.pdf"', '".bashrc"', "x.pdf", '"a b.pdf"', '"-rf"', '""'])
def test_a_file_name_that_could_do_harm_is_not_believed(proposed: str) -> None:
    said = {"Content-Disposition": f"attachment; filename={proposed}"}
    with listener(lambda _: (200, said, b"x")) as (url, _), client(url) as asked:
        assert asked.fetch("/v1/evidence/x", "*/*").name is None


# --- where the key goes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://trial-cpa.example", "http://10.0.0.1", "http://127.0.0.1.example", "http://localhost.example:8470",
        "ftp://127.0.0.1", "127.0.0.1:8470", "", "https://", "https://user:pass@h.example", "https://h.example?x=1",
        "http://[::1", "http://0.0.0.0",
    ],
)  # fmt: skip
def test_a_key_is_sent_nowhere_where_others_can_read_it(url: str) -> None:
    with pytest.raises(ServiceAddressUnsafe):
        require_safe(url)


@pytest.mark.parametrize(
    "url", ["https://trial-cpa.example", "http://127.0.0.1:8470", "http://localhost:1", "http://[::1]:8470"]
)
def test_a_key_is_sent_by_https_or_on_this_machine(url: str) -> None:
    require_safe(url)


@pytest.mark.parametrize(
    ("text", "mode", "told"),
    [
        ("tcpa_key\n", 0o644, "mode 0644 lets others at it; make it 0600"),
        ("tcpa_key\n", 0o640, "mode 0640 lets others at it"),
        ("", 0o600, "does not hold one key and nothing else"),
        ("one\ntwo\n", 0o600, "does not hold one key and nothing else"),
        ("two words\n", 0o600, "does not hold one key and nothing else"),
        ("schlüssel\n", 0o600, "does not hold one key and nothing else"),
        ("x" * 2000, 0o600, "it is larger than 1024 octets"),
    ],
)
def test_a_key_that_is_not_kept_as_it_must_be_is_not_used(tmp_path: Path, text: str, mode: int, told: str) -> None:
    file = tmp_path / "my.key"
    file.write_text(text)
    file.chmod(mode)
    said = trialcpa("status", "--key-file", str(file), "--url", "http://127.0.0.1:1")
    assert said.status == 1
    assert told in said.words
    assert said.err.rstrip().endswith("[api-key-unusable]")
    assert "tcpa_key" not in said.words


def test_where_and_who_can_come_from_the_environment_and_a_missing_key_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRIALCPA_KEY_FILE", raising=False)
    said = trialcpa("status")
    assert (said.status, "no file is named that holds it" in said.words) == (1, True)
    assert "TRIALCPA_KEY_FILE" in said.err
    file = tmp_path / "my.key"
    file.write_text("tcpa_key\n")
    file.chmod(0o600)
    party = {"party": "ssc", "as_of": "2027-01-04T00:00:00Z", "truncated": False}
    empty: dict[str, object] = {"tasks": [], "applications": [], "approvals": [], "next": None, **party}
    with listener(lambda _: as_json(200, empty)) as (url, came):
        monkeypatch.setenv("TRIALCPA_URL", url)
        monkeypatch.setenv("TRIALCPA_KEY_FILE", str(file))
        said = trialcpa("status")
    assert (said.status, said.err) == (0, "")
    assert [each[1].partition("?")[0] for each in came] == ["/v1/tasks", "/v1/applications", "/v1/approvals"]


def test_what_a_person_types_is_no_address() -> None:
    assert path("applications", "../../v1/x?y#z", "evidence") == "/v1/applications/..%2F..%2Fv1%2Fx%3Fy%23z/evidence"
