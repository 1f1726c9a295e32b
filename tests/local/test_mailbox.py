"""The local SES rewrites and refuses as SES does, and its mailboxes show what was delivered."""

import inspect
import threading
import time
from datetime import UTC, datetime
from email.errors import MessageDefect

import pytest
from botocore.exceptions import ClientError
from moto.ses.exceptions import MessageRejectedError
from moto.sesv2.models import SESV2Backend, sesv2_backends

from infra.local.aws import ACCOUNT, REGION, Aws
from infra.local.mailbox import Mailbox
from infra.local.moto_corrections import mail as corrections

SENDER, MAYA, OMAR = "approvals@example.com", "maya.chen@example.com", "omar.haddad@example.com"
CORRECTIONS = {correction.fix.__name__: correction.fix for correction in corrections.CORRECTIONS}
HEADERS = (
    "From: Model Approvals <approvals@example.com>", f"To: {MAYA}", "Subject: Approve?",
    "Date: Mon, 1 Jan 2001 00:00:00 +0000", "Message-ID:", " <ours@example.com>",
    "References: <a@example.com> <b@example.com>", "In-Reply-To: <b@example.com>",
)  # fmt: skip
BODY = "Message-ID: this is text\r\n\r\nDate: so is this\r\n"
TWO_PARTS = (
    "MIME-Version: 1.0",
    'Content-Type: multipart/alternative; boundary="b"',
    "",
    "--b",
    "Content-Type: text/plain; charset=utf-8",
    "",
    "Look: https://example.com/a",
    "--b",
    "Content-Type: text/html; charset=utf-8",
    "",
    '<p><a href="https://example.com/a?x=1&amp;y=2">Look</a><a>no</a><img src="https://example.com/c"></p>',
    "--b--",
)


@pytest.fixture(scope="module")
def running():
    with Aws() as aws:
        yield aws


@pytest.fixture
def aws(running):
    running.reset()
    running.client("sesv2").create_email_identity(EmailIdentity=SENDER)
    return running


@pytest.fixture
def mailbox():
    return Mailbox()


def raw(*more, body=BODY):
    return ("\r\n".join((*HEADERS, *more)) + "\r\n\r\n" + body).encode()


def send(aws, data=None, to=(MAYA,), region=REGION):
    answer = aws.client("sesv2", region=region).send_email(
        FromEmailAddress=SENDER, Destination={"ToAddresses": list(to)}, Content={"Raw": {"Data": data or raw()}}
    )
    return answer["MessageId"]


def refused(call, *arguments, **named):
    with pytest.raises(ClientError) as caught:
        call(*arguments, **named)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


# -------------------------------------------------------------------------------------------------------- moto as it is


class Plain:
    """moto's own SES without corrections, which lie around it; a check says whether it still differs from AWS."""

    def __init__(self):
        self.backend = SESV2Backend(REGION, ACCOUNT)
        self.backend.core_backend.verify_email_identity(SENDER)

    def send(self, data=None, to=(MAYA,)):
        plain = inspect.unwrap(SESV2Backend.send_raw_email)
        return plain(self.backend, source=SENDER, destinations=list(to), raw_data=(data or raw()).decode())

    def override_headers(self):
        return "<ours@example.com>" in self.send().raw_data

    def deliver_as_addressed(self):
        return self.send(to=[OMAR]).destinations == [OMAR, MAYA]

    def refuse_too_many(self):
        with pytest.raises(MessageRejectedError, match="Too many recipients"):
            self.send(to=[MAYA] * 51)
        return True

    def refuse_malformed(self):
        return bool(self.send(raw("Subject: Another"))) and bool(self.send(raw(body="x" * 1001)))


@pytest.mark.parametrize("name", CORRECTIONS)
def test_moto_without_the_correction_still_differs_from_aws(aws, name):
    differs = getattr(Plain(), name)
    assert differs(), f"moto now does so by itself: drop the correction {name} ({CORRECTIONS[name].__doc__})"


def test_every_correction_is_laid_over_moto(aws):
    laid, method = 0, vars(SESV2Backend)["send_raw_email"]
    while method is not inspect.unwrap(method):
        laid, method = laid + 1, method.__wrapped__
    assert laid == len(CORRECTIONS)


# ---------------------------------------------------------------------------------------------------------- as SES does


@pytest.mark.parametrize(
    ("region", "domain"), [(REGION, "email.amazonses.com"), ("eu-west-1", "eu-west-1.amazonses.com")]
)
def test_a_mail_arrives_with_the_id_and_the_date_of_ses(aws, region, domain):
    aws.client("sesv2", region=region).create_email_identity(EmailIdentity=SENDER)
    given = send(aws, region=region)
    (arrived,) = Mailbox(region=region).mails()
    assert arrived.message_id == f"{given}@{domain}"
    assert arrived.headers.get_all("Message-ID") == [f"<{arrived.message_id}>"]
    assert abs((arrived.headers["Date"].datetime - datetime.now(UTC)).total_seconds()) < 60
    assert len(arrived.headers.get_all("Date", [])) == 1


