"""Stored pictures: links that let a browser read one for some minutes, and their size in pixels."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import obstore
from obstore.exceptions import GenericError

from adapters.storage import storage
from truthmill.picture_size import MoreNeededError, picture_size
from truthmill.s3_uri import s3_location

LIFETIME = timedelta(minutes=15)
MOST_SOURCES = 16
HEAD = 65_536  # bytes that nearly always hold a picture's size


def link(uri: str) -> str:
    """A presigned GET of an S3 URI; whoever has it reads this one object until it runs out."""
    bucket, key = s3_location(uri)
    store: Any = storage(bucket).store  # S3Store, which can sign
    return str(obstore.sign(store, "GET", key, LIFETIME))


def picture_sources(links: Iterable[str]) -> str:
    """The links as sources of a Content-Security-Policy: each without its query is that one object.

    A path without a slash at its end matches only itself (CSP Level 3, 6.7.2.10). Where there are more than a
    header takes, the folders that the objects lie in, and in the end their host.
    """
    exact = {urlsplit(each)._replace(query="", fragment="") for each in links}
    folders = {each._replace(path=each.path.rpartition("/")[0] + "/") for each in exact}
    hosts = {each._replace(path="") for each in exact}
    chosen = next((some for some in (exact, folders) if len(some) <= MOST_SOURCES), hosts)
    return " ".join(sorted(urlunsplit(each).replace(";", "%3B").replace(",", "%2C") for each in chosen))


def stored_size(uri: str) -> tuple[int, int] | None:
    """Width and height of a stored picture, from its first bytes; None where it can't be told."""
    bucket, key = s3_location(uri)
    store, needed = storage(bucket), HEAD
    while True:
        try:
            head = store.read_range(key, 0, needed)
        except (OSError, GenericError):
            return None
        try:
            return picture_size(head)
        except MoreNeededError as error:
            if len(head) < needed:  # that was the whole file
                return None
            needed = error.bytes_needed + HEAD
