"""The password policy in words."""

import pytest

from truthmill.passwords import PasswordPolicy, missing, pool_rule, rules

POLICY = PasswordPolicy(
    minimum_length=12, require_lowercase=True, require_uppercase=True, require_numbers=True
)


@pytest.mark.parametrize(
    ("password", "lacks"),
    [
        ("Their own passw0rd", []),
        ("Short1", ["at least 12 characters"]),
        ("Summer2026!!", ["more than common words, years and rows of keys"]),
        ("their own passw0rd", ["an upper case letter"]),
        ("THEIR OWN PASSW0RD", ["a lower case letter"]),
        ("Their own password", ["a digit"]),
        ("Their own passw0rd ", ["no space at either end"]),
        ("äöüßêñäçæøåœ", ["a lower case letter", "an upper case letter", "a digit"]),
    ],
)
def test_what_a_password_lacks_is_said(password, lacks):
    assert missing(password, POLICY) == lacks


def test_a_symbol_is_asked_for_only_where_the_policy_does():
    policy = PasswordPolicy(minimum_length=6, require_symbols=True)
    assert missing("kzqvfh", policy) == ["a special character"]
    assert missing("kzq-vfh", policy) == []
    assert "a special character" not in [words for words, _ in rules(POLICY)]


def test_long_passwords_and_every_character_are_taken():
    policy = PasswordPolicy(
        minimum_length=12, require_lowercase=True, require_uppercase=True, require_numbers=True
    )
    password = "Ab1\u00e9 \U0001f431" + "".join(chr(0x4E00 + 7 * number) for number in range(200))
    assert missing(password, policy) == []
    assert len(password) == 206


@pytest.mark.parametrize(
    ("error", "message", "rule"),
    [
        ("PasswordHistoryPolicyViolationException", "Password has previously been used.", "used"),
        ("InvalidPasswordException", "Provided password cannot be used for security reasons.", "known"),
        (
            "InvalidPasswordException",
            "Password did not conform with policy: Password not long enough",
            "pool",
        ),
    ],
)
def test_why_a_pool_refuses_a_password_is_told_in_a_word(error, message, rule):
    """Cognito's own texts; only the name of the first is documented."""
    assert pool_rule(error, message) == rule
