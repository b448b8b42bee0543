"""E-mails: one case a document, and not a word dropped of the rest."""

import base64
import binascii
from email import policy
from email.message import EmailMessage
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.parsing import sniff
from schemas.source import IntakeLimits
from starters import mail
from starters.mail import looks_like_mail, split

DATA = Path(__file__).parents[2].parent / "shared" / "data"
PDF, XML = b"%PDF-1.7 an invoice", b"<Invoice>an invoice</Invoice>"
HEAD = b"From: Billing <billing@example.com>\r\nSubject: March\r\nMIME-Version: 1.0\r\n"


def picture(width: int, height: int, size: int = 0) -> bytes:
    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return header.ljust(size, b"\xaa")


def photograph(width: int, height: int) -> bytes:
    comment, frame = b"\xff\xfe\0\x06note", b"\xff\xc0\0\x11\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return b"\xff\xd8" + comment + frame + b"\x03"


def letter(text: str = "See attached.", html: str = "") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["Subject"] = "Jörg Brandt <billing@example.com>", "Rechnung März"
    message["Date"], message["Message-ID"] = "Mon, 02 Mar 2026 09:00:00 +0100", "<1@example.com>"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def attach(message: EmailMessage, data: bytes, name: str, kind: str = "application/octet-stream", **how: Any) -> None:
    maintype, _, subtype = kind.partition("/")
    message.add_attachment(data, maintype=maintype, subtype=subtype, filename=name or None, **how)


def names(data: bytes) -> list[str]:
    return [document.name for document in split(data).documents]


def reason(data: bytes) -> str:
    """Why the one thing left out was left out; nothing else may be in the mail."""
    found = split(data)
    assert found.documents == ()
    (left,) = found.left
    return f"{left.name}: {left.why}"


def part(*lines: bytes) -> bytes:
    """A mail whose one part reads like this."""
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + b"\r\n".join(lines) + b"\r\n--b--\r\n"


def test_each_document_is_one_and_the_text_is_evidence() -> None:
    message = letter("Two invoices.\n", html="<p>Two invoices.</p>")
    attach(message, PDF, "a.pdf", "application/pdf")
    attach(message, XML, "b.xml", "text/xml", disposition="inline")
    attach(message, photograph(1200, 1700), "IMG_1.jpg", "image/jpeg")
    attach(message, b"II*\0 a fax", "fax.tif", "image/tiff")

    found = split(message.as_bytes(policy=policy.SMTP))

    assert [one.name for one in found.documents] == ["a.pdf", "b.xml", "IMG_1.jpg", "fax.tif"]
    assert [one.data for one in found.documents[:2]] == [PDF, XML]
    assert found.left == ()
    assert found.mail.model_dump() == {
        "subject": "Rechnung März",
        "sender": "Jörg Brandt <billing@example.com>",
        "date": "2026-03-02T09:00:00+01:00",
        "message_id": "<1@example.com>",
        "text": "Two invoices.",
    }


@pytest.mark.parametrize("kind", ["application/octet-stream", "text/calendar", "image/png"])
def test_a_document_is_told_by_its_content_whatever_its_type_says(kind: str) -> None:
    encoded = base64.b64encode(PDF)
    lines = (b"Content-Type: " + kind.encode(), b"Content-Transfer-Encoding: base64", b"", encoded)
    assert [one.data for one in split(part(*lines)).documents] == [PDF]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"Content-Disposition: attachment; filename*=UTF-8''Rechnung%20M%C3%A4rz.pdf", "Rechnung März.pdf"),
        (b"Content-Disposition: attachment; filename*0=Rech; filename*1=nung.pdf", "Rechnung.pdf"),
        (b'Content-Type: application/pdf; name="=?utf-8?q?M=C3=A4rz.pdf?="', "März.pdf"),
        (b'Content-Disposition: attachment; filename="C:\\\\out\\\\..\\\\March.pdf"', "March.pdf"),
        (b"Content-Disposition: attachment; filename*=no-such-charset''x%FF.pdf", ""),
        (b"Content-Disposition: attachment", "part 1.pdf"),
    ],
)
def test_a_name_is_read_in_every_way_of_writing_it(header: bytes, name: str) -> None:
    (document,) = split(part(header, b"", PDF)).documents

    assert document.name.endswith(".pdf")
    assert name in ("", document.name)


def test_a_broken_encoding_keeps_what_can_be_read() -> None:
    encoded = base64.encodebytes(PDF * 9)
    declared = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64"
    cut = encoded[:-7] + b"*!?"

    assert split(part(declared, b"", cut)).documents[0].data.startswith(PDF)
    assert split(part(b"Content-Type: application/pdf", b"", encoded)).documents[0].data == PDF * 9


