"""Labels that come with the pictures: taken as they are, corrected by workers, or left alone."""

import io
import json

import pytest
from PIL import Image

from builders import archive, coco_truth, picture
from truthmill.errors import FormatError, RequestError

PICTURES = {f"images/{number}.jpg": picture(600 + number) for number in range(5)}
BOXES = {f"{number}.jpg": [("dog", (3, 5, 20, 11))] for number in range(4)}
COCO = json.dumps(coco_truth(BOXES | {"4.jpg": []}, ["dog"], (64, 48))).encode()
YOLO = {
    "data.yaml": b"names: [dog, cat]\n",
    # 0.5 x 64 = 32, 0.5 x 48 = 24 in the middle; a cat of 16 x 12 pixels: 24 to 40, 18 to 30
    "labels/0.txt": b"1 0.5 0.5 0.25 0.25\n",
    **{f"labels/{number}.txt": b"" for number in range(1, 5)},
}
VOC = """<annotation>
<filename>0.jpg</filename>
<size><width>64</width><height>48</height><depth>3</depth></size>
<object><name>cat</name><bndbox><xmin>4</xmin><ymin>6</ymin><xmax>23</xmax><ymax>16</ymax></bndbox></object>
</annotation>"""


def start(cloud, files, source, use="trusted", **more):
    cloud.put("incoming/pets.zip", archive(PICTURES | files))
    return cloud.start("incoming/pets.zip", prelabels={"source": source, "use": use}, **more)


def boxes(run):
    """By name: class, left, top, width, height."""
    return {
        line["name"].rpartition("/")[2]: [tuple(box.values()) for box in line["boxes"]]
        for line in run.ledger_lines
        if "boxes" in line
    }


def test_a_labeled_dataset_goes_through_without_a_worker(cloud):
    """A work team isn't needed either, nor money."""
    run = start(cloud, {"truth.json": COCO}, "truth.json", workforce={}, budget={"maxCost": 0}).to_jobs()
    assert run.jobs == []
    run.build()
    run.report()
    run.notify()
    assert cloud.labeling.created == []
    assert boxes(run) == {f"{n}.jpg": [(1, 3, 5, 20, 11)] for n in range(4)} | {"4.jpg": []}
    assert (run.counts["prelabeled"], run.counts["labeled"], run.counts["boxes"]) == (5, 5, 4)
    assert run.run_json["state"] == "SUCCEEDED"


@pytest.mark.parametrize("source", [".", "/"])
def test_yolo_beside_the_pictures(cloud, source):
    run = start(cloud, YOLO, source).to_jobs()
    run.build()
    assert boxes(run) == {"0.jpg": [(0, 24, 18, 16, 12)]} | {f"{n}.jpg": [] for n in range(1, 5)}


def test_pascal_voc_in_a_folder_and_workers_for_what_it_leaves_out(cloud):
    """Its corners count from 1, both included: 4 to 23 is 3 to 23."""
    run = start(cloud, {"voc/0.xml": VOC.encode()}, "voc").to_jobs()
    assert [job["objects"] for job in run.jobs] == [4]
    cloud.label(run.jobs[0]["name"])
    run.build()
    assert boxes(run)["0.jpg"] == [(0, 3, 5, 20, 11)]
    assert (run.counts["prelabeled"], run.counts["labeled"]) == (1, 5)


def test_a_file_in_s3(cloud):
    cloud.put("uploads/truth.json", COCO)
    run = start(cloud, {}, f"s3://{cloud.bucket}/uploads/truth.json").to_jobs()
    run.build()
    assert run.counts["prelabeled"] == 5


def test_boxes_to_review_are_what_workers_begin_with(cloud):
    run = start(cloud, {"truth.json": COCO}, "truth.json", use="review").to_jobs()
    (job,) = run.jobs
    assert (job["kind"], job["objects"]) == ("adjustment", 5)
    lines = {
        line["source-ref"][-5:]: line for line in cloud.lines(f"{run.prefix}manifests/labeling-000.manifest")
    }
    box = {"class_id": 1, "left": 3, "top": 5, "width": 20, "height": 11}
    assert lines["2.jpg"]["bounding-box"]["annotations"] == [box]
    assert lines["2.jpg"]["bounding-box-metadata"]["class-map"] == {"1": "dog"}
    assert lines["4.jpg"]["bounding-box"]["annotations"] == []
    cloud.label(job["name"], {"-2.jpg": [box]})
    run.build()
    review = {line["name"][-5:]: line["review"] for line in run.ledger_lines}
    assert (review["2.jpg"], review["0.jpg"]) == ("unadjusted", "adjusted")


def test_boxes_follow_a_picture_that_is_turned_and_scaled(cloud):
    """96 x 64 as it came, turned clockwise to 64 x 96, then halved to 32 x 48.

    The box 10, 20, 40 x 30 becomes left 64 - 50 = 14, top 10, 30 x 40, and of that the half.
    """
    exif = Image.Exif()
    exif[0x0112] = 6
    made = io.BytesIO()
    Image.open(io.BytesIO(picture(700, (96, 64)))).save(made, "JPEG", exif=exif)
    files = {"turned.jpg": made.getvalue(), **{f"{n}.jpg": picture(710 + n) for n in range(4)}}
    truth = coco_truth({"turned.jpg": [("cat", (10, 20, 40, 30))]}, ["cat"], (96, 64))
    cloud.put("incoming/pets.zip", archive(files | {"t.json": json.dumps(truth).encode()}))
    run = cloud.start(
        "incoming/pets.zip", prelabels={"source": "t.json", "use": "trusted"}, pictures={"largestSide": 48}
    ).to_jobs()
    (line,) = [line for line in run.ledger_lines if line["name"] == "turned.jpg"]
    assert (line["width"], line["height"]) == (32, 48)
    assert boxes(run)["turned.jpg"] == [(0, 7, 5, 15, 20)]


