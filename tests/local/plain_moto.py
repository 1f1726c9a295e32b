"""What moto does without our corrections, one check for each: run as a command, it prints JSON.

A check answers whether moto still differs from AWS, so that a correction nobody needs any more is noticed.
Nothing of ours is imported here: `python plain_moto.py registry parameters inference roles` or `… queues`.
"""

import contextlib
import functools
import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.sagemaker import models as sagemaker_models
from moto.sqs.models import Message, sqs_backends
from moto.ssm import models as ssm_models

REGION = "us-east-1"
TAG = {"Key": "team", "Value": "risk"}


client = functools.cache(boto3.client)


def spec(image):
    return {
        "Containers": [{"Image": image}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }


def takes(call, **arguments):
    """Whether moto does what AWS refuses."""
    try:
        call(**arguments)
    except ClientError:
        return False
    return True


def crashes(call, **arguments):
    """Whether moto falls over, where AWS answers."""
    try:
        call(**arguments)
    except ClientError:
        return False
    except Exception:  # noqa: BLE001 - moto's own, of any kind
        return True
    return False


class Rendezvous:
    """Calls of one function meet before they go on: two that need a lock then do their harm for certain."""

    def __init__(self, owner, name):
        self.owner, self.name, self.original = owner, name, getattr(owner, name)
        self.barrier = threading.Barrier(2)

    def __enter__(self):
        def meeting(*arguments, **named):
            with contextlib.suppress(threading.BrokenBarrierError):
                self.barrier.wait(0.5)
            return self.original(*arguments, **named)

        setattr(self.owner, self.name, meeting)

    def __exit__(self, *_):
        setattr(self.owner, self.name, self.original)


def both(call):
    """Do something in two threads at a time; give what came of it, errors left out."""
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(call, number) for number in range(2)]
    return [future.result() for future in futures if future.exception() is None]


class Registry:
    def __init__(self):
        self.sagemaker = client("sagemaker")
        self.sagemaker.create_model_package_group(ModelPackageGroupName="churn")

    def _new(self, **more):
        answer = self.sagemaker.create_model_package(
            ModelPackageGroupName="churn", InferenceSpecification=spec("first"), **more
        )
        return answer["ModelPackageArn"]

    def _update(self, arn, **change):
        self.sagemaker.update_model_package(ModelPackageArn=arn, **change)
        return self.sagemaker.describe_model_package(ModelPackageName=arn)

    def keep_omitted_fields(self):
        arn = self._new(ModelApprovalStatus="Approved")
        return "ModelApprovalStatus" not in self._update(arn, CustomerMetadataProperties={"dev": "Approved"})

    def merge_metadata(self):
        arn = self._new(CustomerMetadataProperties={"dev": "Approved"})
        merged = self._update(arn, CustomerMetadataProperties={"test": "Approved"})["CustomerMetadataProperties"]
        return "dev" not in merged

    def name_the_unknown_package(self):
        try:
            self.sagemaker.describe_model_package(ModelPackageName="arn:aws:sagemaker:::model-package/churn/99")
        except ClientError as error:
            return "does not exist" not in error.response["Error"]["Message"]
        return True

    def find_tagged_package(self):
        return crashes(self.sagemaker.add_tags, ResourceArn=self._new(), Tags=[TAG])

    def describe_dropped_fields(self):
        described = self.sagemaker.describe_model_package(ModelPackageName=self._new(SourceUri="s3://x"))
        return "SourceUri" not in described

    def store_dropped_fields(self):
        described = self._update(self._new(), InferenceSpecification=spec("second"))
        return described["InferenceSpecification"]["Containers"][0]["Image"] == "first"

    def name_who_created(self):
        described = self.sagemaker.describe_model_package(ModelPackageName=self._new())
        return "IamIdentity" not in described["CreatedBy"]

    def name_who_modified(self):
        return "IamIdentity" not in self._update(self._new(), ModelApprovalStatus="Approved")["LastModifiedBy"]

    def refuse_tags_on_a_version(self):
        return takes(self._new, Tags=[TAG])

    def refuse_bad_fields(self):
        return takes(self._update, arn=self._new(), CustomerMetadataProperties={"{": "x" * 300})

    def announce_created(self):
        return not heard("aws.sagemaker", self._new)

    def announce_updated(self):
        arn = self._new()
        return not heard("aws.sagemaker", lambda: self._update(arn, ModelApprovalStatus="Approved"))

    def serve_one_at_a_time(self):
        with Rendezvous(sagemaker_models, "ModelPackage"):
            arns = both(lambda _: self._new())
        return len(set(arns)) < 2


class Parameters:
    def __init__(self):
        self.ssm = client("ssm")

    def _put(self, name, value="1", **more):
        return self.ssm.put_parameter(Name=name, Value=value, Type="String", **more)

    def refuse_large_values(self):
        return takes(self._put, name="/large", value="x" * 4097)

    def refuse_references(self):
        return takes(self._put, name="/reference", value="{{ssm:other}}")

    def refuse_bad_names(self):
        return takes(self._put, name="/a name/with$signs")

    def announce_put(self):
        return not heard("aws.ssm", lambda: self._put("/announced"))

    def announce_deleted(self):
        self._put("/deleted")
        return not heard("aws.ssm", lambda: self.ssm.delete_parameter(Name="/deleted"))

    def _is_nameless(self, name):
        self._put(name)
        [version] = self.ssm.get_parameter_history(Name=name)["Parameters"]
        return version["LastModifiedUser"] == "N/A"

    def name_the_writer(self):
        return self._is_nameless("/written")

    def show_the_writer(self):
        return self._is_nameless("/shown")

    def serve_one_at_a_time(self):
        with Rendezvous(ssm_models, "Parameter"):
            return len(both(lambda number: self._put("/contested", str(number)))) == 2


