"""A client that a stock generator makes of /openapi.json can call everything, files and alternatives too."""

import asyncio
import importlib
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate, ocsp

from core.actors import Actor
from core.kinds import HierarchyRole
from store.reading.approvals import certificate_der
from store.reading.authority import certificates
from tests.api_world import PEOPLE, application
from tests.deployments_world import csv_of, deployed, eui
from tests.evidence_world import PDF
from tests.front_world import Listening
from tests.served_world import Web
from tests.signing import sign_for_proposed, with_authorisation
from tests.world import World, csr_pem

pytestmark = pytest.mark.long

_CONFIG: dict[str, list[str]] = {"post_hooks": []}
"""It would have its own formatter tidy up; nobody reads this."""


@dataclass
class Generated:
    """The client, made of what the running service says of itself.

    Args:
        web: the service.
        front: where it listens.
        name: of the package.
        told: what the generator said.
        approval: one that was granted through it.
    """

    web: Web
    front: Listening
    name: str
    told: str
    approval: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.front.port}"

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self.name}.{name}")

    def model(self, name: str) -> Any:
        return getattr(self.module("models"), name)

    def operations(self) -> dict[str, Any]:
        """The functions that were made, by operation: `attachEvidence` is `attach_evidence`."""
        folder = Path(str(self.module("api").__file__)).parent
        made = (each for each in folder.glob("*/*.py") if each.stem != "__init__")
        return {each.stem: self.module(f"api.{each.parent.name}.{each.stem}") for each in made}

    def asked(self, who: str | None, operation: str, *where: str, status: int = 200, **given: Any) -> Any:
        """Call an operation as somebody; return the answer as the client has it."""
        clients = self.module("client")
        if who is None:
            made = clients.Client(base_url=self.url)
        else:
            made = clients.AuthenticatedClient(base_url=self.url, token=self.web.api.keys[who])
        with made as client:
            answer = self.operations()[operation].sync_detailed(*where, client=client, **given)
        assert answer.status_code == status, answer.content
        return answer

    def call(self, who: str | None, operation: str, *where: str, status: int = 200, **given: Any) -> Any:
        """Call an operation as somebody; return what it says."""
        return self.asked(who, operation, *where, status=status, **given).parsed

    def octets(self, who: str | None, operation: str, *where: str, **given: Any) -> bytes:
        """Call an operation as somebody; return the octets of its answer."""
        return bytes(self.asked(who, operation, *where, **given).content)

    def file(self, octets: bytes) -> Any:
        return self.module("types").File(payload=io.BytesIO(octets))


@pytest.fixture(scope="module")
def generated(
    store_copy: Callable[[str], str], keys_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Generated]:
    world = World(store_copy("sqlite"), keys_folder)
    web = Web(world)
    folder = tmp_path_factory.mktemp("generated")
    name = "client_of_the_authority"
    (folder / "openapi.json").write_text(json.dumps(web.described), "utf-8")
    (folder / "config.json").write_text(json.dumps(_CONFIG), "utf-8")
    words = f"generate --path openapi.json --config config.json --meta none --output-path {name}"
    made = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", *words.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    sys.path.insert(0, str(folder))
    try:
        with web.listening() as front:
            whole = Generated(web, front, name, made.stdout + made.stderr)
            whole.approval = grant(whole)
            yield whole
    finally:
        sys.path.remove(str(folder))
        world.close()


def test_every_operation_is_generated_with_what_it_takes(generated: Generated) -> None:
    described = [said for item in generated.web.described["paths"].values() for said in item.values()]
    assert "will not be generated" not in generated.told
    assert len(generated.operations()) == len(described)
    for each in described:
        if "requestBody" in each:
            name = "".join(f"_{one.lower()}" if one.isupper() else one for one in each["operationId"])
            body = generated.operations()[name].sync_detailed.__annotations__["body"]
            assert body is not Any, (each["operationId"], body)


def test_no_answer_is_made_of_what_it_is_not(generated: Generated) -> None:
    """What is text is described as text: octets that are made of it would be refused by Python itself."""
    folder = Path(str(generated.module("api").__file__)).parent
    made = {each.name: each.read_text("utf-8") for each in folder.glob("*/*.py")}
    assert len(made) > 80
    assert [name for name, text in made.items() if "BytesIO(response.text)" in text] == []
    assert generated.call(None, "alive") == "alive\n"


def test_files_are_sent_and_come_back_as_they_were(generated: Generated) -> None:
    form = generated.model("ApplicationBody").from_dict(application(csr=csr_pem().decode()))
    taken = generated.call("manufacturer", "apply", body=form, status=201)
    kept = generated.call(
        "manufacturer",
        "attach_evidence",
        taken.application,
        name="report.pdf",
        body=generated.file(PDF),
        idempotency_key="one",
        status=201,
    )
    assert (kept.media_type, kept.size) == ("application/pdf", len(PDF))
    assert generated.octets("officer-1", "fetch_evidence", kept.evidence) == PDF
    month = generated.web.world.clock.now().strftime("%Y-%m")
    generated.call("dcc", "attach_to_report", month, name="a.pdf", body=generated.file(PDF), status=201)


