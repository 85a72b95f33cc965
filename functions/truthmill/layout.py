"""The one place that knows the names of keys in the bucket (docs/layout.md draws them)."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass

SPLITS = ("train", "validation", "test")
INCOMING = "incoming/"
UPLOADS = "uploads/"
TOKENS = "tokens/"
KEPT, LABELED = "kept", "labeled"
# Below a labeling job's output; of the workers only Truthmill's own service tells.
OUTPUT_MANIFEST, WORKERS = "manifests/output/output.manifest", "truthmill/workers.json"

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_DATASET = re.compile(r"[^a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class RunLayout:
    """Keys of one run of one dataset."""

    dataset: str
    run: str

    @property
    def prefix(self) -> str:
        return f"datasets/{self.dataset}/runs/{self.run}/"

    @property
    def run_json(self) -> str:
        return self.prefix + "run.json"

    @property
    def plan(self) -> str:
        return self.prefix + "plan.jsonl"

    @property
    def listing(self) -> str:
        """Loose objects that were there when the run began, where its source is a prefix."""
        return self.prefix + "listing.jsonl"

    @property
    def inspected(self) -> str:
        """Prefix of the inspections; one object a batch."""
        return self.prefix + "inspected/"

    def inspected_batch(self, batch: int) -> str:
        return f"{self.inspected}{batch:06d}.jsonl"

    @property
    def inspected_by_prepare(self) -> str:
        """Inputs whose end was clear from the directory alone."""
        return self.inspected + "prepare.jsonl"

    @property
    def place(self) -> str:
        return self.prefix + "place.jsonl"

    @property
    def rejected(self) -> str:
        return self.prefix + "rejected.jsonl"

    @property
    def unlabeled(self) -> str:
        """Pictures that came back without an answer."""
        return self.prefix + "unlabeled.jsonl"

    @property
    def boxes_checked(self) -> str:
        """Boxes that were cut, dropped or are doubtful, each with its reason."""
        return self.prefix + "boxes.jsonl"

    @property
    def similar(self) -> str:
        """Pairs of kept pictures that look alike, with their distance."""
        return self.prefix + "similar.jsonl"

    @property
    def placed(self) -> str:
        """Prefix of what says that batches of pictures are in place."""
        return self.prefix + "placed/"

    def placed_batch(self, batch: int) -> str:
        return f"{self.placed}{batch:06d}.json"

    @property
    def unplaced(self) -> str:
        """Prefix of what couldn't be placed; one object a batch of which that is so."""
        return self.prefix + "unplaced/"

    def unplaced_batch(self, batch: int) -> str:
        return f"{self.unplaced}{batch:06d}.jsonl"

    @property
    def outcome(self) -> str:
        """What SplitDataset decided; written last, so that its presence says the rest is there."""
        return self.prefix + "split.json"

    def split_manifest(self, split: str) -> str:
        return f"{self.prefix}manifests/{split}.manifest"

    def labeling_manifest(self, number: int) -> str:
        return f"{self.prefix}manifests/labeling-{number:03d}.manifest"

    def labels(self, job: int) -> str:
        """Label category file of a job."""
        return f"{self.prefix}labeling/labels-{job:03d}.json"

    def template(self, job: int) -> str:
        """Worker template of a job."""
        return f"{self.prefix}labeling/template-{job:03d}.liquid.html"

    @property
    def labeling_output(self) -> str:
        return self.prefix + "labeling/"

    @property
    def channels(self) -> str:
        return f"datasets/{self.dataset}/channels/{self.run}/"

    def channel(self, name: str) -> str:
        """Prefix of one format."""
        return f"{self.channels}{name}/"

    def channel_pieces(self, name: str) -> str:
        """Prefix of what is written apart and then joined to a format's files."""
        return f"{self.prefix}pieces/{name}/"

    @property
    def shards(self) -> str:
        """The dataset cut into shards, where its channels are built by several functions."""
        return self.prefix + "shards.jsonl"

    def shard_counts(self, name: str, number: int) -> str:
        """What a shard of a format has; written last, so that its presence says the rest is there."""
        return f"{self.prefix}shards/{name}/{number:06d}.json"

    @property
    def ledger(self) -> str:
        """The dataset's list of segments as the run's channels were built from it; segments never change."""
        return self.prefix + "ledger.json"

    @property
    def report(self) -> str:
        return f"datasets/{self.dataset}/reports/{self.run}.html"