class Queues:
    def __init__(self):
        self.sqs = client("sqs")
        self.made = 0

    def _new(self, **attributes):
        self.made += 1
        attributes = {"FifoQueue": "true", **attributes}
        return self.sqs.create_queue(QueueName=f"q{self.made}.fifo", Attributes=attributes)["QueueUrl"]

    def _send(self, url, text, group="churn", deduplication=None):
        self.sqs.send_message(
            QueueUrl=url,
            MessageBody=text,
            MessageGroupId=group,
            MessageDeduplicationId=deduplication or text,
        )

    def _receive(self, url, count=1, **more):
        answer = self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=count, MessageSystemAttributeNames=["All"], **more
        )
        return answer.get("Messages", [])

    def hand_out_once(self):
        url = self._new()
        self._send(url, "once")
        with Rendezvous(Message, "mark_received"):
            return len([found for found in both(lambda _: self._receive(url)) if found]) == 2

    def hand_out_once_without_spinning(self):
        url = self._new()
        self._send(url, "in flight")
        self._send(url, "blocked")
        self._receive(url)
        before = time.process_time()
        self._receive(url, WaitTimeSeconds=1)
        return time.process_time() - before > 0.1

    def refuse_expired_receipts(self):
        url = self._new()
        self._send(url, "slow")
        late = self._receive(url)[0]["ReceiptHandle"]
        self.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=late, VisibilityTimeout=0)
        time.sleep(0.005)
        self._receive(url)
        return takes(self.sqs.delete_message, QueueUrl=url, ReceiptHandle=late)

    def change_under_lock(self):
        """A message sent between moto's walk over the list and its putting the new list in place is lost."""
        url = self._new()
        self._send(url, "first")
        receipt = self._receive(url)[0]["ReceiptHandle"]
        queue = sqs_backends["123456789012"][REGION].queues[url.rsplit("/", 1)[-1]]

        senders = [threading.Thread(target=self._send, args=(url, "meanwhile", "another"))]

        class Walked(list):
            def __iter__(self):
                yield from super().__iter__()
                if senders:
                    sender = senders.pop()
                    sender.start()
                    sender.join(0.5)

        queue._messages = Walked(queue._messages)
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt)
        return not self._receive(url)

    def remember_deduplication_ids(self):
        url = self._new()
        self._send(url, "twice")
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=self._receive(url)[0]["ReceiptHandle"])
        self._send(url, "twice")
        return len(self._receive(url)) == 1

    def keep_dead_letters(self):
        dead = self._new()
        arn = self.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
        for url in (self._new(VisibilityTimeout="0", RedrivePolicy=policy) for _ in range(2)):
            self._send(url, "failed on both")
            self._receive(url)
            time.sleep(0.005)
            self._receive(url)
        return len(self._receive(dead, count=10)) == 1

    def number_in_order(self):
        url = self._new()
        for number in range(9):
            self._send(url, str(number))
        numbers = [message["Attributes"]["SequenceNumber"] for message in self._receive(url, count=10)]
        return numbers != sorted(numbers)


class Inference:
    def __init__(self):
        self.sagemaker, self.s3, self.events = client("sagemaker"), client("s3"), client("events")
        self.model = {"ModelName": "night", "ExecutionRoleArn": "arn:aws:iam::123456789012:role/batch"}
        self.sagemaker.create_model(**self.model, PrimaryContainer={"Image": "image"})

    def _job(self, name):
        return self.sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName="night",
            TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://in"}}},
            TransformOutput={"S3OutputPath": "s3://out"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )

    def deliver_entries(self):
        """What a function would have to be told by: AWS refuses this source, which moto takes."""
        entry = {"Source": "aws.sagemaker", "DetailType": "any", "Detail": "{}"}
        return not self.events.put_events(Entries=[entry])["FailedEntryCount"]

    def start_in_progress(self):
        self._job("first")
        return self.sagemaker.describe_transform_job(TransformJobName="first")["TransformJobStatus"] == "Completed"

    def announce_started(self):
        return not heard("aws.sagemaker", lambda: self._job("second"))

    def keep_to_the_owner(self):
        self.s3.create_bucket(Bucket="models")
        self.s3.put_object(Bucket="models", Key="a", Body=b"a")
        return takes(self.s3.get_object, Bucket="models", Key="a", ExpectedBucketOwner="999999999999")


class Roles:
    def ask_the_trust_policy(self):
        arn = "arn:aws:iam::222222222222:role/nobody-made-it"
        return takes(client("sts").assume_role, RoleArn=arn, RoleSessionName="bot")


def heard(source, act):
    """Whether EventBridge tells a rule of what is done."""
    events, sqs = client("events"), client("sqs")
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventPattern=json.dumps({"source": [source]}))
    events.put_targets(Rule="all", Targets=[{"Id": "1", "Arn": arn}])
    act()
    return bool(sqs.receive_message(QueueUrl=url).get("Messages"))


def differences(part):
    """Run one part's checks, each named like the correction it is about."""
    made = part()
    return {name: bool(check(made)) for name, check in vars(part).items() if not name.startswith("_")}


if __name__ == "__main__":
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
    }
    parts = {"registry": Registry, "parameters": Parameters, "queues": Queues, "inference": Inference, "roles": Roles}
    with mock_aws():
        found = {
            f"{name}.{check}": differs for name in sys.argv[1:] for check, differs in differences(parts[name]).items()
        }
    print(json.dumps(found))
