"""The ways in which a server may spell what it echoes, so that the API key can be taken out of all of them."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from typing import Final

REPLACEMENT: Final = "[api key]"
SHORTEST_ENCODED: Final = 12
"""Characters of a secret that is searched for in base64 and hexadecimal digits: a shorter one may occur by chance."""

BACKSLASH: Final = r"(?:\\|%(?:25)*5c|&#0*92;|&#x0*5c;|&bsol;)"
AMPERSAND: Final = r"(?:&|%(?:25)*26)(?:amp;)*"
BETWEEN: Final = r"(?:\x00{1,3}|=\r?\n)?"
"""What may be between two characters: zeros where UTF-16 or UTF-32 is read as UTF-8, a quoted-printable line break."""
NAMES: Final = {"-": "hyphen|dash", "_": "lowbar|UnderBar", "+": "plus", "/": "sol", "=": "equals", ".": "period"}
"""HTML's names of characters that keys have."""


@lru_cache(maxsize=64)
def spellings(secret: str) -> re.Pattern[str]:
    """What matches a secret as it is, escaped, and encoded.

    Each of its characters may be escaped on its own, in upper or lower case and at any depth, as JSON, JavaScript,
    Python, C, HTML, a URL and quoted-printable do. The whole may be in base64 (of either alphabet, at any place of what
    was encoded) or in hexadecimal digits. Compressed, encrypted or hashed forms are not found.
    """
    found = [BETWEEN.join(map(_spelled, secret))]
    if len(secret) >= SHORTEST_ENCODED:
        data = secret.encode()
        found += [_base64(data, offset) for offset in range(3)]
        found.append(data.hex())
    return re.compile("|".join(found), re.IGNORECASE)


def _spelled(character: str) -> str:
    code = ord(character)
    digits = f"{code:02x}"
    plain = character if character.isalnum() else rf"{BACKSLASH}{{0,8}}{re.escape(character)}"
    name = rf"|{AMPERSAND}(?:{NAMES[character]});" if character in NAMES else ""
    return (
        rf"(?:{plain}|{BACKSLASH}{{1,8}}(?:u00{digits}|x{digits}|u\{{0*{digits}\}}|U000000{digits}|{code:03o})"
        rf"|%(?:25)*{digits}|%u00{digits}|={digits}|{AMPERSAND}#(?:0*{code}|x0*{digits});?{name})"
    )


def _base64(data: bytes, offset: int) -> str:
    """What base64 makes of data behind `offset` bytes of others, without the characters that have bits of others."""
    whole = (offset + len(data)) * 8 // 6
    text = b64encode(bytes(offset) + data).decode("ascii")[-(-offset * 8 // 6) : whole]
    return re.escape(text).replace(r"\+", r"(?:[+-]|%2b)").replace("/", r"(?:\\{0,8}/|_|%2f)")