def test_a_uuencoded_file_in_the_text_is_found() -> None:
    lines = b"".join(binascii.b2a_uu(PDF[at : at + 45]) for at in range(0, len(PDF), 45))

    found = split(
        HEAD + b"\r\nHere it is:\r\n\r\nbegin 644 a.pdf\r\n" + lines.replace(b"\n", b"\r\n") + b"`\r\nend\r\n"
    )

    assert [(one.name, one.data) for one in found.documents] == [("a.pdf", PDF)]


@pytest.mark.parametrize("kind", ["message/rfc822", "application/octet-stream", "message/rfc822 in base64"])
def test_a_forwarded_mail_is_taken_apart_too(kind: str) -> None:
    inner = letter()
    attach(inner, PDF, "a.pdf", "application/pdf")
    data = inner.as_bytes()
    encoding = () if kind == "message/rfc822" else (b"Content-Transfer-Encoding: base64",)
    lines = (b"Content-Type: " + kind.split(maxsplit=1)[0].encode(), *encoding, b"", base64.encodebytes(data))

    assert names(part(*lines) if encoding else part(*lines[:-1], data)) == ["a.pdf"]


def test_parts_whose_boundary_nobody_named_are_found() -> None:
    assert names(part(b"x").replace(b"; boundary=b", b"").replace(b"\r\nx", b"\r\nContent-Type: a/b\r\n\r\n" + PDF))


def test_a_bounce_does_not_bring_the_returned_invoice_back() -> None:
    inner = letter()
    attach(inner, PDF, "a.pdf", "application/pdf")
    start = HEAD + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    returned = b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner.as_bytes() + b"\r\n--b--\r\n"

    assert "a bounce" in reason(start + b"--b\r\n\r\nIt did not arrive.\r\n" + returned)


def test_logos_are_no_cases_and_pasted_pages_are() -> None:
    message = letter(html='<p>Regards</p><img src="cid:logo@x"><img src="cid:page%40x"><img src="cid:banner@x">')
    for name, data in {
        "logo@x": picture(600, 600, 9_000),
        "page@x": picture(1240, 1754, 400_000),
        "banner@x": picture(1800, 300, 400_000),
    }.items():
        attach(message, data, f"{name}.png", "image/png", disposition="inline", cid=f"<{name}>")
    attach(message, picture(120, 40), "icon.png", "image/png")

    found = split(message.as_bytes())

    assert [one.name for one in found.documents] == ["page@x.png"]
    assert [(one.name, one.why) for one in found.left] == [
        ("logo@x.png", "an inline picture"),
        ("banner@x.png", "an inline picture"),
        ("icon.png", "a small picture: a logo or an icon"),
    ]


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        ("application/pgp-signature", b"-----BEGIN PGP SIGNATURE-----", "a signature"),
        ("application/pkcs7-mime", b"0\x82\x01", "encrypted"),
        ("application/ms-tnef", b"\x78\x9f\x3e\x22\0", "winmail.dat"),
        ("application/zip", b"PK\x03\x04 an archive", "unpack it"),
        ("application/pdf", b"PK\x03\x04 an archive", "unpack it"),
        ("application/zip", b"PK\x03\x04\x14\0\x06\0[Content_Types].xml", "an office file"),
        ("application/msword", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an office file"),
        ("text/calendar", b"BEGIN:VCALENDAR", "a calendar entry"),
        ("text/html", b"<?xml version='1.0'?>\n<html xmlns='x'>terms</html>", "a web page"),
        ("image/svg+xml", b"<?xml version='1.0'?><svg/>", "neither a PDF"),
        ("image/gif", b"GIF89a", "GIF"),
        ("application/octet-stream", b"", "empty"),
        ("text/plain", b"our terms", "neither a PDF"),
    ],
)
def test_what_is_no_document_is_left_out_by_name_with_the_reason(kind: str, data: bytes, why: str) -> None:
    message = letter()
    attach(message, data, "thing", kind)

    assert reason(message.as_bytes()).startswith("thing: ")
    assert why in reason(message.as_bytes())


@pytest.mark.parametrize(
    ("headers", "answers", "automatic"),
    [
        (b"References: <1@a> <2@a>\r\n <3@a>\r\nIn-Reply-To: <4@a>", ("<4@a>", "<3@a>", "<2@a>", "<1@a>"), False),
        (b"In-Reply-To: your message of Monday", (), False),
        (b"Auto-Submitted: auto-replied; owner=ada", (), True),
        (b"Auto-Submitted: no", (), False),
        (b"Precedence: Bulk", (), True),
    ],
)
def test_what_a_mail_says_of_its_thread(headers: bytes, answers: tuple[str, ...], automatic: bool) -> None:
    mail = split(b"From: ada@example.com\r\n" + headers + b"\r\n\r\nHello").mail

    assert (mail.answers, mail.automatic) == (answers, automatic)


