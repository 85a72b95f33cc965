"""An odd and hostile zip through the states' handlers; `tests/e2e` has the same on the deployed stack."""

from hostile_archive import hostile_archive


def test_each_entry_of_a_hostile_zip_ends_in_one_place(cloud):
    hostile = hostile_archive()
    cloud.put("incoming/judged.zip", hostile.content)
    run = cloud.start("incoming/judged.zip").to_jobs()
    hostile.check(
        cloud.lines(f"{run.prefix}rejected.jsonl"), run.ledger_lines, run.run_json["counts"]["inputs"]
    )
    assert sorted(line["key"] for line in run.ledger_lines) == cloud.keys("datasets/judged/images/")
