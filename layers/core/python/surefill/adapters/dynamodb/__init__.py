"""The store on DynamoDB: `DynamoStore` for the use cases, `TABLES` for the template, `decode` for stream images."""

from surefill.adapters.dynamodb.codec import decode
from surefill.adapters.dynamodb.connection import ApiCall, SharedConnection
from surefill.adapters.dynamodb.patience import Patience
from surefill.adapters.dynamodb.schema import TABLES
from surefill.adapters.dynamodb.store import DynamoStore

__all__ = ["TABLES", "ApiCall", "DynamoStore", "Patience", "SharedConnection", "decode"]
