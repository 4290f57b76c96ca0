"""Settings: every problem at once, nothing unknown, what was written can be read."""

from pathlib import Path

import pytest

from app.pace_settings import LEAST_LEASE_SECONDS
from app.settings import FILE_NAME, Settings, change_port, load, template
from core.errors import HomeMissing, SettingsInvalid
from core.kinds import DecisionKind
from intake.cpl_list import COLUMNS
from keys.passphrase import FromFile, FromPrompt
from policy.section_f.assurance import DEFAULT_SCHEMES
from store.postgresql import IDLE_SECONDS


def written(home: Path, text: str) -> Path:
    (home / FILE_NAME).write_text(text, encoding="utf-8")
    return home


def standard(home: Path, **changes: object) -> Path:
    values = {"store_url": "sqlite:///store.sqlite", "port": 8470, "passphrase": "prompt", "longest_trial_days": 731}
    return written(home, template(**(values | changes)))  # type: ignore[arg-type]


def refused(home: Path, text: str) -> str:
    with pytest.raises(SettingsInvalid) as error:
        load(written(home, text))
    return str(error.value)


def test_what_the_ceremony_writes_can_be_read(tmp_path: Path) -> None:
    settings = load(standard(tmp_path))
    assert isinstance(settings, Settings)
    assert (settings.port, settings.host) == (8470, "127.0.0.1")
    assert settings.store_url == f"sqlite:///{tmp_path / 'store.sqlite'}"
    assert settings.passphrase == FromPrompt()
    assert settings.rules.longest_trial.days == 731
    assert settings.pace.crl_life == 4 * settings.pace.crl_interval


def test_the_shortest_file_means_the_defaults_that_the_page_describes(tmp_path: Path) -> None:
    settings = load(written(tmp_path, ""))
    page = (Path(__file__).parent.parent / "docs" / "settings.md").read_text(encoding="utf-8")
    assert settings.pace.crl_interval.total_seconds() == 12 * 3600
    for key in ("status_max_age_seconds", "lease_seconds", "longest_credential_days", "ocsp_life_hours", "webhooks"):
        assert key in page


def test_paths_are_meant_from_the_home(tmp_path: Path) -> None:
    settings = load(standard(tmp_path, passphrase="file:keys/passphrase"))
    assert settings.passphrase == FromFile(tmp_path / "keys" / "passphrase")
    assert settings.keys_dir == tmp_path / "keys"


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    told = refused(
        tmp_path,
        """
        surprise = 1
        [web]
        port = 70000
        portt = 8470
        [keys]
        passphrase = "hunter2"
        [decisions]
        urgent_revocation_by_one = "yes"
        [publication]
        crl_interval_hours = 12
        crl_life_hours = 13
        ocsp_life_hours = 13
        [courier]
        webhooks = [{url = "http://example.org", secret_file = "s"}, {url = "https://a.example"}]
        """,
    )
    for part in (
        "surprise is not known",
        "web.port must be a whole number from 1 to 65535",
        "web.portt is not known",
        "keys.passphrase",
        "urgent_revocation_by_one must be true or false",
        "at least twice crl_interval_hours (24)",
        "ocsp_life_hours must be a whole number from 1 to 12",
        "courier.webhooks 1: url must be https",
        "courier.webhooks 2 must have exactly url and secret_file",
    ):
        assert part in told
    assert "hunter2" not in told  # somebody may have written the passphrase itself


def test_a_lease_is_longer_than_a_transaction_may_rest(tmp_path: Path) -> None:
    assert LEAST_LEASE_SECONDS > IDLE_SECONDS
    least = load(written(tmp_path, f"[authority]\nlease_seconds = {LEAST_LEASE_SECONDS}")).pace.lease_length
    assert least.total_seconds() > IDLE_SECONDS
    told = refused(tmp_path, f"[authority]\nlease_seconds = {IDLE_SECONDS}")
    assert "authority.lease_seconds must be a whole number from 5 to 600" in told


