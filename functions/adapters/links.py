"""Links that let a browser read one object for some minutes."""

from datetime import timedelta
from typing import Any

import obstore

from adapters.storage import storage

LIFETIME = timedelta(minutes=15)


def link(uri: str) -> str:
    """A presigned GET of an S3 URI; whoever has it reads this one object until it runs out."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    store: Any = storage(bucket).store  # S3Store, which can sign
    return str(obstore.sign(store, "GET", key, LIFETIME))
