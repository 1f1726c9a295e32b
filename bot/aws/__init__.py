"""Amazon: the registry, Parameter Store, the queues, EventBridge's events, evaluation reports in S3."""
