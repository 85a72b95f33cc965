"""What guessers try first: words that many use, years, rows of keys. What is left of a password counts.

Lists of breached passwords have few that are as long as the policy asks for; those are such words with
something in front or behind (OWASP ASVS 2.1.7, NIST SP 800-63B 5.1.1.2).
"""

import re
from collections.abc import Iterable, Iterator

LEAST_OWN = 4  # characters that aren't part of anything that guessers try
_SHORTEST = 3  # of a word, a run
_KEYS = 4  # beside one another
_LEET = str.maketrans("01345789@$!|+", "oleastbgasilt")
_ROWS = (
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "!@#$%^&*()",
)
_WORDS = frozenset(
    """
    password passwort kennwort passwd passcode pass secret geheim login signin welcome willkommen hello
    hallo admin administrator root user guest master test tester testing demo temp default change
    changeme letmein open access portal work worker label labels labeling annotator annotate truthmill
    groundtruth company firma office team boss chef computer laptop internet server google facebook
    amazon microsoft windows apple iphone android samsung linkedin twitter youtube whatsapp love
    iloveyou ichliebedich liebe schatz baby angel sweet honey lovely princess prince king queen flower
    rainbow sunshine sunny star moon heaven butterfly cookie chocolate cheese pizza coffee banana orange
    cherry summer winter spring autumn fall sommer herbst monday tuesday wednesday thursday friday
    saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonntag january february march
    april may june july august september october november december januar februar maerz mai juni juli
    oktober dezember football fussball baseball basketball soccer hockey tennis golf arsenal chelsea
    liverpool barcelona madrid juventus bayern dortmund schalke yankees cowboys eagles steelers lakers
    dragon monkey tiger lion panther eagle falcon horse dog cat hund katze maus bear wolf fox shark
    dolphin snoopy superman batman spiderman starwars pokemon pikachu naruto minecraft fortnite matrix
    ninja hunter killer shadow phoenix ranger thunder trustno freedom whatever nothing forever mustang
    ferrari porsche mercedes harley corvette yamaha honda bmw audi money dollar euro gold silver diamond
    magic power energy michael michelle jennifer jessica jordan daniel thomas andrew joshua matthew
    ashley amanda nicole charlie robert william anthony george maria anna peter stefan andreas christian
    martin alexander sebastian julia laura sarah lisa lena max paul felix david maggie buster ginger
    pepper bailey berlin london paris america deutschland germany england france turkey india brazil
    canada china one two three four five six seven eight nine zero the and not you for this that
    """.split()  # noqa: SIM905 easier to read and to add to
)


def is_common(password: str, about: Iterable[str] = ()) -> bool:
    """Whether little is left of it without what guessers try. about: what they know of its owner."""
    lower = password.lower()
    covered = {at for at, character in enumerate(lower) if not character.isalnum()}
    words = {part for each in about for part in re.split(r"[^a-z0-9]+", each.lower())} | _WORDS
    known = {word for word in words if len(word) >= _SHORTEST}
    for text in (lower, lower.translate(_LEET)):
        for start, end in _spans(text, known):
            covered.update(range(start, end))
    return len(lower) - len(covered) < LEAST_OWN


def _spans(text: str, words: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Where in it are words, rows of keys either way, runs, and digits at either end."""
    for word in words:
        yield from (found.span() for found in re.finditer(re.escape(word), text))
    for row in [*_ROWS, *(row[::-1] for row in _ROWS)]:
        for begin in range(len(row) - _KEYS + 1):  # of more keys each four are found
            keys = re.escape(row[begin : begin + _KEYS])
            yield from (found.span() for found in re.finditer(keys, text))
    for shape in (r"^\d+", r"\d+$", r"(?:19|20)\d\d", r"(.)\1{2,}", r"(..+)\1+"):
        yield from (found.span() for found in re.finditer(shape, text))
    yield from _runs(text)


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Characters that follow one another in the alphabet or in counting, up or down: abc, 4321."""
    begin = 0
    for at in range(1, len(text) + 1):
        step = ord(text[at]) - ord(text[at - 1]) if at < len(text) else 0
        goes_on = at - begin == 1 or (at < len(text) and step == ord(text[at - 1]) - ord(text[at - 2]))
        if step in (1, -1) and goes_on:
            continue
        if at - begin >= _SHORTEST:
            yield begin, at
        begin = at - 1 if step in (1, -1) else at
