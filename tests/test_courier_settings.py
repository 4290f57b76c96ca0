"""The courier's settings: what is wrong in them is told, and a courier is made of what is right."""

from pathlib import Path

import pytest

from app.courier_settings import Mail, Webhook
from app.settings import FILE_NAME, load
from core.classification import Recipient
from core.errors import SettingsInvalid


def written(home: Path, text: str) -> Path:
    (home / FILE_NAME).write_text(text, encoding="utf-8")
    return home


def test_a_relay_and_its_addresses_are_read(tmp_path: Path) -> None:
    settings = load(
        written(
            tmp_path,
            """
            [mail]
            host = "mail.ssc.example"
            sender = "notices@ssc.example"
            username = "notices"
            password_file = "mail-password"
            ssc = ["officers@ssc.example"]
            dcc = ["dcc@dcc.example", "dcc@dcc.example"]
            """,
        )
    )
    assert settings.mail == Mail(
        host="mail.ssc.example",
        port=587,
        tls="starttls",
        sender="notices@ssc.example",
        username="notices",
        password_file=tmp_path / "mail-password",
        ssc=("officers@ssc.example",),
        dcc=("dcc@dcc.example",),
    )


@pytest.mark.parametrize(("tls", "port"), [("starttls", 587), ("implicit", 465), ("none", 25)])
def test_each_kind_of_connection_has_its_port(tmp_path: Path, tls: str, port: int) -> None:
    mail = load(written(tmp_path, f'[mail]\nhost = "localhost"\nsender = "a@b.example"\ntls = "{tls}"\n')).mail
    assert mail is not None
    assert mail.port == port


def test_without_the_table_no_mail_is_sent(tmp_path: Path) -> None:
    assert load(written(tmp_path, "")).mail is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mail = 1", "mail must be a table."),
        ("[mail]", "mail.host must be a text. mail.sender must be a text."),
        ('[mail]\nhost = "h"\nsender = "nobody"', "mail.sender must be a mail address."),
        ('[mail]\nhost = "h"\nsender = "a@b.example"\nhots = "x"', "mail.hots is not known."),
        ('[mail]\nhost = "h"\nsender = "a@b.example"\ntls = "off"', "mail.tls must be starttls, implicit or none."),
        ('[mail]\nhost = "h"\nsender = "a@b.example"\ntls = "none"', "only towards this machine"),
        ('[mail]\nhost = "h"\nsender = "a@b.example"\nport = 70000', "mail.port must be a whole number"),
        ('[mail]\nhost = "h"\nsender = "a@b.example"\nport = true', "mail.port must be a whole number"),
        ('[mail]\nhost = "h"\nsender = "a@b.example"\nusername = "u"', "come together"),
        ('[mail]\nhost = "h"\nsender = "a@b.example"\ndcc = "d@d.example"', "mail.dcc must be a list"),
        ('[mail]\nhost = "h"\nsender = "a@b.example"\npanel = ["d"]', "mail.panel must be a list"),
        (
            '[mail]\nhost = "localhost"\nsender = "a@b.example"\ntls = "none"\nusername = "u"\npassword_file = "p"',
            "a password never travels in the clear",
        ),
        ('[courier]\nwebhooks = [{url = "https://a.example", secret_file = "s", notices_for = "all"}]', "notices_for"),
        ('[courier]\nwebhooks = [{url = "https://a.example", secret_file = "s", to = "dcc"}]', "must have exactly"),
        (
            """
            [courier]
            webhooks = [{url = "https://a.example", secret_file = "s"}, {url = "https://a.example", secret_file = "t"}]
            """,
            "must not name one url twice",
        ),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsInvalid) as error:
        load(written(tmp_path, text))
    assert told in str(error.value)


def test_webhooks_may_take_notices(tmp_path: Path) -> None:
    text = """
    [courier]
    webhooks = [
        {url = "https://a.example", secret_file = "s"},
        {url = "https://b.example", secret_file = "s", notices_for = "dcc"},
        {url = "https://c.example", secret_file = "s", notices_for = "manufacturer:org-acme"},
    ]
    """
    secret = tmp_path / "s"
    assert load(written(tmp_path, text)).webhooks == (
        Webhook("https://a.example", secret),
        Webhook("https://b.example", secret, Recipient.DCC),
        Webhook("https://c.example", secret, Recipient.MANUFACTURER, "org-acme"),
    )
