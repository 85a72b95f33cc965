"""Pascal VOC: what is particular to it."""

from truthmill.channels import pascal_voc
from truthmill.channels.writing import Whole
from truthmill.dataset import Heading


def test_a_class_name_that_does_not_print_is_escaped_as_in_json_beyond_the_basic_plane_too():
    """U+E0001 is the pair DB40 DC01 in UTF-16, of which JSON's escapes are."""
    files = list(pascal_voc.finish(Heading(labels=("cat", "\U000e0001", "\x07")), {}))
    assert files == [Whole("labels.txt", b'cat\n"\\udb40\\udc01"\n"\\u0007"\n')]