@pytest.mark.clause("F2.19")
def test_which_assurance_certificates_a_device_type_needs_is_a_setting(tmp_path: Path) -> None:
    assert load(written(tmp_path, "")).rules.assurance == DEFAULT_SCHEMES
    chosen = load(written(tmp_path, '[applications.assurance]\nESME = ["ZigBee", "Wi-SUN"]\nIHD = []')).rules.assurance
    assert (chosen["ESME"], chosen["IHD"], chosen["GSME"]) == (("ZigBee", "Wi-SUN"), (), DEFAULT_SCHEMES["GSME"])
    told = refused(
        tmp_path,
        """
        [applications]
        assurances = 1
        [applications.assurance]
        TOASTER = ["ZigBee"]
        ESME = "ZigBee"
        GSME = [1]
        CHF = [""]
        GPF = ["Zig\\u0007Bee"]
        """,
    )
    for part in ("applications.assurances is not known", "applications.assurance.TOASTER is not known"):
        assert part in told
    for kind in ("ESME", "GSME", "CHF", "GPF"):
        assert f"applications.assurance.{kind} must be a list of names of schemes" in told
    assert "must be a table of device types" in refused(tmp_path, "[applications]\nassurance = 1")


@pytest.mark.parametrize("text", ["[web", "port = ", "\ufffe"])
def test_what_is_not_toml_is_told(tmp_path: Path, text: str) -> None:
    assert "it is not TOML" in refused(tmp_path, text)


def test_no_file_means_no_authority(tmp_path: Path) -> None:
    with pytest.raises(HomeMissing):
        load(tmp_path)


def test_changing_the_port_changes_nothing_else(tmp_path: Path) -> None:
    before = (standard(tmp_path) / FILE_NAME).read_text(encoding="utf-8")
    change_port(tmp_path, 9000)
    after = (tmp_path / FILE_NAME).read_text(encoding="utf-8")
    assert load(tmp_path).port == 9000
    assert after == before.replace("port = 8470", "port = 9000")


def test_a_store_address_with_quotes_is_no_second_setting(tmp_path: Path) -> None:
    home = standard(tmp_path, store_url='postgresql://u:p"w@h/d')
    assert load(home).store_url == 'postgresql://u:p"w@h/d'


@pytest.mark.clause("F2.18")
def test_how_many_officers_agree_and_how_long_a_proposal_waits_are_settings(tmp_path: Path) -> None:
    rules = load(written(tmp_path, "[decisions]\nproposal_days = 14\n[decisions.officers]\ngrant = 3\n")).rules
    assert (
        rules.officers_for(DecisionKind.GRANT),
        rules.officers_for(DecisionKind.REVOKE),
        rules.proposal_life.days,
    ) == (3, 2, 14)
    told = refused(tmp_path, "[decisions.officers]\ngrant = 1\nshrug = 2\nrefuse = true\namend = 99\n")
    for part in (
        "decisions.officers.grant must be a whole number from 2 to 9",
        "decisions.officers.shrug is not known",
        "decisions.officers.refuse must be",
        "decisions.officers.amend must be",
    ):
        assert part in told
    assert "must be a table" in refused(tmp_path, "[decisions]\nofficers = 3\n")


@pytest.mark.clause("F2.27")
def test_the_columns_of_the_panels_list_can_be_given_further_names(tmp_path: Path) -> None:
    columns = load(written(tmp_path, '[cpl.columns]\nfirmware_version = ["FW Ver"]\n')).rules.list_columns
    assert columns["firmware_version"][0] == "fw ver"
    assert "firmware version" in columns["firmware_version"]
    assert columns["model"] == COLUMNS["model"]
    told = refused(tmp_path, '[cpl.columns]\ncolour = ["x"]\nmodel = "Model"\nexpiry = [""]\n')
    for part in ("cpl.columns.colour is not known", "cpl.columns.model must be a list", "cpl.columns.expiry must be"):
        assert part in told
