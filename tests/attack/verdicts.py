"""What `trialcpa audit verify` says of each register that an attack leaves: the row that is named, or why none is.

Each test here whose register is forged is looked at by the audit whenever the authority is about to work on what was
forged, and at its end (`before` in conftest.py); an attack without a verdict fails.
"""

import hashlib
from dataclasses import dataclass, field

import pytest

from tests.attack.forging import Scene
from tests.audit_world import audited, exported
from tests.world import World, keyring
from verify.audited import Pinned

FORGED = {
    "the dates of a draft": "drafts",
    "a seconder's name": "decisions {decision}",
    "a seconder whom nobody knows": "decisions {decision}",
    "with a row of secondings": "secondings {decision} officer-2",
    "the seconding's fact is lost": "decisions {decision}",
    "a decision of two officers": "decisions dec-",
    "a decision of two inventions": "decisions dec-",
    "a responder without bytes": "authority_certificates F",
    "a responder with another's bytes": "authority_certificates F",
    "ends are undone": "certificates {ended_serial}",
    "ends are moved": "certificates {ended_serial}",
    "ends get another reason": "certificates {ended_serial}",
    "ends and lists are undone": "crls",
    "the column asks for two": "approvals TDT-2027-0003",
    "the column asks for one": "decisions {decision}",
    "an invented issuing CA": "authority_certificates F",
    "sealed facts are deleted": "row 48",
    "and then it is seconded": "row 48",
    "all before the head is deleted": "row 1",
    "history is rewritten, and a restart": "row 5",
    "history is rewritten while running": "row 5",
    "the register goes back": "decisions {decision}",
    "the register goes back, then an act": "decisions {decision}",
    "the register goes back, then a restart": "decisions {decision}",
    "a rekey by two officers": "decisions dec-",
    "a rekey by two inventions": "decisions dec-",
    "another's bytes under a serial": "certificates {good_serial}",
    "an end without a decision": "certificates {good_serial}",
    "a compromised key": "certificates {good_serial}",
    "a supersession by nothing": "certificates {good_serial}",
    "an end whose facts are lost": "certificates {good_serial}",
    "an end by nobody": "certificates {good_serial}",
    "an end that was decided otherwise": "decisions dec-",
    "another authority": "authority",
    "another journal key": "authority",
    "officers by rows": "decisions dec-",
    "one officer by rows": "decisions dec-",
    "an officer's name and another key": "row ",
    "access that was taken away": "row ",
    "a process's name": "decisions dec-",
    "a draft's bytes": "drafts",
    "a number used again": "approvals {good}",
    "a seconder, and the fact": "decisions {decision}",
    "everything, grants included": "decisions dec-",
    "both officers' API keys": "decisions dec-",
    "a rekey, and the facts": "decisions dec-",
    "an officer, grant included": "decisions dec-",
    "an urgent end by an API key": "certificates {good_serial}",
    "an end by both API keys": "certificates {good_serial}",
    "an end by an invention": "certificates {good_serial}",
    "a key under another approval": "public_keys",
    "the roster's rows are deleted": "rosters",
    "the roster's rows go by another": "rosters",
    **{
        f"a sealed row's {column} is edited": "row 48"
        for column in ("actor", "role", "at", "payload", "subject", "kind")
    },
}
"""By the name of an attack of the list, the row that is forged, as it is named."""


HEALED = ("the roster's rows are deleted", "the roster's rows go by another")
"""The authority puts these right: behind that nothing is named any more."""

NAMED = {
    "test_rows_alone_have_nothing_signed_and_undo_nothing": "",  # each case has its own, above
    "test_a_decision_that_lapsed_is_not_brought_back_by_its_rows": "decisions dec-",
    "test_bytes_that_were_not_signed_under_a_serial_are_not_recognised": "certificates {good_serial}",
    "test_an_export_is_believed_about_its_key_by_nobody_who_knows_it": "authority",
    "test_a_supersession_is_not_dated_before_what_the_memory_has_of_it[False-when it was signed-False]": (
        "certificates {good_serial}"
    ),
    "test_a_supersession_is_not_dated_before_what_the_memory_has_of_it[True-before it was signed-False]": "row 58",
    "test_a_number_that_no_sealer_gave_is_taken_back_and_sealing_goes_on": "row 51",
    "test_a_decision_ends_no_certificate_that_came_after_it": "certificates ",
    "test_a_list_that_somebody_puts_under_the_next_number_keeps_no_end_from_being_published": "crls ",
    "test_other_bytes_for_the_newest_list_are_seen_and_it_is_published_anew": "crls ",
    "test_a_lost_issuing_ca_is_told_with_what_to_do_and_lists_go_on_when_it_is_back": "authority_certificates ",
    "test_an_issuing_ca_that_is_being_recorded_is_not_lost": "authority_certificates ",
    "test_a_sealed_fact_that_is_nested_without_end_keeps_nobody_from_signing_or_ending": "row 51",
    "test_a_revocation_that_was_held_back_while_the_authority_worked_does_not_count": "decisions dec-",
    "test_what_was_consumed_for_one_fact_counts_for_no_other": "secondings {decision} officer-2",
    "test_a_revocation_is_not_replayed_after_a_rekey": "certificates ",
    "test_an_officer_who_was_removed_between_proposing_and_seconding_does_not_count": "approvals TDT-2027-0003-J",
    "test_one_officer_with_two_keys_is_one_officer": "row 52",
    "test_an_end_that_nobody_signed_for_stays_a_no_is_listed_nowhere_and_says_that_it_is_disputed": (
        "certificates {good_serial}"
    ),
    "test_acts_that_need_no_signature_of_ours_are_not_sealed_by_an_api_key": "decisions {decision}",
    "test_a_row_that_somebody_else_numbered_is_weighed_before_a_head_is_signed": "row 51",
    "test_a_grant_by_passkeys_alone_gets_no_certificate_and_with_one_key_it_does": "row 56",
    "test_a_row_that_calls_a_grant_something_else_gets_no_certificate": "decisions dec-",
    "test_an_end_by_a_passkey_counts_and_a_counter_that_goes_back_does_not": "certificates ",
    "test_the_authority_looks_at_each_field_by_itself": "certificates {good_serial}",
    "test_a_passkey_that_is_on_no_roster_counts_for_nobody": "certificates {good_serial}",
    "test_each_row_that_is_written_into_is_named": "",  # and says which by itself
    "test_a_roster_that_is_shown_otherwise_is_named_until_it_is_put_right": "",
}
"""By the test, or by the test and its case, how the row that it forges is named."""

