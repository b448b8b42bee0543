"""Injection: words in a document that address the machine that reads it, in whatever disguise."""

import re
import unicodedata
from base64 import b64decode
from binascii import Error as NotEncoded
from collections.abc import Iterator

LONGEST_PHRASE = 160
PIECE, OVERLAP = 200_000, 1000
"""Long texts are looked at piece by piece, so that their folding stays within memory."""

_TAGS = re.compile("[\U000e0020-\U000e007e]{8,}")
"""A copy of ASCII that shows nothing."""
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{8,}")
"""One of them chooses a glyph; so many in a row carry bytes."""
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){20,}")
_SPACED = re.compile(r"(?<!\w)(?:[^\W_][ \t._*-]{1,3}){8,}[^\W_](?!\w)")
_NOTHING = re.compile(
    "[\u00ad\u0300-\u036f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)
"""Accents set apart, and characters that show nothing."""
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u043a\u043c\u0442\u043d\u0432"
    "\u03b1\u03b5\u03bf\u03c1\u03c5\u03b9\u03ba\u03bd\u03c4\u03c7\u0131\u0261\u0269\u029f",
    "aeopcyxijshdqwkmthbaeopuikvtxigil",
)

# Written as they are spoken: folded (no capitals, no accents, one blank between words). A blank in a pattern is any
# blank; `{some}` is up to five words. One pattern a line.
_ENGLISH = r"""
(?:ignore|disregard|forget|override|bypass|discard|neglect|do not follow|stop following) {some}(?:previous|prior|above|earlier|preceding|existing|original|initial|all|any|your|these|system|former) {some}(?:instruction|prompt|rule|guideline|direction|command|directive|constraint|programming|safety)s?
(?:ignore|disregard|forget) (?:everything|all|anything) (?:above|before|you|that|said|written)
you are (?:now |no longer |actually |really )?(?:an? |the |my |our )?(?:\w+ ){0,4}(?:chatbot|language model|llms?|gpt|ai|jailbroken|(?:helpful|obedient|unrestricted|uncensored|teaming|virtual) assistant)
you are (?:now|no longer) (?:bound|restricted|limited|constrained|free from|in (?:developer|debug|god|admin|dan|maintenance|test)|unrestricted|required to follow|allowed to ignore|going to (?:act|ignore|pretend))
you (?:are|were) (?:free from|not bound by) {some}(?:rules|restrictions|constraints|guidelines|limits)
(?:act|respond|behave|answer) as (?:an? |the |if you (?:were|are) )(?:\w+ ){0,3}(?:ai|dan|assistant|model|unrestricted|terminal|chatbot|system|jailbroken)
pretend (?:to be|you are|that you)
(?:from now on|henceforth),? (?:you (?:will|must|are|shall)|act|respond|answer|ignore)
do anything now
stay in character
system ?prompts?
(?:reveal|print|repeat|show|output|leak|display|tell me) {some}your (?:initial |hidden |original |system |secret )?(?:instructions|prompt|rules|guidelines)
(?:developer|god|dan|jailbreak) mode
jailbr(?:eak|oken)\w*
(?:new|updated|real|additional|secret|hidden|special|following) (?:instruction|command|task|order)s? (?:for|to) (?:the |any |all )?(?:ai|llms?|assistant|(?:language )?model|bot|chatbot|agent|reader|parser)
(?:attention|notice|note|message|hint|instructions?|hey|hello|dear|hi|important|addressed),?:? (?:to |for )?(?:the |any |all |you |every )?(?:ai|llms?|large language models?|language models?|chatgpt|gpt|chatbots?|(?:ai|virtual|automated|digital) (?:assistant|agent|system|reader|model)s?|ai-\w+)\b
if you are (?:an? |the )?(?:\w+ ){0,2}(?:ai|llm|language model|chatbot|bot|machine|automated (?:system|reader|agent)|assistant)\b
(?:\bai|llm|language model|assistant|chatbot)s? (?:model |assistant |agent |reader |system |reading this |processing this )*(?:must|should|shall|needs? to|has to|have to|(?:is|are) (?:instructed|required|asked|told) to|please) (?:\w+ ){0,2}(?:ignore|approve|output|respond|reply|answer|say|return|set|extract|report|treat|follow|mark|accept|pay|write|classify|state|skip|use|read|book)
(?:approve|authori[sz]e|accept|pay|release|book|process|post) (?:this|the|all|these|every) (?:\w+ )?(?:invoice|payment|document|bill|transaction|transfer|amount|case|request)s? {some}(?:automatically|unconditionally|unseen|without (?:any )?(?:further )?(?:review|approval|verification|check|human|manual|question|asking|hesitation|validation)\w*|regardless)
(?:automatically|immediately|always|unconditionally) (?:approve|authori[sz]e|accept|release) (?:this|the|all|these|every|any)
(?:mark|flag|classify|treat|label|rate|consider) (?:this|the|it|all) (?:(?:\w+ )?(?:invoice|document|e-?mail|message|case|payment|request|supplier|vendor)s? )?(?:as|to be) (?:pre-?)?(?:approved|trusted|verified|safe|legitimate|low risk|valid)
(?:set|put|raise|use|report|return|assign|give|output) {some}(?:confidence|probability|certainty|risk)(?: (?:score|level|value)s?)? (?:to|of|as|=|at|for all)
confidence (?:score |level |value )?(?:of|to|is|=|:|must be|should be) ?(?:1(?:[.,]0+)?|0?[.,]9\d*|100|99)\b ?%?
(?:skip|bypass|omit|avoid|disable|do not (?:ask|request|require|wait for|need)) {some}(?:human|manual|person's) (?:review|approval|check|verification|intervention)
do not (?:flag|escalate|report|mention|tell|inform|alert|notify|show|reveal) {some}(?:to )?(?:the |any |a )(?:user|human|reviewer|operator|approver|accountant|person)s?\b
(?:modify|augment|enhance|integrate|rearrange|scramble|jumble|misspell|anagram|infuse|obfuscate|enrich)\b[^.!?]{0,90}\b(?:your|the) (?:response|reply|answer|output)s?
in your (?:response|reply|answer|output|implementation|code)s?,? (?:suggest|include|add|mention|say|write|tease|promote|state|claim|recommend|always|only)
(?:your|the code|your code) (?:response|reply|answer|output) (?:must|should|shall) (?:be|begin|start|contain|include|only|always|say|state|end)
(?:respond|reply|answer) (?:only )?(?:with|in) (?:only )?(?:the exact|exactly|valid json|json|the following (?:text|words|json))
begin (?:your|the) (?:response|reply|answer) (?:with|by)
(?:following|subsequent) (?:python )?code (?:block|snippet|excerpt|section|segment)
(?:add|include|insert|append) (?:an? )?(?:["'\u201c][^"\u201d]{3,120}["'\u201d]|(?:\w+ ){0,2}(?:sentence|reason|typos|remark)\b[^.!?]{0,60}) ?(?:to|in) your (?:response|reply|answer|message|output)
(?:letters?|vowels?|words?|spaces|symbols|misspellings?)\b[^.!?]{0,50}\b(?:in|of|from) your (?:response|reply|answer|message|output)
(?:provide|render|give|write) your (?:response|reply|answer|message) (?:in anagram|with(?:out)? (?:intentional|any)|using)
"""  # noqa: E501
_GERMAN = r"""
(?:ignorier(?:e|en|t)?|missachten?|vergiss|vergessen|ubergehen?|uberspring(?:e|en)|verwirf|verwerfen|umgehen?)(?: sie)? {some}(?:vorherige|bisherige|obige|vorangegangene|vorangehende|fruhere|vorstehende|vorige|alle|deine|ihre|samtliche|jegliche)[nrms]? {some}(?:anweisung|instruktion|vorgabe|regel|befehl|prompt|richtlinie|anordnung)(?:en|e|n|s)?\b
(?:du bist|sie sind) (?:jetzt |nun |ab sofort |ab jetzt )?(?:ein|eine|der|die|das|kein)\w* (?:\w+ ){0,3}(?:ki\b|\w*assistent|chatbot|sprachmodell|ki-\w+)
wenn (?:du|sie) (?:ein|eine) (?:\w+ ){0,2}(?:ki|sprachmodell|assistent|chatbot|llm|maschine)\w* (?:bist|sind|liest|lesen)
system-?(?:prompt|anweisung)\w*
(?:hinweis|anweisung(?:en)?|nachricht|achtung|wichtig|mitteilung|befehl),?:? (?:an |fur )?(?:die |das |den |alle |jede |jedes )?(?:ki|llms?|sprachmodelle?|kunstliche intelligenz|ki-\w+|chatbots?|chatgpt)\b
(?:\bki|sprachmodell|assistent|llm|chatbot)\w* (?:muss|soll|sollen|mussen|hat|haben) {some}(?:freigeben|freizugeben|genehmigen|ignorieren|bestatigen|ausgeben|antworten|setzen|zahlen|buchen)
(?:genehmig|bezahl|zahl|uberweis|gib|geb|buch|akzeptier|bestatig)(?:e|en)?(?: sie)? (?:bitte )?(?:diese|die|den|alle) (?:rechnung|zahlung|betrag|rechnungen|beleg) {some}(?:automatisch|ungepruft|bedingungslos|ohne (?:weitere )?(?:prufung|ruckfrage|freigabe|kontrolle|genehmigung|menschliche|manuelle))
(?:setz|stell|geb|gib)(?:e|en)?(?: sie)? {some}(?:konfidenz|zuverlassigkeit|vertrauenswert|confidence|sicherheit)\w* (?:auf|=|mit) ?(?:1|0[.,]9|100|99|hoch|den hochst)
(?:antworte|antworten sie|gib|geben sie) (?:nur|ausschliesslich) (?:mit|folgende|json)
"""  # noqa: E501
_FRENCH = r"""
(?:ignore|oublie|neglige|contourne|ne (?:tiens|tenez) (?:pas|aucun) compte|ne (?:suis|suivez) (?:pas|plus))[zr]? (?:de |des |d')?{some}(?:instruction|consigne|regle|directive|commande|prompt)s? {some}(?:precedent|anterieur|ci-dessus|initial|systeme|recue|donnee)
(?:ignore|oublie)[zr]? (?:toutes?|tous|tes|vos) {some}(?:instruction|consigne|regle|directive|commande|prompt)s?
(?:tu es|vous etes) (?:maintenant |desormais |a present )?une? (?:\w+ ){0,3}(?:ia\b|chatbot|modele de langage|assistant (?:ia|virtuel)|intelligence artificielle)
si (?:tu es|vous etes) une? (?:\w+ ){0,2}(?:ia|modele de langage|assistant|intelligence artificielle|llm|machine|robot)\b
(?:prompt|invite|instructions) (?:du )?systeme
(?:note|message|instructions?|attention|consignes?|avis|important),?:? (?:a |aux |pour |destinee?s? a )?(?:l'|les |la |le |un |une |toute )?(?:ia|llms?|intelligence artificielle|modeles? de langage|assistants? (?:ia|virtuels?)|chatgpt)\b
(?:l'ia|l'assistant|le modele de langage|l'intelligence artificielle) (?:doit|devra|est prie) {some}(?:approuver|ignorer|payer|valider|repondre|mettre)
(?:approuve|paye|paie|regle|valide|accepte|comptabilise)[zr]? (?:cette|la|le|ce|toutes les) (?:facture|paiement|document|virement)s? {some}(?:automatiquement|sans (?:aucune? )?(?:autre )?(?:verification|controle|validation|revue|approbation|intervention|verifier))
(?:regle|met|mets|mettez|fixe|defini|definis|definissez|indique)[zr]? {some}confiance (?:a|sur|=|de) ?(?:1|0[.,]9|100|99|maxim)
"""  # noqa: E501
_SPANISH = r"""
(?:ignora|ignore|ignorar|olvida|olvide|descarta|descarte|omite|omita|no (?:sigas|siga|tengas en cuenta))r? {some}(?:instruccion|regla|indicacion|orden|directri|prompt)\w* {some}(?:anterior|previ|precedente|sistema|arriba|recibid)
(?:ignora|ignore|olvida|olvide) (?:todas?|todos|tus|sus) {some}(?:instruccion|regla|indicacion|directri)\w*
(?:ahora eres|eres ahora|a partir de ahora eres|eres) una? (?:\w+ ){0,3}(?:ia\b|chatbot|modelo de lenguaje|asistente (?:de ia|virtual)|inteligencia artificial)
si eres una? (?:\w+ ){0,2}(?:ia|modelo de lenguaje|asistente|inteligencia artificial|llm|maquina)\b
(?:prompt|instrucciones|indicaciones) del sistema
(?:nota|mensaje|instruccion(?:es)?|atencion|aviso|importante),?:? (?:para |a |al )?(?:la |el |los |las |cualquier )?(?:ia|llms?|inteligencia artificial|modelos? de lenguaje|asistentes? (?:de ia|virtual(?:es)?)|chatgpt)\b
(?:la ia|el asistente|el modelo de lenguaje) debe {some}(?:aprobar|ignorar|pagar|responder|poner)
(?:aprueb|apruev|pagu|pag|autoric|autoriz|acept)[ae]r? (?:esta|la|el|este|todas las) (?:factura|pago|documento)s? {some}(?:automaticamente|sin (?:mas |ninguna )?(?:revision|verificacion|aprobacion|comprob\w+|control|intervencion))
(?:pon|ponga|establece|establezca|fija|fije|ajusta|ajuste|asigna) {some}confianza (?:en|a|al|=|de) ?(?:1|0[.,]9|100|99|maxim)
"""  # noqa: E501
_OTHERS = r"""
(?:negeer|vergeet) {some}(?:vorige|eerdere|bovenstaande|alle) {some}(?:instructies|opdrachten|regels|aanwijzingen)
(?:ignora|dimentica) {some}(?:istruzioni|regole) {some}(?:precedenti|di sistema)
(?:ignore|ignora|esqueca) {some}(?:instrucoes|regras) {some}(?:anteriores|previas|do sistema)
"""
_MARKERS = r"""
<\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|eot_id|begin_of_text|start_header_id|end_header_id)\|>
\[/?inst\]
<</?sys>>
<(?:start|end)_of_turn>
</?(?:system|system_prompt|system-prompt|instructions|assistant|document)>
### ?(?:new |system )?(?:instruction|system|response|assistant|human)s?\b ?:?
(?<!\w)(?:system|assistant|human)(?: message| override| note)? ?: ?(?:you |ignore |disregard |approve |please |i will |i am |sure|override )
["']role["'] ?: ?["'](?:system|assistant)["']
"""  # noqa: E501


