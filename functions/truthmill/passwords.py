"""A user pool's password policy, in words, before the pool itself is asked."""

from collections.abc import Callable, Iterable

import msgspec

from truthmill.common_passwords import is_common

# Cognito's developer guide, "Adding user pool password requirements": what counts as a special character.
SYMBOLS = frozenset("^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= ")


class PasswordPolicy(msgspec.Struct, frozen=True, rename="pascal"):
    """As DescribeUserPool gives it."""

    minimum_length: int = 8
    require_lowercase: bool = False
    require_uppercase: bool = False
    require_numbers: bool = False
    require_symbols: bool = False


def rules(policy: PasswordPolicy, about: Iterable[str] = ()) -> list[tuple[str, Callable[[str], bool]]]:
    """Each rule in words, with its check. about: what a guesser knows of the password's owner."""
    known = tuple(about)

    def has(kind: Callable[[str], bool]) -> Callable[[str], bool]:
        return lambda password: any(map(kind, password))

    asked: list[tuple[bool, str, Callable[[str], bool]]] = [
        (True, f"at least {policy.minimum_length} characters", lambda p: len(p) >= policy.minimum_length),
        (policy.require_lowercase, "a lower case letter", has(lambda c: "a" <= c <= "z")),
        (policy.require_uppercase, "an upper case letter", has(lambda c: "A" <= c <= "Z")),
        (policy.require_numbers, "a digit", has(lambda c: "0" <= c <= "9")),
        (policy.require_symbols, "a special character", has(lambda c: c in SYMBOLS)),
        (True, "no space at either end", lambda p: p == p.strip()),
        (True, "more than common words, years and rows of keys", lambda p: not is_common(p, known)),
    ]
    return [(words, check) for wanted, words, check in asked if wanted]


def missing(password: str, policy: PasswordPolicy, about: Iterable[str] = ()) -> list[str]:
    """The rules that a password breaks, in words."""
    return [words for words, check in rules(policy, about) if not check(password)]


def pool_rule(error: str, message: str) -> str:
    """Why a user pool refuses a password, where it alone can tell: `used`, `known`, or `pool` for the rest.

    error: the name of Cognito's error. message: its text, which differs for one name.
    """
    if error == "PasswordHistoryPolicyViolationException" or "previously" in message:
        return "used"  # its history of a user's own passwords
    if "security reasons" in message or "compromised" in message:
        return "known"  # threat protection: a password out of a breach
    return "pool"
