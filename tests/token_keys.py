"""Makes keys in a token that no command of ours makes; a program, because a module that was loaded once stays."""

import subprocess
import sys

import pkcs11
from pkcs11 import Attribute, KeyType, MechanismFlag
from pkcs11.util.ec import encode_named_curve_parameters

from tests.token_said import MODULE


def make(module: str, label: str, pin: str) -> None:
    """Make a good one, and every kind of a bad one."""
    token = pkcs11.lib(module).get_token(token_label=label)
    with token.open(rw=True, user_pin=pin) as session:

        def made(label: str, curve: str = "secp256r1", number: int = 0, **private: bool) -> pkcs11.PublicKey:
            of_curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
            parameters = session.create_domain_parameters(KeyType.EC, of_curve, local=True)
            public, _ = parameters.generate_keypair(
                id=f"{label} {number}".encode(),
                label=label,
                store=True,
                capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
                private_template={Attribute[name]: value for name, value in private.items()},
            )
            return public

        made("good")
        made("P-384", "secp384r1")
        made("extractable", EXTRACTABLE=True)
        made("silent", SIGN=False)
        made("alone").destroy()
        for number in range(2):
            made("two", number=number)
        session.generate_keypair(KeyType.RSA, 1024, store=True, label="RSA", id=b"RSA")


def set_pin(label: str, before: str, after: str) -> None:
    """Give a token another PIN, in a process of its own."""
    words = f"import pkcs11; pkcs11.lib({str(MODULE)!r}).get_token(token_label={label!r})"
    words += f".open(rw=True, user_pin={before!r}).set_pin({before!r}, {after!r})"
    subprocess.run([sys.executable, "-c", words], check=True)


if __name__ == "__main__":
    make(*sys.argv[1:])
