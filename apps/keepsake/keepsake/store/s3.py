"""Large contents in a bucket of any server that speaks S3: ``DIGEST/NAME``, an object each, named by what it holds."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from keepsake.errors import KeepsakeError
from keepsake.store.codec import digest
from keepsake.store.folder import blob_name, check_blob

__all__ = ["S3Blobs"]

#: answers that say that there is no such object
_NONE: Final = frozenset({"NoSuchKey", "NoSuchObject", "NoSuchBucket"})

_NAME: Final = re.compile(r"[0-9a-f]{64}")

CONNECT_TIMEOUT_S: Final = 10.0
READ_TIMEOUT_S: Final = 60.0

#: a request that the network lost is asked again so often; putting and removing twice does what once does
RETRIES: Final = 3


class S3Blobs:
    """Blobs in a bucket.  The server checks each content's MD5 before it acknowledges, and we check each that comes back.

    :param url: of the server, ``http://localhost:9000``; with ``https`` its certificate is checked.
    :param bucket: made where it is not there.
    :param access: the access key, of a user who may read and write this bucket.
    :raises KeepsakeError: ``KS-STORE-010`` where the driver is not installed.
    """

    def __init__(self, url: str, bucket: str, access: str, secret: str, *, region: str = "us-east-1") -> None:
        try:
            import minio
            import urllib3
        except ImportError:
            raise KeepsakeError("KS-STORE-010", "blobs over S3 need minio: pip install 'keepsake[s3]'") from None
        server = urlsplit(url)
        self._url = url
        self._bucket = bucket
        self._fault = (minio.error.MinioException, urllib3.exceptions.HTTPError, OSError)
        pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S),
            retries=urllib3.Retry(total=RETRIES, backoff_factor=0.1, status_forcelist=[500, 502, 503, 504]),
        )
        self._client = minio.Minio(
            server.netloc, access, secret, secure=server.scheme == "https", region=region, http_client=pool
        )
        with self._translated():
            if not self._client.bucket_exists(bucket):
                self._make(minio.error.S3Error)

    def _make(self, refusal: type[Exception]) -> None:
        try:
            self._client.make_bucket(self._bucket)
        except refusal as fault:
            if getattr(fault, "code", "") not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                raise

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._fault as fault:
            raise KeepsakeError(
                "KS-STORE-008", f"the bucket {self._bucket} of {self._url} cannot be written or read: {fault}"
            ) from None

    @staticmethod
    def _key(person: str, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise KeepsakeError("KS-STORE-003", f"{name[:80]!r} is no blob's name; names are 64 hexadecimal digits")
        return f"{digest(person)}/{name}"

    def put(self, person: str, content: bytes) -> str:
        """Keep a content durably."""
        name = blob_name(person, content)
        with self._translated():
            self._client.put_object(self._bucket, self._key(person, name), io.BytesIO(content), len(content))
        return name

    def get(self, person: str, name: str) -> bytes:
        """A content."""
        key = self._key(person, name)
        with self._translated():
            content = self._read(key)
        if content is None:
            raise KeepsakeError("KS-STORE-003", f"there is no blob {name} of {person!r}: never stored, or removed")
        return check_blob(person, name, content)

    def _read(self, key: str) -> bytes | None:
        answer: Any = None
        try:
            answer = self._client.get_object(self._bucket, key)
            return bytes(answer.read())
        except self._fault as fault:
            if getattr(fault, "code", "") in _NONE:
                return None
            raise
        finally:
            if answer is not None:
                answer.close()
                answer.release_conn()

    def remove(self, person: str, name: str) -> None:
        """Remove one; of a bucket that keeps versions, all versions of it."""
        key = self._key(person, name)
        with self._translated():
            self._client.remove_object(self._bucket, key)
            self._remove(key)

    def _remove(self, prefix: str) -> None:
        """Remove all objects that begin so, and their versions where the server keeps some."""
        versioned = self._client.get_bucket_versioning(self._bucket).status not in ("", None, "Off")
        found = self._client.list_objects(self._bucket, prefix=prefix, recursive=True, include_version=versioned)
        for item in found:
            self._client.remove_object(self._bucket, item.object_name, item.version_id if versioned else None)

    def names(self, person: str) -> Iterator[str]:
        """All of a person, in order."""
        prefix = f"{digest(person)}/"
        with self._translated():
            for item in self._client.list_objects(self._bucket, prefix=prefix, recursive=True):
                yield item.object_name.removeprefix(prefix)

    def erase(self, person: str) -> None:
        """Remove all of a person."""
        with self._translated():
            self._remove(f"{digest(person)}/")