def dataset_prefix(dataset: str) -> str:
    return f"datasets/{dataset}/"


def dataset_of(prefix: str) -> str:
    """The dataset whose prefix it is; empty where it is none."""
    found = re.fullmatch(r"datasets/([^/]+)/?", prefix)
    return found[1] if found else ""


def ledger(dataset: str) -> str:
    """The list of the ledger's segments."""
    return f"datasets/{dataset}/ledger.json"


def ledger_segment(dataset: str, run: str, step: str) -> str:
    """A segment: the pictures that a run brought in, as they were after a step (KEPT, LABELED)."""
    return f"datasets/{dataset}/ledger/{run}-{step}.jsonl"


def kept_segment(dataset: str, run: str, unplaced: int) -> str:
    """A run's segment before labeling. unplaced: pictures that were left out, as they couldn't be placed."""
    return ledger_segment(dataset, run, f"{KEPT}-without-{unplaced}" if unplaced else KEPT)


def ledger_copies(dataset: str, run: str) -> str:
    """Names of pictures of a run that the dataset keeps under other names."""
    return ledger_segment(dataset, run, "copies")


def answered_segment(dataset: str, run: str, by: str, job: int) -> str:
    """A run's segment once answers are in that run `by` had asked for, from its job of that number on."""
    step = LABELED if run == by else f"{LABELED}-by-{by}"
    return ledger_segment(dataset, run, f"{step}-{job:03d}" if job else step)


def swept(dataset: str) -> str:
    """Points at the run that went through the dataset's loose objects last."""
    return f"datasets/{dataset}/swept.json"


def latest(dataset: str) -> str:
    return f"datasets/{dataset}/channels/latest.json"


def picture(dataset: str, split: str, sha256: str, name: str, extension: str) -> str:
    """Key of a stored picture: digits of its sha256, then its name made safe.

    sha256: as many hexadecimal digits as the key shall carry, 8 by default.
    extension: of the format it is stored in, with its dot; replaces the name's own where they differ.
    """
    return f"datasets/{dataset}/images/{split}/{sha256}-{safe_name(name, extension)}"


def on_side(key: str, split: str) -> str:
    """The key of a stored picture on another side of the split."""
    dataset, _, rest = key.partition("/images/")
    return f"{dataset}/images/{split}/{rest.partition('/')[2]}"


def execution(name: str) -> str:
    """Pointer from an execution to its run.json."""
    return f"executions/{name}.json"


def failure(name: str) -> str:
    """run.json of an execution that ended before it had a run."""
    return f"failures/{name}.json"


def token(job: str) -> str:
    """Task token of the execution that waits for a labeling job."""
    return f"{TOKENS}{job}.json"


def safe_name(name: str, extension: str) -> str:
    """The last part of a name, in characters that any tool takes, at most 100 of them.

    Letters lose their accents where Unicode knows the plain one; what is left of other scripts becomes "-".
    """
    stem = re.split(r"[/\\]", name)[-1].rsplit(".", 1)[0] or name
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return (_UNSAFE.sub("-", plain).strip("-.")[: 100 - len(extension)] or "picture") + extension


def dataset_name(source: str) -> str:
    """The dataset's name where the request gives none: from the zip's or the prefix's name.

    Lower case letters, digits and hyphens, at most 40. A name of other scripts only becomes a digest of it.
    """
    last = [part for part in source.split("/") if part][-1]
    stem = last[:-4] if last.lower().endswith(".zip") else last
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"-{2,}", "-", _DATASET.sub("-", plain)).strip("-")[:40].strip("-")
    return name or "dataset-" + hashlib.sha256(stem.encode()).hexdigest()[:8]
