"""The embedded reader of contracts: what the text of an English or German one states, without any model."""

import re
from collections.abc import Callable, Mapping, Sequence

from activities.parsing import amounts, clauses, currency, dates, periods
from activities.parsing.layout import EVIDENCE, Line
from activities.parsing.sentences import Sentence, sentences_of
from schemas.proposal import Field, Reading

_STATED, _LIKELY, _GUESSED = 0.9, 0.8, 0.6

_FORM = (
    r"(?:GmbH(?: & Co\.? KG)?|AG|KG|OHG|UG|SE|SARL|SAS|S\.A\.|B\.V\.|N\.V\.|Ltd|Limited|LLP"
    r"|LLC|Inc|PLC|plc|Corp|AB|ApS|Oy|S\.r\.l\.)"
)
_NAME = rf"[A-ZÄÖÜ][\w&.'\u2019\- ]{{1,80}}?,? ?{_FORM}(?!\w)"
_BETWEEN = re.compile(
    rf"\b(?:between|zwischen)\b[\s:(\d)]*(?:der )?(?P<one>{_NAME}).{{0,400}}?"
    rf"\b(?:and|und)\b(?: der\b)?[\s:(\d)]*(?P<other>{_NAME})"
)
_MONEY = r"(?:(?:EUR|USD|GBP|CHF|[€$£])\s?\d|\d[\d.,' ]*\s?(?:EUR|USD|GBP|CHF|€|Euro))"
_START = re.compile(
    r"(?:effective (?:date|as of|from|on)|commenc\w+ (?:on|date)|start(?:s|ing)? (?:on|date)|takes? effect on|"
    r"enters? into force on|from the date of|beginnt am|beginn\b|tritt am|vertragsbeginn|ab dem|laufzeit vom)",
    re.IGNORECASE,
)
_END = re.compile(
    r"(?:expir\w+ (?:on|date)|ends? on|end date|terminates? on|until|through and including|endet (?:am|mit)|"
    r"vertragsende|befristet bis|läuft bis|bis zum)",
    re.IGNORECASE,
)
_TERM = re.compile(
    r"(?:(?:initial |fixed |minimum )?term (?:of this agreement )?(?:is|of|shall be|:)|for (?:a"
    r"|an) (?:initial |fixed )?"
    r"(?:term|period) of|vertragslaufzeit|mindestlaufzeit|laufzeit (?:von|beträgt|:)|für die dauer von)"
    rf"[^.;]{{0,40}}?(?P<period>{periods.PERIOD})",
    re.IGNORECASE,
)
_OPTION = re.compile(
    r"(?:may be (?:renewed|extended)|option to (?:renew|extend)|(?:renewed|extended) by (?:mutual )?"
    r"(?:written )?agreement|verlängerungsoption|einvernehmlich verlängert)",
    re.IGNORECASE,
)
_NOTICE = re.compile(
    rf"(?P<period>{periods.PERIOD})(?:['\u2019]s?|s['\u2019])?\s(?:prior\s)?(?:written\s)?(?:notice|notification)|"
    rf"notice (?:period )?of (?:at least |not less than )?(?P<after>{periods.PERIOD})|"
    rf"(?:frist von|kündigungsfrist (?:beträgt|von|:)) ?(?:mindestens )?(?P<frist>{periods.PERIOD})",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"(?:total (?:contract )?(?:value|fee|fees|price|consideration|sum)|contract (?:value|price|sum)|annual fee|"
    r"fees? (?:is|are|of|shall be|amounts? to)|aggregate (?:fees?|price)|auftragswert|vertragswert|gesamtvergütung|"
    r"vergütung (?:beträgt|von)|gesamtpreis)",
    re.IGNORECASE,
)
_CAP = re.compile(
    r"(?:liab\w+[^.;]{0,160}?(?:(?:shall|will|does|is|are)[^.;]{0,30}?(?:not exceed|limited to|capped at)|limited to|"
    r"capped at|cap of)|(?:haftung|haftet)[^.;]{0,120}?(?:begrenzt auf|beschränkt auf|höchstens|bis zu))",
    re.IGNORECASE,
)
_SHARE = re.compile(
    r"(?P<share>\d{1,3}\s?(?:%|per ?cent|Prozent)|(?:the )?(?:total |annual )?(?:fees|charges)[^.;]{0,80})"
)
_LAW = re.compile(
    r"(?:governed by(?: and construed in accordance with)?|subject to|under) the (?:substantive )?laws? of "
    r"(?P<law>(?:the )?[A-Z][\w ]{2,60}?)(?=[,.;]|\s(?:and|without|excluding|to the|shall|whose|as"
    r"|with)\b(?! Wales)|$)|"
    r"(?:governed by|under) (?P<by>[A-Z][a-z]+) law\b|"
    r"(?P<of>(?!Applicable)[A-Z][a-z]+) law (?:shall )?(?:govern|appl)|"
    r"[Ee]s gilt (?:ausschließlich )?(?:das )?(?:materielle )?"
    r"(?P<recht>(?:Recht der [A-Z]\w+(?: [A-Z]\w+)?)|deutsches|österreichisches|schweizerisches)",
    re.MULTILINE,
)
_LAWS = {"deutsches": "Germany", "österreichisches": "Austria", "schweizerisches": "Switzerland",
         "Recht der Bundesrepublik Deutschland": "Germany", "the Federal Republic of Germany": "Germany",
         "Recht der Schweiz": "Switzerland", "German": "Germany", "Irish": "Ireland", "English": "England",
         "Dutch": "the Netherlands", "French": "France", "Swiss": "Switzerland"}  # fmt: skip
