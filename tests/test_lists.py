"""No list is cut without a word: what has a bound on its length says `truncated`, and how it goes on."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ra.reporting.breach import suspect_limit
from store.reading.reports import IssuedReport
from store.verbs import reports
from tests.api_world import Api, done
from tests.world import DCC, NOW, World

WHOLE = {
    "listCalendarAddresses": "one person's own, made one by one: at most twenty answer (adr 22)",
    "listEvidence": "MOST_FILES of a subject at most (ra/applying/evidence.py)",
    "listBreachEvidence": "as listEvidence",
    "listSuspicionEvidence": "as listEvidence",
    "listReportAttachments": "as listEvidence",
    "listAmendmentEvidence": "as listEvidence",
    "listRequirements": "all that the SSC set",
    "listStandingRequirements": "all that the SSC set",
    "listReportQuestions": "all that the SSC asked",
    "listAmendmentRequests": "all of one approval",
    "listReceipts": "one of each act that ended an approval or a certificate of it: an officer's each",
    "listConditions": "all that the SSC set",
    "listInterests": "MOST_INTERESTS of one application at most (ra/committee/interests.py)",
    "listComments": "MOST_COMMENTS on one application at most (ra/committee/comments.py)",
    "listAuthorisations": "one of each officer who agreed to one decision",
}
"""Lists that are always shown whole, and why they are no longer than somebody reads."""


BESIDE = {"heads"}
"""What stands beside the rows of a page and belongs to them: signed heads of the journal."""


@pytest.fixture(scope="module")
def shared(store_copy: Callable[[str], str], keys_folder: Any) -> Iterator[Api]:
    world = World(store_copy("sqlite"), keys_folder)
    api = Api(world)
    device = {"type": "ESME", "manufacturer": "AB01", "hardware_version": "01"}
    granted = [api.granted(device={**device, "model": model}) for model in ("010A030B", "010A030C")]
    for why in ("The list is wrong.", "So is the next."):
        done(api.ask("officer-1", "POST", "/v1/orders", {"kind": "stop-issuing", "why": why}), 201)
    for notices in ("first@acme.example", "second@acme.example"):
        done(api.ask("manufacturer", "POST", "/v1/contacts", {"notices": notices}), 201)
    for name in ("SSC 34", "SSC 35"):
        done(api.ask("officer-1", "POST", "/v1/meetings", {"name": name, "held_on": "2027-02-03"}), 201)
    for approval in granted:
        done(api.ask("manufacturer", "POST", f"/v1/approvals/{approval}/end-requests", {"reasons": "It is over."}), 201)
    suspected = []
    with world.store.begin("furnish") as tx:
        for number, approval in enumerate(granted):
            suspected.append(suspect_limit(tx, approval, deployed=501, maximum=500, actor=DCC, at=NOW))
            issued = IssuedReport(
                month=f"2027-0{number + 1}",
                since=None,
                until=NOW.replace(month=number + 2),
                document="{}",
                document_sha256="0" * 64,
                issued_at=NOW,
                issued_by="dcc",
            )
            reports.issue(tx, issued)
    for breach in suspected:
        done(api.ask("officer-1", "POST", f"/v1/breaches/{breach}/telling", {"text": "There may be too many."}))
    yield api
    world.close()


LOGS = {
    "/v1/feed": "what comes behind the last row is asked for with its number; the checkpoint says how many there are"
}


def _described(api: Api) -> dict[str, tuple[str, set[str], dict[str, Any]]]:
    """By operation: where it is asked, which queries it takes, and the members of its answer."""
    document = done(api.ask(None, "GET", "/openapi.json"))
    schemas = document["components"]["schemas"]
    found = {}
    for path, methods in document["paths"].items():
        asked = methods.get("get")
        answered = None if asked is None else asked["responses"]["200"].get("content", {}).get("application/json")
        if answered is not None and path not in LOGS:
            schema = schemas[answered["schema"]["$ref"].rpartition("/")[2]]
            queries = {each["name"] for each in asked.get("parameters", []) if each["in"] == "query"}
            found[asked["operationId"]] = (path, queries, schema["properties"])
    return found


def test_every_list_says_whether_it_was_cut_or_is_never_cut(shared: Api) -> None:
    listing, silent = set(), set()
    for operation, (_, queries, members) in _described(shared).items():
        is_list = operation.startswith("list") or "limit" in queries
        assert is_list or "truncated" not in members, operation
        if is_list:
            listing.add(operation)
            assert any(each.get("type") == "array" for each in members.values()), operation
            assert ("limit" in queries) == ("next" in members), operation
            if "truncated" not in members:
                silent.add(operation)
    assert len(listing) > len(WHOLE)
    assert silent == set(WHOLE)


def test_every_page_says_whether_another_follows_and_none_follows_the_last(shared: Api) -> None:
    paged = {operation: found for operation, found in _described(shared).items() if "limit" in found[1]}
    assert len(paged) >= 10
    approval = done(shared.ask("auditor", "GET", "/v1/approvals"))["approvals"][0]["approval"]
    for operation, (path, _, members) in paged.items():
        (rows,) = (name for name, each in members.items() if each.get("type") == "array" and name not in BESIDE)
        address = path.format(approval=approval)
        every = done(shared.ask("auditor", "GET", f"{address}?limit=200"))
        assert (every["next"], every["truncated"]) == (None, False), operation
        assert len(every[rows]) >= (1 if "{" in path else 2), operation
        seen: list[Any] = []
        after: str | None = ""
        while after is not None:
            page = done(shared.ask("auditor", "GET", f"{address}?limit=1&after={after}"))
            assert page["truncated"] is (page["next"] is not None), operation
            assert page[rows], operation  # no page that shows nothing
            seen += page[rows]
            after = page["next"]
        assert seen == every[rows], operation
