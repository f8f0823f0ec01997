"""TLS: WARP and HTTP on the same encrypted port."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx

from natant.server import Limit
from tests.support.serving import serving, until
from tests.support.wire import Wire, exchange

CERTIFICATE = Path(__file__).resolve().parents[2] / "support" / "localhost.pem"


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(CERTIFICATE)
    return server, ssl.create_default_context(cafile=str(CERTIFICATE))


async def test_warp_and_http_by_tls() -> None:
    server_context, client_context = contexts()
    async with serving(ssl=server_context) as server:
        assert server.url.startswith("https://127.0.0.1:")
        wire = await Wire.open(server.port, tls=client_context)
        await wire.send('@command(node:"/unit/1",lane:info)' + "x" * 100_000, '@sync(node:"/unit/1",lane:info)')
        assert len((await wire.texts(3))[1]) > 100_000
        async with httpx.AsyncClient(verify=client_context, trust_env=False) as http:
            url = f"https://localhost:{server.port}"
            assert (await http.post(f"{url}/unit/1?lane=add", json=5)).json()["value"] == 5
            assert (await http.get(f"{url}/unit/1?lane=count")).json() == 5
        await wire.send("garbage")
        close = await wire.until_close()
        assert close is not None
        assert close.code == 1002
        assert await wire.at_end()
        await wire.close()


async def test_plain_text_to_a_tls_port_is_refused() -> None:
    server_context, _ = contexts()
    async with serving(ssl=server_context, limit=Limit(tls_timeout_s=1, sweep_s=0.02)) as server:
        answer = await exchange(server.port, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert not answer.startswith(b"HTTP/")
        await until(lambda: not server.service.table.members)