_PERSONAL = re.compile(
    r"(?:process\w*[^.;]{0,60}personal data|personal data[^.;]{0,60}process|data processing agreement|gdpr|"
    r"personenbezogene\w* daten|auftragsverarbeitung|dsgvo)",
    re.IGNORECASE,
)
_NO_PERSONAL = re.compile(
    r"(?:no personal data|not (?:process|access|receive|handle)[^.;]{0,40}personal data"
    r"|keine personenbezogenen daten|personenbezogene\w* daten[^.;]{0,30}\bnicht\b)",
    re.IGNORECASE,
)
_EXCEPT = re.compile(
    r"\b(?:except|unless|other than|only|without|außer|es sei denn|nur|ohne|of minors)\b", re.IGNORECASE
)


def read(pages: Sequence[str]) -> Reading:
    """A field that is not found is absent; how sure one is of a field ranks its errors."""
    said = sentences_of(pages)
    found: dict[str, Field | None] = {
        **_parties(said),
        **{name: _first(said, reader) for name, reader in _READERS.items()},
        "personal_data": _personal(said),
    }
    money = next((field for name in ("value", "liability_cap") if (field := found[name])), None)
    found["currency"] = currency.read([Line(money.page or 1, money.evidence)]) if money else None
    renewal = found["renewal"]
    if renewal and renewal.value != "automatic":
        found["renewal_term"] = None
    fields = {name: field for name, field in found.items() if field is not None}
    return Reading(fields=fields, clauses=tuple(clauses.read(said)))


def _parties(said: Sequence[Sentence]) -> dict[str, Field | None]:
    """Those that the opening names; a contract between more than two is for a person."""
    for sentence in said:
        if match := _BETWEEN.search(sentence.text):
            one, other = (
                _field(match[name].strip(" ,"), sentence, match.start(), _STATED) for name in ("one", "other")
            )
            return {"first_party": one, "second_party": other}
    return {"first_party": None, "second_party": None}


def _first(said: Sequence[Sentence], reader: Callable[[Sentence], Field | None]) -> Field | None:
    """What the first sentence says; one that says otherwise further on makes it less sure, and is another reading."""
    found = [field for sentence in said if (field := reader(sentence))]
    others = tuple(dict.fromkeys(field.value for field in found if field.value and field.value != found[0].value))
    if not found or not others:
        return found[0] if found else None
    return found[0].model_copy(update={"confidence": min(found[0].confidence, _GUESSED), "alternatives": others})


