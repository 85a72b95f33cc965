"""What jobs' own functions answer, and what becomes of it."""

import pytest

from labeling.preparation import MAX_ITEM, _changes
from truthmill.custom_functions import FunctionAnswerError, read_consolidated
from truthmill.labeling_output import LabeledObject

LINE = '{"source-ref": "s3://b/a.png", "split": "train"}'
ASKED = [LabeledObject(number=number, line=LINE, state="labeled", answers=()) for number in range(2)]


def entry(number, **content):
    return {"datasetObjectId": str(number), "consolidatedAnnotation": {"content": content}}


def test_content_without_the_label_attribute_is_no_label():
    """As of a function that spells its attribute otherwise."""
    answer = [entry(0, words="a"), entry(1, wrods="b")]
    assert read_consolidated(answer, ASKED, "words") == {0: {"words": "a"}}


def test_content_takes_nothing_of_the_input_lines_place():
    """Keys of the input line pass through unchanged: twice in a line, the last one would count."""
    answer = [entry(0, words="a", split="test", more=1, **{"source-ref": "s3://b/other.png"})]
    assert read_consolidated(answer, ASKED, "words") == {0: {"words": "a", "more": 1}}


@pytest.mark.parametrize("answer", [None, [1], [{"datasetObjectId": "x"}], [entry("x", words="a")], "no"])
def test_an_answer_of_another_form_is_refused(answer):
    with pytest.raises(FunctionAnswerError, match="datasetObjectId"):
        read_consolidated(answer, ASKED, "words")


def test_an_answer_for_an_object_that_was_not_asked_about_is_refused():
    with pytest.raises(FunctionAnswerError, match="object 7"):
        read_consolidated([entry(7, words="a")], ASKED, "words")


def test_an_input_and_a_line_that_do_not_fit_one_item_are_refused():
    """90,000 characters each are allowed; of three bytes each they are more than the table's item takes."""
    assert _changes({"text": "a" * 90_000}, human=True, line="b" * 90_000)["input"]
    with pytest.raises(FunctionAnswerError, match=f"at most {MAX_ITEM}"):
        _changes({"text": "猫" * 90_000}, human=True, line="猫" * 90_000)
