"""`truthmill gold add` on the deployed stack."""

import json

from integration.labeling.test_misbehaving import gold_manifest, take, wait_for_gold


def test_a_job_that_runs_has_gold_tasks_from_now_on(stack, team, local_stack):
    worker, job = team.worker(), team.running_job(2)
    manifest = gold_manifest(stack, job, 5)
    options = ("--share", "0.25", "--threshold", "0.7", "--feedback", "--withdraw")
    arn = stack.sagemaker.describe_labeling_job(LabelingJobName=job)["LabelingJobArn"]
    stack.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "dataset", "Value": "pets"}])
    said = local_stack.truthmill("gold", "add", job, manifest, *options, "--json")
    assert json.loads(said) == {"job": job, "arn": arn, "manifest": manifest, "pictures": 5}
    tags = stack.sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "dataset": "pets",
        "truthmill:gold-manifest": manifest,
        "truthmill:gold-share": "0.25",
        "truthmill:gold-threshold": "0.7",
        "truthmill:gold-feedback": "true",
        "truthmill:gold-withdraw": "true",
    }
    wait_for_gold(stack, job)
    assert len(take(worker, job)) == 1


def test_what_cannot_be_meant_is_refused_before_the_job_is_tagged(stack, team, local_stack):
    def refused(*words):
        return local_stack.refused("gold", "add", *words)

    def known(uri, *change):
        return stack.read(uri).decode().replace(*change)

    job = team.running_job(1)
    manifest = gold_manifest(stack, job, 1)
    assert f"There is no labeling job 'no-{job}'" in refused(f"no-{job}", manifest)
    assert "isn't there" in refused(job, manifest + "s")
    assert f"s3://{stack.bucket}/" in refused(job, "s3://another-bucket/gold.manifest")
    assert f"s3://{stack.bucket}/" in refused(job, "gold.manifest")
    for line, says in (
        ("no json", "gold.manifest, line 1: isn't a JSON object"),
        ('{"source-ref": "s3://b/a.png"}', "line 1: has no label attribute with its -metadata"),
        (known(manifest, "dog", "cow"), "'cow'"),
        (known(manifest, f"s3://{stack.bucket}/", "s3://another-bucket/"), "which workers couldn't see"),
        ("", "has no picture with its boxes"),
    ):
        assert says in refused(job, stack.put(f"{job}/wrong/gold.manifest", line))
    assert "--share" in refused(job, manifest, "--share", "1.5")
    assert "--threshold" in refused(job, manifest, "--threshold", "-1")
    assert stack.sagemaker.describe_labeling_job(LabelingJobName=job)["Tags"] == []
    stack.sagemaker.stop_labeling_job(LabelingJobName=job)
    team.wait_for(job, "Stopped")
    assert f"'{job}' is Stopped" in refused(job, manifest)