def _compiled(*, closed_up: bool = False) -> re.Pattern[str]:
    """All patterns as one; closed up, they find words that have lost the blanks between them."""
    spoken = f"{_ENGLISH}{_GERMAN}{_FRENCH}{_SPANISH}{_OTHERS}".split("\n")
    words = "|".join(line for line in spoken if line)
    if closed_up:
        return re.compile(words.replace("{some}", r"\w{0,30}?").replace(r"\b", "").replace(" ", ""))
    markers = "|".join(line for line in _MARKERS.split("\n") if line)
    return re.compile(rf"(?<!\w)(?:{words})|{markers}".replace("{some}", r"(?:[\w'-]+ ){0,5}?"))


_PHRASE = _compiled()
_CLOSED_UP = _compiled(closed_up=True)


def find(text: str) -> str | None:
    """The words that address a machine, readable, or None."""
    pieces = (text[start : start + PIECE] for start in range(0, len(text), PIECE - OVERLAP))
    return next((phrase for piece in pieces for said in _spoken(piece) if (phrase := _phrase(said))), None)


def _spoken(text: str) -> Iterator[str]:
    """The text, and what it says in disguise."""
    yield text
    for tags in _TAGS.finditer(text):
        yield "system prompt " + "".join(chr(ord(c) - 0xE0000) for c in tags[0])
    if _SELECTORS.search(text):
        yield "system prompt in variation selectors"
    for blob in _BASE64.finditer(text):
        yield _decoded(blob[0])
    for blob in _HEX.finditer(text):
        yield bytes.fromhex(re.sub("[ :]", "", blob[0])).decode("ascii", "replace")


def _phrase(said: str) -> str | None:
    folded = _folded(said)
    if match := _PHRASE.search(folded):
        return folded[match.start() : match.start() + LONGEST_PHRASE]
    for spaced in _SPACED.finditer(said):
        closed = re.sub(r"[\W_]", "", _folded(spaced[0]))
        if match := _CLOSED_UP.search(closed):
            return closed[match.start() : match.start() + LONGEST_PHRASE]
    return None


def _folded(text: str) -> str:
    """No capitals, accents, lookalikes or characters that show nothing, and one blank between words."""
    if text.isascii():
        return " ".join(text.lower().split())
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text)).casefold().translate(_LOOKALIKES)
    return " ".join(_NOTHING.sub("", apart).split())


def _decoded(blob: str) -> str:
    try:
        data = b64decode(blob.rstrip("=") + "=" * (-len(blob.rstrip("=")) % 4), altchars=b"-_" if "-" in blob else None)
    except (NotEncoded, ValueError):
        return ""
    return data.decode("ascii", "replace")
