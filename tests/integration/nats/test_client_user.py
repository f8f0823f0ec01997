"""What the embedded server's user for clients may not do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from natant.fabric.nats.engine import Engine, EngineSpec

nats = pytest.importorskip("nats", reason="the extra natant[nats] is not installed")


async def test_a_client_cannot_aim_a_consumer_of_a_bucket_at_somebody_else(tmp_path: Path) -> None:
    from nats.errors import NoRespondersError, TimeoutError  # noqa: A004  # the package's own

    started = await Engine.start(EngineSpec(plane="transit", folder=tmp_path / "nats", buckets=("positions",)))
    assert started.server is not None
    bucket = started.subjects.lane_bucket("positions")
    shown = await started.js.create_key_value(bucket=bucket, direct=True)
    await shown.put("vehicle.7", b"{}")
    client = await nats.connect(started.server.url("client"))
    try:
        found = await client.request(f"$JS.API.DIRECT.GET.KV_{bucket}.$KV.{bucket}.vehicle.7", b"", timeout=5)
        assert found.data == b"{}"
        create = json.dumps(
            {
                "stream_name": f"KV_{bucket}",
                "config": {
                    "name": "evil",
                    "deliver_subject": f"{started.subjects.root}.w.someone.t",
                    "ack_policy": "none",
                },
            }
        )
        with pytest.raises((TimeoutError, NoRespondersError)):
            await client.request(f"$JS.API.CONSUMER.CREATE.KV_{bucket}.evil", create.encode(), timeout=1)
        assert (await started.js.stream_info(f"KV_{bucket}")).state.consumer_count == 0
    finally:
        await client.close()
        await started.close()
