"""Abuse: words of a message that insult or threaten whoever reads it."""

import re

_INSULTS = (
    (
        r"(?:you|you're|you are|bunch of|pack of|fucking|bloody|stupid|absolute) (?:\w+ ){0,4}"
        r"(?:idiots?|morons?|bastards?|assholes?|arseholes?|scum|cunts?|bitch(?:es)?|pigs?|imbeciles?|wankers?|crooks)\b"
    ),
    r"(?:fuck|screw|damn) (?:you|off|your)\b",
    r"(?:go to hell|piss off|drop dead|kill yourself|shut up)\b",
    r"(?:i|we)(?: will|'ll| am going to| are going to) (?:\w+ ){0,2}(?:kill|beat|hurt|burn|find where|come and get)\b",
    (
        r"(?:ihr|du|sie|so ein|verdammte[nrs]?) (?:\w+ ){0,4}"
        r"(?:idiot(?:en)?|arschl(?:och|öcher)|schweine?|drecks\w+|vollpfosten|wichser)\b"
    ),
    r"(?:halt die|halten sie die) (?:fresse|klappe)\b",
    r"(?:verpiss dich|leck mich)\b",
    r"(?:connards?|salauds?|enculés?|va te faire)\b",
)
ABUSE = re.compile("|".join(rf"\b(?:{pattern})" for pattern in _INSULTS), re.IGNORECASE)


def abuse_in(text: str) -> str:
    """The first words that insult or threaten, or nothing."""
    found = ABUSE.search(" ".join(text.split()))
    return found.group() if found else ""
