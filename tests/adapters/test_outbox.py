"""Mails through SES, over HTTP, against one that rewrites and refuses as SES does."""

import logging
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from botocore.stub import Stubber

from bot.aws.clients import Clients
from bot.aws.outbox import REFUSALS, NotSent, SesOutbox
from bot.errors import Refused, Unavailable
from bot.mail.channel import Outbox
from infra.local.aws import REGION
from infra.local.mailbox import Mailbox

SENDER, MAYA, OMAR = "approvals@example.com", "maya.chen@example.com", "omar.haddad@example.com"


@pytest.fixture
def aws(running):
    running.faults.clear()
    running.reset()
    running.client("sesv2").create_email_identity(EmailIdentity=SENDER)
    return running


@pytest.fixture(scope="module")
def outbox(running) -> Outbox:
    return SesOutbox(Clients(REGION))


def mail(text="Hello", *, sender=f"Model Approvals <{SENDER}>", to=MAYA):
    message = EmailMessage(SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, "Approve churn v2 for dev?"
    message["Message-ID"] = "<churn.2.dev.1@example.com>"
    message.set_content(text)
    return message.as_bytes()


def failures(caplog):
    """The lines of the log that are counted."""
    return [each for each in caplog.records if "mail_failed" in each.getMessage() and each.levelno == logging.ERROR]


# ------------------------------------------------------------------------------------------------------------- contract


class Shelf:
    """An outbox in memory."""

    def __init__(self):
        self.sent = []

    def send(self, message, to):
        if message_from_bytes(message)["From"] != f"Model Approvals <{SENDER}>":
            raise Refused("nobody knows this sender")
        self.sent.append((message, tuple(to)))
        return f"{len(self.sent)}@shelf.example.com"


@pytest.fixture(params=["memory", "ses"])
def either(request) -> Outbox:
    if request.param == "memory":
        return Shelf()
    request.getfixturevalue("aws")
    return request.getfixturevalue("outbox")


def test_each_mail_has_an_id_of_its_own_that_can_be_answered(either):
    ids = [either.send(mail(), [MAYA]), either.send(mail(), [MAYA])]
    assert len(set(ids)) == 2
    for each in ids:
        local, at, domain = each.partition("@")
        assert local
        assert at
        assert domain
        assert not set("<> \r\n") & set(each)


def test_an_unknown_sender_is_refused(either):
    with pytest.raises(Refused):
        either.send(mail(sender="eve@evil.example"), [MAYA])


# --------------------------------------------------------------------------------------------------------- what is sent


def test_a_mail_arrives_whole_with_the_id_that_was_given(aws, outbox):
    given = outbox.send(mail("ä" * 200, to=f"{MAYA}, {OMAR}"), [MAYA, OMAR])
    (arrived,) = Mailbox().mails()
    assert arrived.message_id == given
    assert given.endswith("@email.amazonses.com")
    assert arrived.recipients == (MAYA, OMAR)
    assert arrived.text == "ä" * 200 + "\n"
    assert arrived.subject == "Approve churn v2 for dev?"


def test_outside_the_oldest_region_the_id_names_the_region(aws):
    region = "eu-central-1"
    aws.client("sesv2", region=region).create_email_identity(EmailIdentity="example.com")
    given = SesOutbox(Clients(region)).send(mail(), [MAYA])
    (arrived,) = Mailbox(region=region).mails(MAYA)
    assert arrived.message_id == given
    assert given.endswith("@eu-central-1.amazonses.com")


def test_the_address_that_has_to_be_verified_is_the_mails_own(aws, outbox):
    clients = Clients(REGION)
    with Stubber(clients("sesv2")) as ses:
        content = mail()
        asked = {
            "FromEmailAddress": SENDER,
            "Destination": {"ToAddresses": [MAYA]},
            "Content": {"Raw": {"Data": content}},
        }
        ses.add_response("send_email", {"MessageId": "0100-1"}, asked)
        assert SesOutbox(clients).send(content, (MAYA,)) == "0100-1@email.amazonses.com"
        ses.assert_no_pending_responses()


# ------------------------------------------------------------------------------------------------------ what goes wrong


def test_every_error_that_ses_knows_is_a_refusal_or_may_pass(outbox):
    operation = Clients(REGION)("sesv2").meta.service_model.operation_model("SendEmail")
    known = {shape.error_code for shape in operation.error_shapes}
    assert known == {*REFUSALS, "LimitExceededException", "TooManyRequestsException"}


@pytest.mark.parametrize("code", REFUSALS)
def test_what_ses_refuses_for_good_says_who_has_to_do_what(aws, outbox, code, caplog):
    aws.faults.add("SendEmail", status=404 if code == "NotFoundException" else 400, code=code)
    with pytest.raises(NotSent) as refused:
        outbox.send(mail(), [MAYA])
    assert str(refused.value) == f"SES refused the mail ({code}): {REFUSALS[code]}."
    assert len(str(refused.value)) < 160
    assert len(failures(caplog)) == 1
    assert len([call for call in aws.calls if call.action == "SendEmail"]) == 1


def test_a_sender_that_is_not_verified_is_named_in_the_log(aws, outbox, caplog):
    with pytest.raises(NotSent, match="MessageRejected"):
        outbox.send(mail(sender="other@example.org"), [MAYA])
    (failure,) = failures(caplog)
    assert "other@example.org" in failure.getMessage()
    assert Mailbox().mails() == []


def test_more_than_fifty_addresses_are_refused(aws, outbox):
    with pytest.raises(NotSent, match="BadRequestException"):
        outbox.send(mail(), [f"p{number}@example.com" for number in range(51)])


@pytest.mark.parametrize(("status", "code"), [(429, "TooManyRequestsException"), (418, "SomethingNew")])
def test_what_may_pass_is_tried_again_later(aws, outbox, status, code, caplog):
    aws.faults.add("SendEmail", status=status, code=code, times=None)
    with pytest.raises(Unavailable, match=f"ses:SendEmail failed: {code}"):
        outbox.send(mail(), [MAYA])
    assert len(failures(caplog)) == 1


def test_without_the_right_to_send_the_log_says_what_to_grant(aws, outbox, caplog):
    aws.faults.add("SendEmail", status=403)
    with pytest.raises(Unavailable, match="AccessDenied"):
        outbox.send(mail(), [MAYA])
    assert "grant ses:SendEmail" in caplog.text
    assert len(failures(caplog)) == 1


def test_a_call_that_could_not_be_made_holds_up_no_card(aws, outbox, caplog):
    """A bug of ours is logged and counted like anything else about mails."""
    with pytest.raises(Unavailable, match="ParamValidationError"):
        outbox.send(mail(), [None])
    assert len(failures(caplog)) == 1


def test_an_answer_that_was_lost_may_be_a_twin(aws, outbox):
    aws.faults.add("SendEmail", status="reset", after=True)
    given = outbox.send(mail(), [MAYA])
    assert [each.message_id for each in Mailbox().mails(MAYA)][-1] == given
    assert len(Mailbox().mails(MAYA)) == 2