def test_all_else_arrives_as_it_was_sent(aws, mailbox):
    send(aws)
    (arrived,) = mailbox.mails()
    kept = [line for line in HEADERS if not line.startswith(("Date", "Message-ID", " "))]
    assert arrived.raw.partition(b"\r\n\r\n")[0].decode().split("\r\n")[2:] == kept
    assert arrived.raw.endswith(BODY.encode())
    assert arrived.text == BODY.replace("\r\n", "\n")


def test_a_mail_goes_where_it_is_addressed_whatever_its_headers_say(aws, mailbox):
    send(aws, to=[OMAR])
    assert mailbox.mails(MAYA) == []
    assert [each.to for each in mailbox.mails(OMAR)] == [MAYA]
    send(aws, to=[f"p{number}@example.com" for number in range(50)])
    assert len(mailbox.mails("p49@example.com")) == 1


def test_more_than_fifty_recipients_are_a_bad_request(aws, mailbox):
    code, message = refused(send, aws, to=[f"p{number}@example.com" for number in range(51)])
    assert (code, message) == ("BadRequestException", "Recipient count exceeds 50.")
    assert mailbox.mails() == []


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (raw("Subject: Another"), "Duplicate header 'Subject'"),
        (raw("message-id: <x@y.example>"), "Duplicate header 'Message-ID'"),
        (raw(body="x" * 1001), "Line length exceeds 1000"),
    ],
    ids=["subject twice", "id twice", "long line"],
)
def test_what_ses_does_not_take_is_a_bad_request(aws, mailbox, data, why):
    code, message = refused(send, aws, data)
    assert code == "BadRequestException"
    assert why in message
    assert mailbox.mails() == []


def test_more_than_forty_megabytes_are_a_bad_request(aws, mailbox):
    """Without HTTP, which takes seconds for that much."""
    large = "\r\n".join(HEADERS) + "\r\n\r\n" + ("x" * 998 + "\r\n") * 32_000
    with pytest.raises(corrections.BadRequest, match="Message length is more than 41943040 bytes"):
        sesv2_backends[ACCOUNT][REGION].send_raw_email(source=SENDER, destinations=[MAYA], raw_data=large)
    assert mailbox.mails() == []


def test_a_sender_that_nobody_verified_is_rejected(aws, mailbox):
    aws.client("sesv2").delete_email_identity(EmailIdentity=SENDER)
    code, message = refused(send, aws)
    assert code == "MessageRejected"
    assert SENDER in message
    assert mailbox.mails() == []


# ---------------------------------------------------------------------------------------------------------- the mailbox


def test_a_mail_is_read_as_a_mail_reader_does(aws, mailbox):
    data = ("\r\n".join((*HEADERS, *TWO_PARTS)) + "\r\n").encode()
    send(aws, data)
    (arrived,) = mailbox.mails(MAYA)
    assert arrived.sender == "Model Approvals <approvals@example.com>"
    assert (arrived.to, arrived.recipients, arrived.subject) == (MAYA, (MAYA,), "Approve?")
    assert arrived.text == "Look: https://example.com/a"
    assert arrived.html.startswith("<p><a href=")
    assert arrived.links == ("https://example.com/a?x=1&y=2",)
    assert arrived.in_reply_to == "b@example.com"
    assert arrived.headers["References"] == "<a@example.com> <b@example.com>"


def test_a_mail_of_one_part_has_no_html_and_answers_nothing(aws, mailbox):
    send(aws, f"From: {SENDER}\r\nTo: {MAYA}\r\nSubject: Hello\r\n\r\nHello\r\n".encode())
    (arrived,) = mailbox.mails()
    assert (arrived.text, arrived.html, arrived.links) == ("Hello\n", "", ())
    assert arrived.in_reply_to == ""


@pytest.mark.parametrize(
    "more",
    ['Content-Type: multipart/mixed; boundary="never"', "Content-Transfer-Encoding: base64", "Sender: <broken"],
    ids=["no such boundary", "no base64", "broken address"],
)
def test_a_malformed_mail_is_noticed(aws, mailbox, more):
    send(aws, raw("MIME-Version: 1.0", more, body="!"))
    with pytest.raises((MessageDefect, ValueError)):
        mailbox.mails()


def test_mails_lie_in_the_order_in_which_they_came(aws, mailbox):
    ids = [send(aws) for _ in range(3)]
    assert [each.message_id.partition("@")[0] for each in mailbox.mails()] == ids


def test_a_mail_that_comes_later_is_waited_for(aws, mailbox):
    later = threading.Timer(0.1, send, [aws])
    later.start()
    arrived = mailbox.until(lambda mails: mails and mails[0], address=MAYA, timeout=5)
    later.join()
    assert arrived.subject == "Approve?"


def test_a_mail_that_does_not_come_is_given_up_in_time(aws, mailbox):
    send(aws)
    started = time.monotonic()
    with pytest.raises(TimeoutError, match=OMAR):
        mailbox.until(bool, address=OMAR, timeout=0.1)
    assert time.monotonic() - started < 2
