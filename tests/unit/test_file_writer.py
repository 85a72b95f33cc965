"""Files that a process of its own writes are those that would have been written right here."""

import errno
import resource

import pytest

from adapters.file_writer import FileWriter

FILES = {
    "a/empty.txt": b"",
    'b/Überall "quoted", ändert.txt': b"1 0.5 0.5 1 1\n",
    **{f"a/{number}.xml": bytes([number]) * 97 * number for number in range(200)},
}


@pytest.fixture
def root(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    return tmp_path


def there(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.glob("*/*")}


def write(writer, files):
    """As who has them would; whatever goes wrong, no process is left."""
    try:
        for name, data in files.items():
            writer.add(name, data)
        writer.close()
    finally:
        writer.stop()


@pytest.mark.parametrize("batch", [1, 7, 5_000, 65_536, 1 << 30])
def test_the_same_files_however_many_are_handed_over_at_once(batch, root):
    write(FileWriter(str(root), batch), FILES)
    assert there(root) == FILES


@pytest.mark.parametrize("batch", [1, 500, 1 << 30])
def test_a_file_that_is_there_is_an_error_with_its_name_and_stays(batch, root):
    (root / "a/3.xml").write_bytes(b"mine")
    with pytest.raises(FileExistsError) as failed:
        write(FileWriter(str(root), batch), FILES)
    assert failed.value.filename == f"{root}/a/3.xml"
    assert (root / "a/3.xml").read_bytes() == b"mine"


@pytest.mark.parametrize("batch", [1, 1 << 30])
def test_a_folder_that_is_not_there_is_an_error(batch, root):
    files = {f"nowhere/{number}.txt": b"x" * 100 for number in range(10_000)}  # more than a pipe holds
    with pytest.raises(FileNotFoundError, match=r"nowhere/0\.txt"):
        write(FileWriter(str(root), batch), files)


def test_stopped_it_writes_nothing_more(root):
    writer = FileWriter(str(root), 1 << 20)
    writer.add("a/1.txt", b"1")
    writer.stop()
    assert there(root) == {}


def test_a_process_that_ends_early_is_an_error(root):
    """As when the system is short of memory and ends one."""
    writer = FileWriter(str(root), 1)
    writer.add("a/1.txt", b"1")
    writer._process.kill()
    with pytest.raises(OSError, match="ended with code -9"):
        write(writer, {f"b/{number}.txt": b"x" * 100 for number in range(10_000)})


@pytest.mark.parametrize("batch", [1, 1 << 30])
def test_a_file_that_can_only_be_written_in_part_is_an_error_with_its_name(batch, root):
    """As on a full disk: the system takes what fits, and refuses the rest when it is asked again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        with pytest.raises(OSError, match=r"a/1\.txt") as failed:
            write(FileWriter(str(root), batch), {"a/1.txt": b"x" * 5_000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert failed.value.errno == errno.EFBIG
