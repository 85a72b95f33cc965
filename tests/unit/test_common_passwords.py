"""Passwords that guessers try first."""

import pytest

from truthmill.common_passwords import is_common

OF_ANN = ["ann.miller@example.com"]


@pytest.mark.parametrize(
    "password",
    [
        "Password1234",
        "P@ssw0rd!!!!1",
        "Welcome2026!!",
        "Summer2026Winter",
        "Qwertyuiop12",
        "1qaz2wsx3EDC",
        "Asdfghjkl;123",
        "Abcdefgh1234",
        "Zyxwvu987654",
        "Aaaaaaaaaaa1",
        "Xy1Xy1Xy1Xy1",
        "Iloveyou1234",
        "Passwort2026!",
        "Dragon Monkey 77",
        "Truthmill2026",
        "Ann.Miller2026",
    ],
)
def test_what_guessers_try_first_is_common(password):
    assert is_common(password, OF_ANN)


@pytest.mark.parametrize(
    "password",
    [
        "Their own passw0rd",
        "k7Gq2pXz9LmR",
        "Correct horse battery staple 9",
        "Schnabeltier im Regen 5",
        "xK9!mTq2#Lp0",
        "\u5c0f\u732b\u559c\u6b22\u9c7c Aa1 \u548c\u725b\u5976",
    ],
)
def test_what_has_something_of_its_own_is_not(password):
    assert not is_common(password, OF_ANN)


def test_what_is_known_of_somebody_else_is_no_reason():
    assert not is_common("Ben.Schuster26", OF_ANN)
    assert is_common("Ben.Schuster26", ["ben.schuster@example.com"])