def test_words_of_an_html_mail_are_read_without_its_scripts() -> None:
    page = "<html><head><title>x</title><style>p{}</style></head><p>Dear&nbsp;Sir,</p><script>evil()</script><p>pay"

    found = split(HEAD + b"Content-Type: text/html; charset=iso-8859-1\r\n\r\n" + page.encode() + b"\xe9!</p><![")

    assert found.mail.text.startswith("Dear Sir,\npayé!")
    assert "evil" not in found.mail.text
    assert (found.documents, found.left) == ((), ())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 1000, "more than 200 parts"),
        (HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 10_000, "more than 200 parts"),
        (HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 30, "nested too deep"),
        (HEAD + b"\r\n" + b"x" * mail.MAX_BYTES, "bytes, more than"),
        (
            b"From a@b.c Mon Mar 2 09:00:00 2026\r\n" + HEAD + b"\r\nx\r\n\r\nFrom b@b.c Mon 9:00 2026\r\n" + HEAD,
            "mailbox",
        ),
        (part(PDF)[:-7], "cut off"),
    ],
)
def test_what_is_beyond_the_bounds_is_said(data: bytes, why: str) -> None:
    assert any(why in left.why for left in split(data).left)


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"\r\n",
        b"\xef\xbb\xbf\r\n \r\n" + HEAD,
        b"From a@b.c Mon Mar 2 09:00:00 2026\n" + HEAD,
        b"Received: from x\r\n\tby y\r\nX-Any: 1\r\nDate: today\r\n\r\n%PDF-1.7",
    ],
)
def test_a_mail_is_told_by_its_headers(data: bytes) -> None:
    assert looks_like_mail(data)
    assert "an e-mail" in sniff.ingest(data, IntakeLimits()).verdict.reasons[0]


@pytest.mark.parametrize(
    "data", [PDF, XML, b"", b"Invoice: 1\nDate: 2026\n\nTotal", b"Content-Type: a/b\r\n\r\n" + PDF]
)
def test_what_is_no_mail_is_not_taken_for_one(data: bytes) -> None:
    assert not looks_like_mail(data)


HEADERS = st.sampled_from(
    [b"Content-Type", b"Content-Disposition", b"Content-Transfer-Encoding", b"From", b"Date", b"Subject", b"Content-ID"]
)
VALUES = st.sampled_from(
    b'multipart/mixed; boundary=b|message/rfc822|text/html; charset=hex|base64|x-uuencode|quoted-printable|"\\|;;=;|'
    b"attachment; filename*0*=''%; filename*1=|=?utf-8?b?//?=|<[(".split(b"|")
)
LINES = st.one_of(
    st.builds(lambda name, value, more: name + b": " + value + more, HEADERS, VALUES, st.binary(max_size=8)),
    st.sampled_from([b"", b"--b", b"--b--", b"begin 644 x", b"M", b"end", b"JVBERi0", b"<![if", PDF]),
    st.binary(max_size=30),
)


@settings(max_examples=400, deadline=None)
@given(lines=st.lists(LINES, max_size=25), glue=st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_no_bytes_at_all_make_it_fail(lines: list[bytes], glue: bytes) -> None:
    found = split(glue.join([*HEAD.split(b"\r\n")[:3], *lines]))

    found.mail.model_dump_json()
    assert all(left.name and left.why for left in found.left)
    assert all(document.name and document.data for document in found.documents)


def test_every_odd_mail_is_taken_apart_in_time() -> None:
    files = [path for path in sorted((DATA / "mails").rglob("*")) if path.is_file()]
    if not files:
        pytest.skip(f"no {DATA / 'mails'}")

    for path in files:
        start = monotonic()
        split(path.read_bytes()).mail.model_dump_json()

        assert monotonic() - start < 1, path.name


@pytest.mark.parametrize("charset", ["punycode", "PUNYCODE"])
def test_charset_that_is_none_costs_no_time(charset: str) -> None:
    words = b"a" * 400_000
    begun = monotonic()

    found = split(HEAD + b"Content-Type: text/plain; charset=" + charset.encode() + b"\r\n\r\n" + words)

    assert set(found.mail.text) == {"a"}
    assert monotonic() - begun < 1
