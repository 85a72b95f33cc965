"""What a task's page may load."""

from adapters.links import picture_sources

BUCKET = "https://s3.eu-west-1.amazonaws.com/pets"


def test_a_page_may_load_the_objects_it_was_given_and_no_other():
    links = [f"{BUCKET}/a.png?X-Amz-Signature=1", f"{BUCKET}/b%20c.png?X-Amz-Signature=2"]
    assert picture_sources(links) == f"{BUCKET}/a.png {BUCKET}/b%20c.png"


def test_a_name_cannot_end_the_policy():
    assert picture_sources([f"{BUCKET}/a;script-src *,x.png?s=1"]) == f"{BUCKET}/a%3Bscript-src *%2Cx.png"


def test_many_links_become_their_folders_and_very_many_their_host():
    assert picture_sources([f"{BUCKET}/{n}.png?s" for n in range(17)]) == f"{BUCKET}/"
    many = [f"{BUCKET}/{n}/x.png" for n in range(17)]
    assert picture_sources(many) == "https://s3.eu-west-1.amazonaws.com"
    assert picture_sources([]) == ""