def test_whoever_may_send_json_or_a_file_can_send_both(generated: Generated) -> None:
    approval = generated.approval
    generated.web.world.at(generated.web.world.record(approval).start + timedelta(days=30))
    lines = generated.model("RecordDeploymentsJsonDeploymentLines").from_dict({"lines": [deployed(1, approval)]})
    assert generated.call("dcc", "record_deployments", body=lines).recorded == 1
    file = generated.file(csv_of([deployed(2, approval)]))
    assert generated.call("dcc", "record_deployments", body=file, dates="day-first").recorded == 1
    listed = generated.call("panel", "list_cpl_instructions")
    assert listed.instructions
    assert generated.call("dcc", "show_deployments", approval, device_id=eui(1)).approval == approval


def test_each_alternative_of_a_body_can_be_called(generated: Generated) -> None:
    approval = generated.approval
    device = application()["device"] | {"firmware_version": "0002012F"}
    shown = generated.call("dcc", "show_approval", approval)
    serial = shown.certificates[0].serial
    pem = generated.octets("dcc", "fetch_certificate_of_approval", approval).decode()
    leaf = pem.split("-----END")[0] + "-----END CERTIFICATE-----\n"
    for name, said in (
        ("Approval", {"approval": approval}),
        ("Serial", {"serial": serial, "device_id": eui(1)}),
        ("Certificate", {"certificate": leaf}),
        ("Device", {"device": device}),
    ):
        question = generated.model(f"AskBy{name}").from_dict(said)
        assert generated.call("dcc", "verify", body=question).approval == approval, name
    for kind, said in (
        ("Amend", {"kind": "amend", "approval": approval, "reasons": "Fewer.", "maximum_devices": 4}),
        ("Withdraw", {"kind": "withdraw", "approval": approval, "reasons": "They asked."}),
        ("Revoke", {"kind": "revoke", "approval": approval, "cause": "ssc", "reasons": "It has to be."}),
    ):
        body = generated.model(f"{kind}Body").from_dict(said)
        proposed = generated.call("officer-1", "propose_decision", body=body, status=201)
        assert proposed.kind == said["kind"]
        path = f"/v1/decisions/{proposed.decision}/rejection"
        rejection = signed(generated, "officer-1", path, {"why": "It was a trial."})
        generated.call(
            "officer-1",
            "reject_decision",
            proposed.decision,
            body=generated.model("RejectionBody").from_dict(rejection),
        )


def test_the_responder_is_asked_by_it(generated: Generated) -> None:
    world = generated.web.world
    leaf = world.record(generated.approval).certificates[0]
    with world.store.read() as tx:
        issuing = load_der_x509_certificate(certificates(tx, HierarchyRole.ISSUING)[0].der)
        certificate = load_der_x509_certificate(certificate_der(tx, leaf.serial)[1])
    request = (
        ocsp.OCSPRequestBuilder().add_certificate(certificate, issuing, SHA256()).build().public_bytes(Encoding.DER)
    )
    generated.web.api.settle()
    for operation, where in (("ocsp_post", ()), ("ocsp_post_below", ("below",))):
        said = ocsp.load_der_ocsp_response(generated.octets(None, operation, *where, body=generated.file(request)))
        assert said.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
        assert said.serial_number == certificate.serial_number


def test_it_can_wait_without_blocking(generated: Generated) -> None:
    async def waited() -> Any:
        clients = generated.module("client")
        made = clients.AuthenticatedClient(base_url=generated.url, token=generated.web.api.keys["dcc"])
        async with made as client:
            return await generated.operations()["list_tasks"].asyncio(client=client)

    assert asyncio.run(waited()).party == "dcc"


def signed(generated: Generated, who: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """A body with what an officer signs for it, as their tool makes it."""
    actor = Actor(who, *PEOPLE[who], None)
    return dict(with_authorisation(generated.web.world.desk, actor, "POST", path, body))


def grant(generated: Generated) -> str:
    """An approval that comes about through the generated client alone, but for what officers sign."""
    call, model = generated.call, generated.model
    taken = call("manufacturer", "apply", body=model("ApplicationBody").from_dict(application()), status=201)
    said = {"kind": "grant", "application": taken.application, "reasons": "It looks sound."}
    proposed = call("officer-1", "propose_decision", body=model("GrantBody").from_dict(said), status=201)
    own = sign_for_proposed(generated.web.world.desk, Actor("officer-1", *PEOPLE["officer-1"], None), proposed.decision)
    call("officer-1", "authorise_decision", proposed.decision, body=model("SignForBody").from_dict(own))
    generated.web.api.settle()
    shown = call("officer-2", "show_decision", proposed.decision)
    digests = {"proposal_sha256": shown.proposal_sha256, "tbs_sha256": shown.tbs_sha256}
    second = signed(generated, "officer-2", f"/v1/decisions/{proposed.decision}/second", digests)
    done = call("officer-2", "second_decision", proposed.decision, body=model("SecondBody").from_dict(second))
    generated.web.api.settle()
    return str(done.approval)
