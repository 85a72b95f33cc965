"""A DynamoDB server in memory: as much of the protocol as the labeling service speaks, in its own process.

The local engine and moto sort or copy a whole queue or table for a request, which takes a tenth of a second
and more with a hundred thousand objects; here partitions and the index are kept sorted. One request is done
after the other, so a transaction is one. What isn't known here is refused, not guessed. Requests for other
services (Lambda, EventBridge, Cognito) are counted and answered as if all were well.

    with TableStore() as store: … store.endpoint … store.counted()
"""

import asyncio
import http.client
import json
import re
import subprocess
import sys
from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from types import TracebackType
from typing import Any, Self

import msgspec

PAGE_BYTES = 1_000_000  # of one answer to a query, as of DynamoDB
PROJECTED = (
    "pk",
    "sk",
    "queue",
    "place",
    "answered",
    "declined",
)  # of the index, as in labeling/template.yaml
LAST = "\U0010ffff"
_CLAUSE = re.compile(r"\b(SET|ADD|REMOVE)\b")

Item = dict[str, Any]
Row = tuple[str, str]  # pk, sk


class ConditionFailedError(Exception):
    """A condition doesn't hold."""


class Partition:
    """Items of one pk, in the order of sk."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.items: dict[str, Item] = {}


class Store:
    """The one table, and its index by queue and place."""

    def __init__(self) -> None:
        self.partitions: dict[str, Partition] = defaultdict(Partition)
        self.queues: dict[str, list[tuple[str, str, str]]] = defaultdict(list)  # place, pk, sk
        self.counts: Counter[str] = Counter()

    def found(self, key: Item) -> Item | None:
        partition = self.partitions.get(key["pk"]["S"])
        return partition.items.get(key["sk"]["S"]) if partition else None

    def put(self, item: Item) -> None:
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        partition = self.partitions[pk]
        before = partition.items.get(sk)
        if before is None:
            insort(partition.order, sk)
        elif "queue" in before:
            waiting = self.queues[before["queue"]["S"]]
            del waiting[bisect_left(waiting, (before["place"]["S"], pk, sk))]
        partition.items[sk] = item
        if "queue" in item:
            insort(self.queues[item["queue"]["S"]], (item["place"]["S"], pk, sk))

    def delete(self, key: Item) -> None:
        item = self.found(key)
        if item is not None:
            self.put({"pk": item["pk"], "sk": item["sk"]})
            partition = self.partitions[key["pk"]["S"]]
            del partition.items[key["sk"]["S"]]
            del partition.order[bisect_left(partition.order, key["sk"]["S"])]

    def prepared(self, kind: str, action: Item) -> Item:
        """The item as a write leaves it. Raises ConditionFailedError."""
        before = self.found(action["Item"] if kind == "Put" else action["Key"])
        if not holds(action.get("ConditionExpression", ""), action, before):
            raise ConditionFailedError
        item: Item = action["Item"] if kind == "Put" else updated(action, before)
        return item


def holds(condition: str, action: Item, item: Item | None) -> bool:
    """Whether a condition does; alternatives of `attribute_[not_]exists(#a)`, `#a = :b`, `#a < :b`."""
    return not condition or any(_holds(part.strip(), action, item or {}) for part in condition.split(" OR "))


def _holds(part: str, action: Item, item: Item) -> bool:
    if found := re.fullmatch(r"attribute_(not_)?exists\((#\w+)\)", part):
        return (_name(action, found[2]) in item) != bool(found[1])
    compared = re.fullmatch(r"(#\w+) (=|<) (:\w+)", part)
    if compared is None:
        raise ValueError(f"condition {part!r}")
    left = item.get(_name(action, compared[1]))
    right = action["ExpressionAttributeValues"][compared[3]]
    if compared[2] == "=":
        return left == right
    return left is not None and int(left["N"]) < int(right["N"])


def updated(action: Item, before: Item | None) -> Item:
    """The item after an update of clauses `SET #a = :b`, `ADD #a :b`, `REMOVE #a`."""
    item = dict(before or action["Key"])
    values = action.get("ExpressionAttributeValues", {})
    pieces = _CLAUSE.split(action["UpdateExpression"])[1:]
    for clause, text in zip(pieces[::2], pieces[1::2], strict=True):
        for part in text.split(","):
            name, *rest = part.split()
            attribute = _name(action, name)
            if clause == "SET":
                item[attribute] = values[rest[1]]
            elif clause == "ADD":
                was = int(item.get(attribute, {"N": "0"})["N"])
                item[attribute] = {"N": str(was + int(values[rest[0]]["N"]))}
            else:
                item.pop(attribute, None)
    return item


def _name(action: Item, placeholder: str) -> str:
    return str(action["ExpressionAttributeNames"][placeholder])


class Refused(Exception):  # noqa: N818 - an answer of the protocol, not an error of this server
    """An error of the protocol."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.answer = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code, **more}