_REFUSED = "what is forged are facts alone, which the authority never seals: no row rests upon them"
_TOLD = "a row without a head: that it cannot be known whether it is the authority's is told, until it is taken back"
_GENUINE = "nothing in this register is forged"

UNNAMED = {
    "test_a_lease_that_was_moved_keeps_no_authority_from_its_work": "a lease says who works now: nothing rests upon it",
    "test_a_fact_that_is_no_object_proves_nothing_and_keeps_no_end_from_being_stated": _REFUSED,
    "test_nothing_is_alarmed_where_nobody_attacks": _GENUINE,
    "test_a_supersession_is_not_dated_before_what_the_memory_has_of_it[False-when the later issue begins-True]": (
        _GENUINE
    ),
    "test_a_supersession_is_not_dated_before_what_the_memory_has_of_it[True-when it was signed-True]": _GENUINE,
    "test_an_authorisation_that_is_not_for_this_act_is_refused_with_its_reason": _REFUSED,
    "test_what_only_the_authority_says_is_sealed_only_if_it_has_said_it": _REFUSED,
    "test_a_consequence_of_another_decision_is_not_sealed": _REFUSED,
    "test_a_fact_for_which_something_was_consumed_is_sealed_after_a_crash_whatever_has_changed": _GENUINE,
    "test_an_act_that_no_operator_did_is_not_sealed_and_holds_nothing_up": _REFUSED,
    "test_what_an_operator_did_is_sealed_behind_any_number_of_pretended_acts": _REFUSED,
    "test_a_number_that_no_sealer_gave_is_taken_back_and_sealing_goes_on[the year 9999]": _TOLD,
    "test_a_number_that_no_sealer_gave_is_taken_back_and_sealing_goes_on[an act that no operator did]": _TOLD,
    "test_a_row_that_is_as_we_would_have_sealed_it_stays": _GENUINE,
    "test_a_revocation_that_waited_while_the_authority_stood_still_counts": _GENUINE,
    "test_web_says_so_before_it_decides": _GENUINE,
    "test_whose_keys_count_is_not_changed_by_passkeys_alone": "the authority refuses the order, and no roster follows",
    "test_a_row_that_is_far_ahead_dates_no_end_and_is_told": "the copy of the memory is in no export: keys seal it",
    "test_a_row_that_is_a_little_ahead_dates_it": "the copy of the memory is in no export: keys seal it",
    "test_without_heads_it_says_what_it_cannot_know": "by its own key nothing is wrong: what is missing is told",
}
"""The same of what names no row: by its nature it is in no register that is exported, or is never more than a fact."""


@dataclass
class Seen:
    """What the audit has named, each time that it looked."""

    looks: list[list[str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def look(self, world: World) -> None:
        """Give the register to the audit as it is, with the key that an auditor knows."""
        known = hashlib.sha256(keyring(world.folder).journal.public_key).hexdigest()
        found = audited(exported(world.store), Pinned(journal_keys=(known,))).findings
        self.looks.append([each.row for each in found.problems])
        self.unknown += found.unknown

    @property
    def named(self) -> list[str]:
        """All rows that were named."""
        return [each for look in self.looks for each in look]


def names_of(scene: Scene) -> dict[str, str]:
    """What a verdict can name."""
    return {each: getattr(scene, each) for each in ("good", "ended", "decision", "good_serial", "ended_serial")}


def keys_of(node: pytest.Item, store_kind: str) -> tuple[str, ...]:
    """The names under which a test may stand in the tables, the most particular first."""
    function, _, case = node.name.partition("[")
    case = case.removesuffix("]").removeprefix(f"{store_kind}-").removesuffix(f"-{store_kind}")
    return (f"{function}[{case}]", function)


def judged(node: pytest.Item, store_kind: str, seen: Seen, scene: Scene) -> str | None:
    """What is wrong with what the audit has said of a register that was forged; None if nothing is."""
    keys = keys_of(node, store_kind)
    names = names_of(scene)
    case = node.callspec.params.get("case") if hasattr(node, "callspec") else None
    if case is not None:
        if not seen.looks[-1] and case.name not in HEALED:
            return "The audit names nothing when the authority has worked on it."
        return _missed(seen, FORGED[case.name].format(**names))
    found = next((table[key] for key in keys for table in (NAMED, UNNAMED) if key in table), None)
    if found is None:
        return f"tests/attack/verdicts.py does not say what the audit names where {keys[0]} forges a register."
    if any(key in NAMED for key in keys) and keys[0] not in UNNAMED:
        return _missed(seen, found.format(**names)) if found else None
    if found is _TOLD and not any("no head covers them" in each for each in seen.unknown):
        return "The audit does not tell that no head covers it."
    return f"The audit names {seen.named[0]}, and the table says that it names none." if seen.named else None


def _missed(seen: Seen, wanted: str) -> str | None:
    return None if any(each.startswith(wanted) for each in seen.named) else f"Not {wanted}: {seen.looks}"
