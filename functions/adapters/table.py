"""The labeling service's DynamoDB table: its primitives, in plain Python values.

One table with the key `pk`, `sk` and one sparse index `waiting` over `queue`, `place`; it
carries the keys, and who answered or declined.
"""

import os
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

INDEX = "waiting"
ATTEMPTS = 10
MOST_READ = 100  # items of one BatchGetItem
Item = dict[str, Any]
Key = tuple[str, str]


class ConditionFailedError(Exception):
    """What a write expected to find isn't there. failed: numbers of the failed writes of a transaction."""

    def __init__(self, failed: tuple[int, ...] = (0,)) -> None:
        super().__init__(f"condition of write {failed} failed")
        self.failed = failed


class Table:
    """The table by its client; every value is a str, int, bool, None, list or dict."""

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name

    def get(self, key: Key) -> Item | None:
        """The item as it is now (a consistent read)."""
        found = self.client.get_item(TableName=self.name, Key=encode_key(key), ConsistentRead=True)
        return decode_item(found["Item"]) if "Item" in found else None

    def get_all(self, *keys: Key) -> tuple[Item | None, ...]:
        """Some items as they are now, in the order asked for, a hundred by one request; each named once."""
        wanted = [encode_key(key) for key in keys]
        found: dict[Key, Item] = {}
        while wanted:
            asked = {self.name: {"Keys": wanted[:MOST_READ], "ConsistentRead": True}}
            answer = self.client.batch_get_item(RequestItems=asked)
            items = map(decode_item, answer["Responses"].get(self.name, []))
            found |= {(item["pk"], item["sk"]): item for item in items}
            left = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            wanted = left + wanted[MOST_READ:]
        return tuple(found.get(key) for key in keys)

    def put(self, item: Item, condition: str = "", values: Mapping[str, Any] | None = None) -> None:
        """Write an item whole. Raises ConditionFailedError."""
        self.write([self.putting(item, condition, values)])

    def delete(self, key: Key) -> None:
        self.client.delete_item(TableName=self.name, Key=encode_key(key))

    def query(
        self, pk: str, prefix: str = "", *, first: str = "", descending: bool = False, consistent: bool = True
    ) -> Iterator[Item]:
        """Items of one partition in the order of `sk`, page by page. first: where `sk` begins."""
        arguments: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ScanIndexForward": not descending,
            "ConsistentRead": consistent,
        }
        if prefix:
            arguments["KeyConditionExpression"] += " AND begins_with(sk, :prefix)"
            arguments["ExpressionAttributeValues"][":prefix"] = {"S": prefix}
        elif first:
            arguments["KeyConditionExpression"] += " AND sk >= :first"
            arguments["ExpressionAttributeValues"][":first"] = {"S": first}
        while True:
            page = self.client.query(**arguments)
            yield from map(decode_item, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def waiting(self, queue: str, after: str, until: str, limit: int) -> list[Item]:
        """Items of a queue as the index has them, after one place and up to another. May lag by a moment."""
        page = self.client.query(
            TableName=self.name,
            IndexName=INDEX,
            KeyConditionExpression="queue = :queue AND place BETWEEN :after AND :until",
            ExpressionAttributeValues=encode_item({":queue": queue, ":after": after or " ", ":until": until}),
            Limit=limit + 1,
        )
        items = map(decode_item, page["Items"])
        return [item for item in items if item["place"] > after][:limit]

    def putting(
        self, item: Item, condition: str = "", values: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """A put for `write`."""
        action: dict[str, Any] = {"TableName": self.name, "Item": encode_item(item)}
        _add_condition(action, condition, values or {})
        return {"Put": action}

    def updating(
        self, key: Key, expression: str, values: Mapping[str, Any], condition: str = ""
    ) -> dict[str, Any]:
        """An update for `write`. Attributes are written #name in expression and condition."""
        action: dict[str, Any] = {
            "TableName": self.name,
            "Key": encode_key(key),
            "UpdateExpression": expression,
        }
        _add_condition(action, condition, values)
        return {"Update": action}

    def write(self, actions: list[dict[str, Any]]) -> None:
        """All of the writes or none; tried again where another transaction is in the way.

        Raises ConditionFailedError with the numbers of the writes whose condition doesn't hold.
        """
        for attempt in range(ATTEMPTS):
            try:
                return self._write_once(actions)
            except ClientError as error:
                failed = _conditions_failed(error)
                if failed:
                    raise ConditionFailedError(failed) from error
                if not _in_the_way(error) or attempt == ATTEMPTS - 1:
                    raise
                time.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311 spreads the retries
        return None

    def _write_once(self, actions: list[dict[str, Any]]) -> None:
        if len(actions) > 1:
            self.client.transact_write_items(TransactItems=actions)
            return
        ((kind, action),) = actions[0].items()
        {"Put": self.client.put_item, "Update": self.client.update_item}[kind](**action)

    def write_many(self, items: Iterable[Item], workers: int = 8) -> int:
        """Put items without condition, 25 a request; some hundreds are held. Answers how many."""
        count = 0
        with ThreadPoolExecutor(workers) as pool:
            under_way: list[Any] = []
            for batch in _batches(items, 25):
                count += len(batch)
                under_way.append(pool.submit(self._write_batch, batch))
                if len(under_way) >= 2 * workers:
                    under_way.pop(0).result()
            for each in under_way:
                each.result()
        return count

    def _write_batch(self, batch: list[Item]) -> None:
        requests = [{"PutRequest": {"Item": encode_item(item)}} for item in batch]
        attempt = 0
        while requests:
            answer = self.client.batch_write_item(RequestItems={self.name: requests})
            requests = answer.get("UnprocessedItems", {}).get(self.name, [])
            if requests:
                attempt += 1
                time.sleep(random.uniform(0.01, 0.05) * 2 ** min(attempt, 7))  # noqa: S311 spreads the retries


@lru_cache(maxsize=1)
def table() -> Table:
    """The stack's table (TABLE_NAME)."""
    # What is asked is made by this module alone, and the tests see that it is well formed.
    config = Config(
        retries={"mode": "standard", "max_attempts": 6}, max_pool_connections=32, parameter_validation=False
    )
    return Table(boto3.client("dynamodb", config=config), os.environ["TABLE_NAME"])


def encode_key(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def encode_item(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: encode(value) for name, value in item.items()}


def decode_item(item: Mapping[str, Any]) -> Item:
    return {name: decode(value) for name, value in item.items()}


def encode(value: Any) -> dict[str, Any]:
    """A value in DynamoDB's form. Fractions aren't stored: they are kept as JSON text."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case list() | tuple():
            return {"L": [encode(each) for each in value]}
        case dict():
            return {"M": encode_item(value)}
    raise TypeError(f"{type(value).__name__} can't be stored")


def decode(value: Mapping[str, Any]) -> Any:
    """A value from DynamoDB's form."""
    ((kind, content),) = value.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return int(content)
        case "L":
            return [decode(each) for each in content]
        case "M":
            return decode_item(content)
    return content


def _add_condition(action: dict[str, Any], condition: str, values: Mapping[str, Any]) -> None:
    """Put condition and values into an action; `#name` stands for the attribute of that name."""
    if condition:
        action["ConditionExpression"] = condition
    text = f"{action.get('UpdateExpression', '')} {condition}"
    names = {
        word for word in text.replace("(", " ").replace(")", " ").replace(",", " ").split() if word[0] == "#"
    }
    if names:
        action["ExpressionAttributeNames"] = {name: name[1:] for name in names}
    if values:
        action["ExpressionAttributeValues"] = {f":{name}": encode(value) for name, value in values.items()}


def _conditions_failed(error: ClientError) -> tuple[int, ...]:
    if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
        return (0,)
    reasons: list[Mapping[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return tuple(i for i, reason in enumerate(reasons) if reason.get("Code") == "ConditionalCheckFailed")


def _in_the_way(error: ClientError) -> bool:
    """Whether another transaction, or too many of them, is the only reason."""
    code = error.response["Error"]["Code"]
    reasons: list[Mapping[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    codes = {reason.get("Code", "None") for reason in reasons} - {"None"}
    passing = {"TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"}
    return code in ("TransactionInProgressException", "TransactionConflictException") or (
        bool(codes) and codes <= passing
    )


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