class Operations:
    """What is asked for, by the operation's name."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def answer(self, target: str, request: Item) -> Item:
        name = target.rpartition(".")[2]
        self.store.counts[name] += 1
        answered: Item = getattr(self, f"do_{name}")(request)
        return answered

    def do_GetItem(self, request: Item) -> Item:  # noqa: N802 - as the protocol names it
        item = self.store.found(request["Key"])
        return {"Item": item} if item is not None else {}

    def do_BatchGetItem(self, request: Item) -> Item:  # noqa: N802
        ((table, asked),) = request["RequestItems"].items()
        items = [item for key in asked["Keys"] if (item := self.store.found(key)) is not None]
        return {"Responses": {table: items}, "UnprocessedKeys": {}}

    def do_PutItem(self, request: Item) -> Item:  # noqa: N802
        return self._one("Put", request)

    def do_UpdateItem(self, request: Item) -> Item:  # noqa: N802
        return self._one("Update", request)

    def _one(self, kind: str, request: Item) -> Item:
        try:
            self.store.put(self.store.prepared(kind, request))
        except ConditionFailedError as error:
            raise Refused("ConditionalCheckFailedException") from error
        return {}

    def do_DeleteItem(self, request: Item) -> Item:  # noqa: N802
        self.store.delete(request["Key"])
        return {}

    def do_BatchWriteItem(self, request: Item) -> Item:  # noqa: N802
        ((_, writes),) = request["RequestItems"].items()
        for write in writes:
            self.store.put(write["PutRequest"]["Item"])
        return {"UnprocessedItems": {}}

    def do_TransactWriteItems(self, request: Item) -> Item:  # noqa: N802
        made: list[Item] = []
        reasons: list[Item] = []
        for transact in request["TransactItems"]:
            ((kind, action),) = transact.items()
            try:
                made.append(self.store.prepared(kind, action))
                reasons.append({"Code": "None"})
            except ConditionFailedError:
                reasons.append({"Code": "ConditionalCheckFailed"})
        if len(made) < len(reasons):
            raise Refused("TransactionCanceledException", CancellationReasons=reasons)
        for item in made:
            self.store.put(item)
        return {}

    def do_Query(self, request: Item) -> Item:  # noqa: N802
        values = {name: value["S"] for name, value in request["ExpressionAttributeValues"].items()}
        if request.get("IndexName"):
            return self._waiting(values, request["Limit"])
        return self._rows(request, values)

    def _waiting(self, values: dict[str, str], limit: int) -> Item:
        order = self.store.queues.get(values[":queue"], [])
        first = bisect_left(order, (values[":after"],))
        last = bisect_right(order, (values[":until"], LAST))
        rows = [self.store.partitions[pk].items[sk] for _, pk, sk in order[first : min(last, first + limit)]]
        projected = [{name: row[name] for name in PROJECTED if name in row} for row in rows]
        return {"Items": projected, "Count": len(rows)}

    def _rows(self, request: Item, values: dict[str, str]) -> Item:
        partition = self.store.partitions.get(values[":pk"])
        if partition is None:
            return {"Items": [], "Count": 0}
        begin = values.get(":prefix", values.get(":first", ""))
        end = values[":prefix"] + LAST if ":prefix" in values else LAST
        keys = partition.order[bisect_left(partition.order, begin) : bisect_right(partition.order, end)]
        if not request.get("ScanIndexForward", True):
            raise ValueError("descending")
        if "ExclusiveStartKey" in request:
            keys = keys[bisect_right(keys, request["ExclusiveStartKey"]["sk"]["S"]) :]
        items: list[Item] = []
        size = 0
        for key in keys:
            items.append(partition.items[key])
            size += len(msgspec.json.encode(partition.items[key]))
            if size > PAGE_BYTES:
                more = {"LastEvaluatedKey": {"pk": items[-1]["pk"], "sk": items[-1]["sk"]}}
                return {"Items": items, "Count": len(items), **more}
        return {"Items": items, "Count": len(items)}

    def do_PutEvents(self, request: Item) -> Item:  # noqa: N802 - EventBridge's
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in request["Entries"]]}

    def do_AdminGetUser(self, request: Item) -> Item:  # noqa: N802 - Cognito's
        return {"Username": request["Username"], "Enabled": True}

    def do_AdminListGroupsForUser(self, _request: Item) -> Item:  # noqa: N802 - Cognito's
        return {"Groups": [{"GroupName": "bench"}]}


class Connection(asyncio.Protocol):
    """HTTP/1.1 with bodies of a known length, and nothing else."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of a socket's connection
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            first, *lines = self.buffer[:end].decode("latin-1").split("\r\n")
            headers = {
                name.lower(): text.strip() for name, _, text in (each.partition(":") for each in lines)
            }
            stop = end + 4 + int(headers.get("content-length", 0))
            if len(self.buffer) < stop:
                return
            body, self.buffer = self.buffer[end + 4 : stop], self.buffer[stop:]
            self.respond(first.split()[1], headers, body)

    def respond(self, path: str, headers: dict[str, str], body: bytes) -> None:
        status, answer = 200, {}
        if path == "/_counted":
            answer = dict(self.operations.store.counts)
        elif "/functions/" in path:
            status = 202
            self.operations.store.counts[f"invoke {path.split('/')[3]}"] += 1
        else:
            try:
                answer = self.operations.answer(headers["x-amz-target"], msgspec.json.decode(body))
            except Refused as error:
                status, answer = 400, error.answer
        content = msgspec.json.encode(answer)
        head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
        self.transport.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)


class TableStore:
    """The server as a process, from `with` to its end."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None  # noqa: S101 - it was asked for, one line above
        self.port = int(self._process.stdout.readline())
        self.endpoint = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()

    @property
    def environment(self) -> dict[str, str]:
        """What points the functions at it."""
        services = ("DYNAMODB", "LAMBDA", "EVENTBRIDGE", "COGNITO_IDENTITY_PROVIDER")
        return {f"AWS_ENDPOINT_URL_{name}": self.endpoint for name in services}

    def counted(self) -> Counter[str]:
        """Requests so far, by operation; invocations as `invoke <function>`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", "/_counted")
        counts: Counter[str] = Counter(json.loads(connection.getresponse().read()))
        connection.close()
        return counts


async def main() -> None:
    operations = Operations(Store())
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(operations), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
