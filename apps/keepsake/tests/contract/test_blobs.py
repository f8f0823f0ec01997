"""What every blob store promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepsake.errors import KeepsakeError
from keepsake.store.contract import Blobs
from keepsake.store.folder import FolderBlobs, blob_name
from keepsake.store.s3 import S3Blobs

UNKNOWN = "0" * 64


def test_contents_are_kept_under_a_name_that_stays(blobs: Blobs) -> None:
    for content in (b"", b"sealed", bytes(range(256)) * 5000):
        name = blobs.put("ann", content)
        assert blobs.put("ann", content) == name
        assert blobs.get("ann", name) == content
    assert len(list(blobs.names("ann"))) == 3


def test_one_persons_names_mean_nothing_for_another(blobs: Blobs) -> None:
    name = blobs.put("ann", b"sealed")
    assert blobs.put("ben", b"sealed") != name
    with pytest.raises(KeepsakeError, match="KS-STORE-003"):
        blobs.get("ben", name)
    blobs.remove("ben", name)
    assert blobs.get("ann", name) == b"sealed"


def test_what_is_removed_is_gone(blobs: Blobs) -> None:
    names = [blobs.put("ann", content) for content in (b"1", b"2", b"3")]
    other = blobs.put("ben", b"1")
    blobs.remove("ann", names[0])
    blobs.remove("ann", names[0])
    assert sorted(blobs.names("ann")) == sorted(names[1:])
    blobs.erase("ann")
    blobs.erase("ann")
    assert (list(blobs.names("ann")), list(blobs.names("ben"))) == ([], [other])
    with pytest.raises(KeepsakeError, match="KS-STORE-003"):
        blobs.get("ann", names[1])
    assert blobs.put("ann", b"2") == names[1]


def test_are_shared_by_processes_that_may_read_them(
    blob_opener: Callable[[Path], Blobs], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    first, second = blob_opener(tmp_path), blob_opener(tmp_path)
    assert second.get("ann", first.put("ann", b"sealed")) == b"sealed"
    if isinstance(first, S3Blobs):
        with pytest.raises(KeepsakeError, match="KS-STORE-008"):
            S3Blobs(request.getfixturevalue("s3"), "keepsake", "keepsake", "another secret")


@pytest.mark.parametrize("name", [UNKNOWN, "", "../../../etc/passwd", "A" * 64, f"{UNKNOWN}\n", "\ud800" * 64])
def test_names_are_no_paths(blobs: Blobs, name: str) -> None:
    blobs.put("ann", b"1")
    with pytest.raises(KeepsakeError, match="KS-STORE-003"):
        blobs.get("ann", name)


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_names_tell_contents_apart(one: bytes, other: bytes) -> None:
    assert (blob_name("ann", one) == blob_name("ann", other)) == (one == other)


class TestFolder:
    def test_a_damaged_file_is_no_content_and_can_be_put_again(self, tmp_path: Path) -> None:
        blobs = FolderBlobs(tmp_path)
        name = blobs.put("ann", b"sealed")
        (path,) = tmp_path.rglob(name)
        path.write_bytes(b"seale\0")
        with pytest.raises(KeepsakeError, match="KS-STORE-003"):
            blobs.get("ann", name)
        assert blobs.put("ann", b"sealed") == name
        assert blobs.get("ann", name) == b"sealed"

    def test_drafts_of_the_dead_are_swept_away(self, tmp_path: Path) -> None:
        FolderBlobs(tmp_path).put("ann", b"1")
        (folder,) = {path.parent for path in tmp_path.rglob("*") if path.is_file()}
        (folder / "dead.draft").write_bytes(b"half")
        blobs = FolderBlobs(tmp_path)
        assert len(list(blobs.names("ann"))) == 1
        blobs.put("ann", b"2")
        assert list(tmp_path.rglob("*.draft")) == []

    def test_a_disk_that_refuses_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "blobs").write_bytes(b"a file where the folder should be")
        with pytest.raises(KeepsakeError, match="KS-STORE-008"):
            FolderBlobs(tmp_path / "blobs").put("ann", b"1")
