"""When something is built again, how it is packed, and how parameters are handed to SAM."""

import zipfile

import pytest

from truthmill_cli import artifact, sam
from truthmill_cli.checkout import Checkout
from truthmill_cli.errors import FailedError
from truthmill_cli.simulated_workers import new_password, read_invitation


@pytest.fixture
def checkout(tmp_path):
    for path, text in {
        "template.yaml": "Resources: {}",
        "labeling/template.yaml": "Resources: {}",
        "requirements/sam.txt": "aws-sam-cli==1",
        "functions/requirements.txt": "obstore==1",
        "functions/truthmill/split.py": "A = 1",
        "statemachine/dataset.asl.json": "{}",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return Checkout(tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        "template.yaml",
        "requirements/sam.txt",
        "functions/requirements.txt",
        "functions/truthmill/split.py",
        "statemachine/dataset.asl.json",
    ],
)
def test_a_change_in_anything_a_build_is_made_of_builds_again(checkout, path):
    before = sam.digest(checkout, sam.PIPELINE)
    (checkout.root / path).write_text("another")
    assert sam.digest(checkout, sam.PIPELINE) != before


def test_a_renamed_module_builds_again(checkout):
    before = sam.digest(checkout, sam.PIPELINE)
    (checkout.functions / "truthmill/split.py").rename(checkout.functions / "truthmill/parts.py")
    assert sam.digest(checkout, sam.PIPELINE) != before


def test_what_no_build_is_made_of_changes_nothing(checkout):
    before = sam.digest(checkout, sam.PIPELINE)
    (checkout.root / "README.md").write_text("hello")
    (checkout.root / "labeling/template.yaml").write_text("another")
    cache = checkout.functions / "truthmill/__pycache__"
    cache.mkdir()
    (cache / "split.cpython-311.pyc").write_bytes(b"compiled")
    (checkout.functions / "truthmill/split.py").touch()
    assert sam.digest(checkout, sam.PIPELINE) == before


def test_parameters_keep_spaces_commas_and_quotes():
    assert sam._quoted('["cat", "dog house"]') == r'"[\"cat\", \"dog house\"]"'
    assert sam._quoted(r"a\b") == r'"a\\b"'


def test_an_architecture_without_a_runtime_is_told(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(FailedError, match="riscv64"):
        sam.machine_parameters()


TEMPLATE = """Globals:
  Function:
    CodeUri: functions/
Resources:
  Prepare:
    Properties:
      CodeUri: Prepare-Shared
  Notify:
    Properties:
      CodeUri: Prepare-Shared
"""


def built(folder):
    code = folder / "Prepare-Shared"
    (code / "truthmill" / "__pycache__").mkdir(parents=True)
    (code / "truthmill" / "split.py").write_text("A = 1")
    (code / "truthmill" / "__pycache__" / "split.pyc").write_bytes(b"compiled")
    (folder / "template.yaml").write_text(TEMPLATE)
    return folder


def test_what_functions_share_is_packed_once(tmp_path):
    artifact.pack(built(tmp_path))
    assert (tmp_path / "template.yaml").read_text() == TEMPLATE.replace(
        "Prepare-Shared", "Prepare-Shared.zip"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Prepare-Shared.zip", "template.yaml"]
    with zipfile.ZipFile(tmp_path / "Prepare-Shared.zip") as packed:
        assert packed.namelist() == ["truthmill/split.py"]
        assert packed.getinfo("truthmill/split.py").external_attr >> 16 == 0o100644


def test_equal_code_makes_an_equal_archive(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    artifact.pack(built(tmp_path / "one"))
    artifact.pack(built(tmp_path / "two"))
    packed = [tmp_path / name / "Prepare-Shared.zip" for name in ("one", "two")]
    assert packed[0].read_bytes() == packed[1].read_bytes()


def test_the_temporary_password_is_found_by_the_invitations_own_line():
    mail = "<p>Welcome, a@example.com.</p> <p>Password: a.B&amp;1</p> Good for 7 days."
    assert read_invitation(mail, "Password: {####}</p>", "a@example.com") == "a.B&1"


def test_an_invitation_of_another_template_is_not_guessed_at():
    with pytest.raises(FailedError, match=r"a@example\.com"):
        read_invitation("Your code is 123.", "Your password is {####}.", "a@example.com")


def test_chosen_passwords_have_all_kinds_of_characters_and_differ():
    one, other = new_password(), new_password()
    assert one != other
    assert len(one) >= 20
    assert any(c.isupper() for c in one)
    assert any(c.islower() for c in one)
    assert any(c.isdigit() for c in one)
    assert not one.isalnum()