def test_a_class_that_the_request_does_not_name_is_an_error_that_names_it(cloud):
    with pytest.raises(FormatError, match="'dog' is not one of the labels"):
        start(cloud, {"truth.json": COCO}, "truth.json", labels=["cat"]).to_jobs()
    assert cloud.labeling.created == []


def test_labels_that_are_not_there_say_where_they_were_looked_for(cloud):
    with pytest.raises(RequestError, match=r"'truth\.json'; s3://.*has no file of labels there"):
        start(cloud, {}, "truth.json").to_jobs()


def test_ignored_labels_are_not_even_read(cloud):
    run = start(cloud, {"truth.json": b"{"}, "truth.json", use="ignore").to_jobs()
    assert [job["objects"] for job in run.jobs] == [5]


def test_planning_again_comes_to_the_same(cloud):
    run = start(cloud, {"voc/0.xml": VOC.encode()}, "voc").to_jobs()
    before = cloud.objects("datasets/")
    jobs = run.jobs
    assert [job["name"] for job in run.plan()] == [job["name"] for job in jobs]
    after = cloud.objects("datasets/")
    assert {key for key in before if before[key] != after[key]} == set()


PREDICTED = json.loads(COCO)
for number, annotation in enumerate(PREDICTED["annotations"]):
    annotation["score"] = (0.9, 0.6, 0.4, 0.1)[number]
IN_ONE_PLACE = PREDICTED["annotations"][0] | {"id": 77, "category_id": 2, "score": 0.7}
PREDICTED["annotations"].insert(0, IN_ONE_PLACE)
PREDICTED["categories"].append({"id": 2, "name": "cat"})


def test_a_models_predictions_are_taken_from_a_score_on_and_the_surest_of_one_place(cloud):
    """Four boxes of a dog, and one of a cat where the first dog is."""
    predicted = {"p.json": json.dumps(PREDICTED).encode()}
    cloud.put("incoming/pets.zip", archive(PICTURES | predicted))
    wanted = {"source": "p.json", "use": "trusted", "minScore": 0.4}
    run = cloud.start("incoming/pets.zip", prelabels=wanted).to_jobs()
    run.build()
    dog = [(1, 3, 5, 20, 11)]
    assert boxes(run) == {"0.jpg": dog, "1.jpg": dog, "2.jpg": dog, "3.jpg": [], "4.jpg": []}
    doubts = {line["name"][-5:]: line.get("doubts", []) for line in run.ledger_lines}
    assert doubts == {"0.jpg": [], "1.jpg": [], "2.jpg": ["low-confidence"], "3.jpg": [], "4.jpg": []}
    (warning,) = [text for text in run.run_json["warnings"] if "predictions" in text]
    assert warning.startswith("2 of 5 predictions were left out: less sure than")


def test_predictions_that_are_all_used_are_told_of_where_they_are_unsure(cloud):
    run = start(
        cloud, {"p.json": json.dumps(PREDICTED | {"x": 1}).encode()}, "p.json", use="review"
    ).to_jobs()
    (job,) = run.jobs
    assert job["kind"] == "adjustment"
    lines = cloud.lines(f"{run.prefix}manifests/labeling-000.manifest")
    assert sum(len(line["bounding-box"]["annotations"]) for line in lines) == 4
    assert any(text.startswith("1 of 5 predictions") for text in run.run_json["warnings"])


def test_a_list_of_predictions_beside_the_images_it_is_of(cloud):
    """What pycocotools takes and models' evaluation writes: neither images nor categories in it."""
    told = {key: PREDICTED[key] for key in ("images", "categories")}
    listed = [
        {key: one[key] for key in ("image_id", "category_id", "bbox", "score")}
        for one in PREDICTED["annotations"]
    ]
    files = {
        "p/images.json": json.dumps(told | {"annotations": []}).encode(),
        "p/found.json": json.dumps(listed).encode(),
    }
    cloud.put("incoming/pets.zip", archive(PICTURES | files))
    run = cloud.start(
        "incoming/pets.zip", prelabels={"source": "p", "use": "trusted", "minScore": 0.5}
    ).to_jobs()
    run.build()
    dog = [(1, 3, 5, 20, 11)]
    assert boxes(run) == {"0.jpg": dog, "1.jpg": dog, "2.jpg": [], "3.jpg": [], "4.jpg": []}


def test_a_confidence_of_yolo_is_a_score(cloud):
    files = YOLO | {"labels/0.txt": b"1 0.5 0.5 0.25 0.25 0.8\n0 0.2 0.2 0.1 0.1 0.3\n"}
    cloud.put("incoming/pets.zip", archive(PICTURES | files))
    run = cloud.start(
        "incoming/pets.zip", prelabels={"source": ".", "use": "trusted", "minScore": 0.5}
    ).to_jobs()
    run.build()
    assert boxes(run)["0.jpg"] == [(0, 24, 18, 16, 12)]
