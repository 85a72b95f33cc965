"""What workers know a task by: a number that says nothing of the object it stands for.

A job's gold tasks are numbered after its own objects, so whoever read those numbers in the page's requests
could tell them. A permutation that only the service knows hides that, and the order of the manifest with it.
"""

from hashlib import blake2b

NAMES = 1_000_000  # six digits; more than the objects and gold pictures that a job may have
_HALF_BITS = 10  # two halves are 1,048,576: hardly ever is one walked past
_HALF = 1 << _HALF_BITS
_ROUNDS = 6


def name_of(secret: str, number: int) -> str:
    """The name of an object or gold picture. secret: the job's; without one the name is the number."""
    return f"{_walk(secret, number, range(_ROUNDS)) if secret else number:06d}"


def number_of(secret: str, name: str) -> int:
    """The inverse of `name_of`, for any number of six digits."""
    return _walk(secret, int(name), range(_ROUNDS - 1, -1, -1)) if secret else int(name)


def _walk(secret: str, value: int, rounds: range) -> int:
    """Permute until the value is below NAMES again, which keeps it a permutation of those (cycle walking)."""
    while True:
        value = _permuted(secret, value, rounds)
        if value < NAMES:
            return value


def _permuted(secret: str, value: int, rounds: range) -> int:
    """A Feistel network: backwards through the rounds, with the halves exchanged, is its inverse."""
    left, right = divmod(value, _HALF)
    if rounds.step < 0:
        left, right = right, left
    for each in rounds:
        left, right = right, left ^ _mixed(secret, each, right)
    if rounds.step < 0:
        left, right = right, left
    return left * _HALF + right


def _mixed(secret: str, each: int, half: int) -> int:
    digest = blake2b(f"{each} {half}".encode(), key=secret.encode(), digest_size=2).digest()
    return int.from_bytes(digest) % _HALF
