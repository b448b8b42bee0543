"""Proof: what shows who somebody is. Pure functions over keys; nothing here is kept anywhere."""

import hmac
import json
from base64 import b32encode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from schemas.opening import CodeFor

LETTERS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")
"""From base32 to Crockford's, which has no letters that look like digits."""
MISREAD = str.maketrans("OIL", "011", " -")
HALF = 5


def signature_fits(public_key: str, data: bytes, signature: str) -> bool:
    """Whether this is the key owner's Ed25519 signature over these bytes; both in hexadecimal, whatever they hold."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(bytes.fromhex(signature), data)
    except (ValueError, InvalidSignature):
        return False
    return True


def anybody_signs(public_key: str) -> bool:
    """Whether it is one of the few weak points for which a signature without any key fits one message in eight."""
    forged = "01" + 63 * "00"
    return any(signature_fits(public_key, bytes([message]), forged) for message in range(256))


# The library looks its own classes up when first needed, which ends the process in a workflow's sandbox: so they
# are needed once here. A key that is none, and a signature that does not fit.
for _key in ("00", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"):
    signature_fits(_key, b"", "00" * 64)


def code_for(key: bytes, wanted: CodeFor) -> str:
    """The code of one person for one opening of one step, over one draft: 50 bits, as XXXXX-XXXXX.

    It is derived from all of that, so that no table and no history holds it.
    """
    # Not the dump of the message: a new field in it would change the codes of open steps.
    about = json.dumps([wanted.case, wanted.run, wanted.person, wanted.step, wanted.draft, wanted.opening])
    derived = hmac.digest(key, about.encode(), "sha256")
    letters = b32encode(derived).decode().translate(LETTERS)
    return f"{letters[:HALF]}-{letters[HALF : 2 * HALF]}"


def code_fits(key: bytes, wanted: CodeFor, given: str) -> bool:
    """Whether this is that code, however it was typed."""
    right, typed = (text.upper().translate(MISREAD) for text in (code_for(key, wanted), given))
    return hmac.compare_digest(right.encode(), typed.encode())
