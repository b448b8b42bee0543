"""Documents: what arrived, turned into text and data by processes that may be killed."""

import base64
from dataclasses import dataclass

from temporalio import activity

from activities.abuse import abuse_in
from activities.audit import Audit
from activities.cases import entered
from activities.conversation import conversation_in, said_in
from activities.failures import kept
from activities.parsers import Parsers
from activities.store import Blobs
from schemas.case import IngestRequest
from schemas.mail import Mail
from schemas.source import PAGES, Document, Ingested, Source, Verdict

UNENTERED = "no starter of ours entered this start: nothing was read; start cases with 'casework start'"


@dataclass(frozen=True)
class Documents:
    blobs: Blobs
    parsers: Parsers
    audit: Audit

    @activity.defn(name="documents.ingest")
    def ingest(self, request: IngestRequest) -> Document:
        """Tell what the bytes are and whether anybody can work with them; never fails because of what they hold."""
        if refused := self._unentered(request):
            return refused
        source = request.source
        data = kept(self.blobs, source.digest, "the document")
        found = self.parsers.ingest(data, request.limits)
        mail = self._mail(source)
        verdict = found.verdict.joined(said_by(self.parsers, mail)) if mail else found.verdict
        return self._told(request, found.model_copy(update={"verdict": verdict}))

    @activity.defn(name="documents.ingest_message")
    def ingest_message(self, request: IngestRequest) -> Document:
        """The same of a message, which is a document itself: what was said, and nothing that came with it."""
        if refused := self._unentered(request):
            return refused
        return self._told(request, ingested(self.parsers, conversation_in(self.blobs, request.source).text))

    def _unentered(self, request: IngestRequest) -> Document | None:
        """Refuse a case that was started past our starters, under whatever policy, before anything is read."""
        if request.start is None or entered(self.audit.engine, request.case, request.start):
            return None
        head = self.audit.record(request.case, "start.refused", {"start": request.start})
        return Document(
            source=request.source,
            format="unknown",
            verdict=Verdict(status="malformed", reasons=(UNENTERED,)),
            head=head,
        )

    def _told(self, request: IngestRequest, found: Ingested) -> Document:
        source, verdict = request.source, found.verdict
        xml = base64.b64decode(found.xml) if found.xml else None
        findings = self.parsers.check_einvoice(xml) if xml else ()
        head = self.audit.record(
            request.case,
            "document.ingested",
            {
                "source": source.digest,
                "format": found.format,
                "verdict": verdict.status,
                "reasons": list(verdict.reasons),
                "rules_broken": [finding.code for finding in findings],
            },
        )
        return Document(
            source=source,
            format=found.format,
            verdict=verdict,
            page_count=len(found.pages),
            text=self.blobs.put(PAGES.dump_json(found.pages)) if any(page.lines for page in found.pages) else None,
            xml=self.blobs.put(xml) if xml else None,
            findings=findings,
            head=head,
        )

    def _mail(self, source: Source) -> Mail | None:
        if source.mail is None:
            return None
        return Mail.model_validate_json(kept(self.blobs, source.mail, "the mail it came in"))


def ingested(parsers: Parsers, text: str) -> Ingested:
    """A message: what it says, and whether it is fit to be answered by a machine."""
    found = parsers.ingest_text(text)
    if words := abuse_in(text):
        abusive = Verdict(status="abusive", reasons=(f"it insults or threatens: {words}",))
        return found.model_copy(update={"verdict": found.verdict.joined(abusive)})
    return found


def said_by(parsers: Parsers, mail: Mail) -> Verdict:
    """Words to a machine in the mail that brought a document say what to expect of the document."""
    said = parsers.ingest_text(said_in(mail)).verdict
    if said.status != "suspicious":
        return Verdict()
    return Verdict(status="suspicious", reasons=tuple(f"in its mail, {reason}" for reason in said.reasons))
