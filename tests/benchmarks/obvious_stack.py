"""What a function looks like that takes the obvious libraries whole: the yardstick of `make imports`."""

import boto3
import ccxt
from aws_lambda_powertools import Logger, Metrics, Tracer
from pydantic import BaseModel
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

logger = Logger(service="obvious")
metrics = Metrics(namespace="obvious", service="obvious")
tracer = Tracer(service="obvious")


class Order(BaseModel):
    """One request model."""

    symbol: str
    amount: str


class Orders(Model):
    """One table."""

    class Meta:
        table_name = "orders"
        region = "us-east-1"

    order_id = UnicodeAttribute(hash_key=True)


Order.model_validate({"symbol": "BTC/USDT", "amount": "1"})
Orders._get_connection()
dynamodb = boto3.client("dynamodb", region_name="us-east-1")
exchange = ccxt.binance()
