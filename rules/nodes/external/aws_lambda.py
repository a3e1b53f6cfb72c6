"""AWS Lambda."""

from rules.node import Category, Config
from rules.node.unavailable import UnavailableNode


class AwsLambdaConfig(Config, frozen=True):
    """The function, who calls it, and how long it may take (s)."""

    NEW = {"region": "us-east-1", "qualifier": "$LATEST", "connectionTimeout": 10, "requestTimeout": 5}

    access_key: str | None = None
    secret_key: str | None = None
    region: str | None = None
    function_name: str | None = None
    qualifier: str | None = None
    connection_timeout: int = 0
    request_timeout: int = 0
    tell_failure_if_func_throws_exc: bool = False


class AwsLambda(UnavailableNode):
    """Calls a function of AWS Lambda with the body and puts its answer into the body.

    Not available yet: a message leaves by Failure. Chains with this node are imported and saved unchanged.
    """

    TYPE = "org.thingsboard.rule.engine.aws.lambda.TbAwsLambdaNode"
    NAME = "aws lambda"
    CATEGORY = Category.EXTERNAL
    CONFIG = AwsLambdaConfig
    CONFIG_DIRECTIVE = "tbExternalNodeLambdaConfig"