def _day(label: re.Pattern[str]) -> Callable[[Sentence], Field | None]:
    def read(sentence: Sentence) -> Field | None:
        for match in label.finditer(sentence.text):
            near = sentence.text[match.end() : match.end() + 60]
            if day := min(dates.find(near, dates.order_in([sentence.text])), default=None):
                field = _field(day.value, sentence, match.start(), _STATED if day.other is None else _GUESSED)
                return field.model_copy(update={"alternatives": (day.other,) if day.other else ()})
        return None

    return read


def _period(pattern: re.Pattern[str]) -> Callable[[Sentence], Field | None]:
    def read(sentence: Sentence) -> Field | None:
        match = pattern.search(sentence.text)
        words = match and next((value for value in match.groupdict().values() if value), None)
        return _field(periods.duration(words), sentence, match.start(), _STATED) if match and words else None

    return read


def _renewal(sentence: Sentence) -> Field | None:
    if match := clauses.RENEWS.search(sentence.text):
        return _field("automatic", sentence, match.start(), _STATED)
    match = _OPTION.search(sentence.text)
    return _field("option", sentence, match.start(), _LIKELY) if match else None


def _renewal_term(sentence: Sentence) -> Field | None:
    match = clauses.RENEWS.search(sentence.text)
    if match and (period := periods.find(sentence.text[match.start() :])):
        return _field(period, sentence, match.start(), _LIKELY)
    return None


def _amount(label: re.Pattern[str]) -> Callable[[Sentence], Field | None]:
    def read(sentence: Sentence) -> Field | None:
        for match in label.finditer(sentence.text):
            near = sentence.text[match.end() : match.end() + 100]
            money = re.search(_MONEY, near)
            found = next(amounts.find(near[money.start() :], None), None) if money else None
            if found:
                sure = _LIKELY if found.readings[1:] else _STATED
                field = _field(found.readings[0], sentence, match.start(), sure)
                return field.model_copy(update={"alternatives": found.readings[1:]})
        return None

    return read


def _cap(sentence: Sentence) -> Field | None:
    """An amount, or the words that tell which share of what."""
    if field := _amount(_CAP)(sentence):
        return field
    match = _CAP.search(sentence.text)
    share = match and _SHARE.search(sentence.text, match.end())
    if not match or not share:
        return None
    words = " ".join(sentence.text[share.start() : share.start() + 120].split()).rstrip(".;")
    return _field(words, sentence, match.start(), _GUESSED)


def _law(sentence: Sentence) -> Field | None:
    match = _LAW.search(sentence.text)
    if not match:
        return None
    words = " ".join(next(value for value in match.groupdict().values() if value).split())
    return _field(_LAWS.get(words, words), sentence, match.start(), _STATED)


def _personal(said: Sequence[Sentence]) -> Field | None:
    """A no counts only where nothing else speaks of them: who looks after them is asked rather than not."""
    found: dict[str, Field] = {}
    for sentence in said:
        match = _NO_PERSONAL.search(sentence.text)
        no = match is not None and not _EXCEPT.search(sentence.text)
        if match := match or _PERSONAL.search(sentence.text):
            found.setdefault("no" if no else "yes", _field("no" if no else "yes", sentence, match.start(), _LIKELY))
    if len(found) > 1:
        return found["yes"].model_copy(update={"confidence": _GUESSED, "alternatives": ("no",)})
    return next(iter(found.values()), None)


_READERS: Mapping[str, Callable[[Sentence], Field | None]] = {
    "start_date": _day(_START),
    "end_date": _day(_END),
    "term": _period(_TERM),
    "renewal": _renewal,
    "renewal_term": _renewal_term,
    "notice_period": _period(_NOTICE),
    "value": _amount(_VALUE),
    "liability_cap": _cap,
    "governing_law": _law,
}


def _field(value: str, sentence: Sentence, start: int, confidence: float) -> Field:
    words = sentence.text[start : start + EVIDENCE]
    return Field(value=value, evidence=words, page=sentence.page, confidence=confidence)
