"""Queues, mails, seals, buckets and AWS's word for who we are."""

import json
import time
from email.message import EmailMessage

import jwt
import pytest
from botocore.exceptions import ClientError

from bot.aws.assertion import aws_assertion
from bot.aws.clients import code_of
from bot.aws.outbox import NotSent, SesOutbox
from bot.aws.seal import KmsSealer
from bot.errors import BrokenLink
from tests.live.targets import REAL

SIMULATOR = "success@simulator.amazonses.com"
"""Takes mails for nobody: https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html."""
AUDIENCE = "api://AzureADTokenExchange"


class Fifo:
    """A FIFO queue of one test."""

    def __init__(self, aws, name, after, **attributes):
        self.url, self.arn = aws.queue(f"{name}.fifo", after, FifoQueue="true", **attributes)
        self.sqs = aws.patient("sqs")

    def send(self, text, group="churn"):
        self.sqs.send_message(QueueUrl=self.url, MessageBody=text, MessageGroupId=group, MessageDeduplicationId=text)

    def receive(self, count=10, wait=2):
        asked = {"MaxNumberOfMessages": count, "WaitTimeSeconds": wait, "MessageSystemAttributeNames": ["All"]}
        return self.sqs.receive_message(QueueUrl=self.url, **asked).get("Messages", [])

    def delete(self, message):
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])


def test_a_fifo_queue_keeps_the_order_of_a_group_and_lets_others_pass(aws, unique, after):
    """`hand_out_once`, `number_in_order`: one decision of a model at a time rests on it (slack 1, aws 4)."""
    queue = Fifo(aws, unique, after)
    for number in range(3):
        queue.send(str(number))
    queue.send("other", "fraud")
    first = queue.receive(count=1)
    assert [each["Body"] for each in queue.receive()] == ["other"]
    queue.delete(first[0])
    rest = queue.receive()
    assert [each["Body"] for each in (*first, *rest)] == ["0", "1", "2"]
    numbers = [int(each["Attributes"]["SequenceNumber"]) for each in (*first, *rest)]
    assert numbers == sorted(numbers)


def test_a_repeated_deduplication_id_is_dropped_also_after_the_first_was_deleted(aws, unique, after):
    """`remember_deduplication_ids`: five minutes, whatever became of the first (slack 1, aws 4)."""
    queue = Fifo(aws, unique, after)
    queue.send("once")
    queue.delete(queue.receive()[0])
    queue.send("once")
    assert queue.receive() == []


def test_a_receiver_that_was_too_slow_deletes_nothing(aws, unique, after):
    """`refuse_expired_receipts`: what another has been given since stays (aws 4)."""
    queue = Fifo(aws, unique, after, VisibilityTimeout="1")
    queue.send("slow")
    late = queue.receive()[0]
    time.sleep(1.2)
    with pytest.raises(ClientError, match="expired"):
        queue.delete(late)
    assert len(queue.receive(wait=5)) == 1


def test_what_failed_too_often_goes_to_the_dead_letters(aws, unique, after):
    """`keep_dead_letters`: with its group and its body (aws 4, 11)."""
    dead = Fifo(aws, f"{unique}-dead", after)
    redrive = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": "1"})
    queue = Fifo(aws, unique, after, VisibilityTimeout="1", RedrivePolicy=redrive)
    queue.send("failing")
    assert len(queue.receive()) == 1
    time.sleep(1.2)
    assert queue.receive() == []
    [message] = dead.receive(wait=10)
    assert (message["Body"], message["Attributes"]["MessageGroupId"]) == ("failing", "churn")


def mail(sender, **headers):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, SIMULATOR, "A test of Model Approvals"
    for name, value in headers.items():
        message[name] = value
    message.set_content("Nobody reads this.")
    message.add_alternative("<p>Nobody reads this.</p>", subtype="html")
    return message.as_bytes()


def test_ses_takes_a_whole_mime_message_of_a_verified_sender_alone(aws):
    """`refuse_malformed`: raw MIME goes as it is; strangers and a header given twice are refused (aws 4)."""
    sender, outbox = aws.told["LIVE_MAIL_FROM"], SesOutbox(aws.clients)
    assert outbox.send(mail(sender), [SIMULATOR]).endswith(".amazonses.com")
    with pytest.raises(NotSent, match="MessageRejected"):
        outbox.send(mail("nobody@never-verified.example.com"), [SIMULATOR])
    twice = mail(sender).replace(b"Subject:", b"Subject: twice\nSubject:", 1)
    with pytest.raises(NotSent, match="BadRequestException"):
        outbox.send(twice, [SIMULATOR])


def test_a_seal_opens_for_its_own_purpose_alone(aws):
    """KMS refuses another encryption context, and a seal with a letter changed (identity 8)."""
    sealer = KmsSealer(aws.clients, aws.told["LIVE_SEAL_KEY"])
    sealed = sealer.seal("ticket", "é")
    assert sealer.unseal("ticket", sealed) == "é"
    with pytest.raises(BrokenLink):
        sealer.unseal("link", sealed)
    with pytest.raises(BrokenLink):
        sealer.unseal("ticket", sealed[:-8] + ("A" if sealed[-8] != "A" else "B") + sealed[-7:])


def test_a_bucket_of_another_owner_than_expected_is_not_read(aws, unique, after):
    """`keep_to_the_owner`: ExpectedBucketOwner is asked at each read (reliability 7)."""
    s3 = aws.patient("s3")
    where = {} if aws.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
    s3.create_bucket(Bucket=unique, **where)
    after.callback(s3.delete_bucket, Bucket=unique)
    s3.put_object(Bucket=unique, Key="report", Body=b"{}")
    after.callback(s3.delete_object, Bucket=unique, Key="report")
    asked = {"Bucket": unique, "Key": "report"}
    assert s3.get_object(**asked, ExpectedBucketOwner=aws.account)["Body"].read() == b"{}"
    with pytest.raises(ClientError) as refused:
        s3.get_object(**asked, ExpectedBucketOwner="999999999999")
    assert code_of(refused.value) == "AccessDenied"


@pytest.mark.parametrize("aws", REAL, indirect=True)  # moto has no GetWebIdentityToken
def test_aws_says_in_a_token_which_role_this_is(aws, unique):
    """RS256, one audience, the role's ARN as subject: what Entra's federated credential is told (identity 3)."""
    token = aws_assertion(aws.session(unique), AUDIENCE)()
    claims = jwt.decode(token, options={"verify_signature": False})
    assert jwt.get_unverified_header(token)["alg"] == "RS256"
    assert (claims["aud"] in (AUDIENCE, [AUDIENCE]), claims["sub"]) == (True, aws.told["LIVE_AWS_ROLE"])
    assert claims["exp"] - claims["iat"] <= 300
