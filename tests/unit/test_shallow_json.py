"""JSON from outside: as deep as it may be, and no deeper, however deep it is."""

import json

import msgspec
import pytest

from labeling_builders import BUILT_IN
from truthmill.errors import ManifestError
from truthmill.labeling_input import read_input_line, read_label_categories
from truthmill.labeling_kinds import kinds
from truthmill.shallow_json import MAX_DEPTH, decode, decode_object

LAMBDAS = {
    "PreHumanTaskLambdaArn": BUILT_IN + "PRE-BoundingBox",
    "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": BUILT_IN + "ACS-BoundingBox"},
}


def nested(depth):
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("text", ["7", "[]", '{"a": {"b": [1, {}]}}', nested(MAX_DEPTH)])
def test_what_is_shallow_is_decoded_as_it_is(text):
    assert decode(text) == json.loads(text)


@pytest.mark.parametrize("text", [nested(MAX_DEPTH + 1), nested(900), nested(100_000), "[" * 100_000])
def test_what_is_deeper_is_refused_however_deep_it_is(text):
    with pytest.raises(msgspec.DecodeError, match="nested more than 100 deep"):
        decode(text)


def test_an_object_is_no_list():
    assert decode_object(b'{"a": [1]}') == {"a": [1]}
    with pytest.raises(msgspec.DecodeError, match="Expected `object`, got `array`"):
        decode_object("[]")


def test_a_manifest_or_a_category_file_that_is_nested_deeply_says_so():
    line = f'{{"source-ref": "s3://b/a.png", "x": {nested(5_000)}}}'.encode()
    with pytest.raises(ManifestError, match=r"line 3.*nested more than 100 deep"):
        read_input_line(line, "boxes", kinds(LAMBDAS), ("cat",), "in.manifest, line 3")
    with pytest.raises(ManifestError, match="isn't a label category file"):
        read_label_categories(nested(100_000).encode(), "labels.json")
