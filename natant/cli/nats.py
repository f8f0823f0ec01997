"""The options of ``natant run`` that open a plane to NATS, and what they make."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from natant.cli.tenancy import known_server, known_url, operator, remember_server

if TYPE_CHECKING:
    from natant.fabric.nats.config import EngineSpec
    from natant.fabric.nats.engine import Engine

__all__ = ["EMBEDDED", "NatsChoice", "nats_facts", "nats_options"]

F = TypeVar("F", bound=Callable[..., Any])

#: ``--nats`` without a URL
EMBEDDED: Final = "embedded"
#: the embedded server's folder within the data folder
FOLDER: Final = "nats"


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsChoice:
    """What was chosen.

    :ivar url: servers that run already; None starts one.
    :ivar port: of the embedded server; 0 takes a free one.
    :ivar tenant: whose plane it is, and the operator's folder where that is here.
    """

    url: str | None
    credentials: Path | None = None
    port: int = 0
    websocket: int | None = None
    mqtt: int | None = None
    tenant: str | None = None
    operator: Path | None = None

    @classmethod
    def of(cls, nats: str | None, options: dict[str, Any]) -> NatsChoice | None:
        """The choice made by the options; None where NATS was not asked for.

        :raises click.UsageError: where they do not fit each other.
        """
        tenant, operator = options.pop("tenant"), options.pop("operator_path")
        if tenant is not None:
            return cls._of_tenant(nats, tenant, operator, options)
        if nats is None:
            if any(value is not None for value in options.values()):
                raise click.UsageError("--nats-port, --nats-websocket, --nats-mqtt and --nats-creds go with --nats")
            return None
        credentials = options["nats_creds"]
        if nats == EMBEDDED:
            if credentials is not None:
                raise click.UsageError("--nats-creds goes with --nats URL; the embedded server makes its own")
            return cls(
                url=None,
                port=options["nats_port"] or 0,
                websocket=options["nats_websocket"],
                mqtt=options["nats_mqtt"],
            )
        if any(options[name] is not None for name in ("nats_port", "nats_websocket", "nats_mqtt")):
            raise click.UsageError(
                "--nats-port, --nats-websocket and --nats-mqtt are the embedded server's; leave the URL away"
            )
        return cls(url=nats, credentials=Path(credentials) if credentials else None)

    @classmethod
    def _of_tenant(cls, nats: str | None, tenant: str, operator: Path, options: dict[str, Any]) -> NatsChoice:
        """The servers of all tenants, or, with a bare ``--nats``, one of this plane's own for them."""
        if nats == EMBEDDED:
            chosen = cls.of(nats, {**options, "tenant": None, "operator_path": operator})
            assert chosen is not None
            return replace(chosen, tenant=tenant, operator=operator)
        credentials = options["nats_creds"]
        if nats is None:
            from natant.tenant.folder import OperatorFolder

            nats = known_url(OperatorFolder.open(operator))
            if nats is None:
                raise click.UsageError(
                    "no server of the tenants is known; start natant tenant serve, name one with --nats=URL, or let --nats start one"
                )
        chosen = cls.of(nats, {**options, "tenant": None, "operator_path": operator})
        assert chosen is not None
        return replace(chosen, tenant=tenant, operator=None if credentials else operator)

    def _of_operator(self) -> dict[str, Any]:
        """What the operator's folder says about the tenant's engine."""
        if self.tenant is None or self.operator is None:
            return {"credentials": self.credentials}
        from natant.tenant.folder import OperatorFolder

        folder = OperatorFolder.open(self.operator)
        found: dict[str, Any] = {"credentials": folder.engine_creds(self.tenant), "partitions": self.partitions}
        if self.url is None:
            return {**found, "operator": folder.server_part()}
        known = known_server(folder)
        is_ours = known.get("url") == self.url and bool(known.get("monitor"))
        return {**found, "monitors": (known["monitor"],)} if is_ours else found

    @property
    def partitions(self) -> int | None:
        """Into how many parts the tenant's planes are divided; None where that is not known here."""
        if self.tenant is None or self.operator is None:
            return None
        from natant.tenant.folder import OperatorFolder

        return OperatorFolder.open(self.operator).tenant(self.tenant).partitions

    def note(self, engine: Engine | None) -> None:
        """Let natant tenant and natant user find the tenants' server that this process has started; None: it has ended."""
        if self.operator is not None and self.url is None:
            from natant.tenant.folder import OperatorFolder

            folder = OperatorFolder(self.operator)
            if engine is None or engine.server is None:
                remember_server(folder, None)
            else:
                remember_server(folder, engine.url, engine.server.url(kind="http"))

    def engine(self, plane: str, data: Path | None) -> EngineSpec:
        """The engine of a plane.

        :param data: the plane's data folder; None where nothing is kept.
        """
        from natant.fabric.nats.config import EngineSpec

        if self.url is not None:
            return EngineSpec(plane=plane, url=self.url, **self._of_operator())
        if data is None:
            folder = Path(tempfile.mkdtemp(prefix="natant-nats-"))
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
        else:
            folder = data / FOLDER
        return EngineSpec(
            plane=plane,
            folder=folder,
            port=self.port,
            websocket=_listener(self.websocket),
            mqtt=_listener(self.mqtt),
            **self._of_operator(),
        )


def _listener(port: int | None) -> bool | int:
    return False if port is None else port or True


def nats_options(command: F) -> F:
    """Decorator: the options."""
    port = click.IntRange(0, 65535)
    command = operator(command)
    for option in (
        click.option(
            "--tenant",
            metavar="NAME",
            help="Serve this tenant's plane: to its users only, with its quota. See natant tenant.",
        ),
        click.option(
            "--nats-creds",
            metavar="FILE",
            type=click.Path(exists=True, dir_okay=False),
            help="Credentials for --nats=URL, a .creds file.",
        ),
        click.option("--nats-mqtt", metavar="PORT", type=port, help="Let MQTT devices in at this port; 0: a free one."),
        click.option("--nats-websocket", metavar="PORT", type=port, help="Let browsers speak NATS at this port."),
        click.option("--nats-port", metavar="PORT", type=port, help="The port of the embedded NATS server."),
        click.option(
            "--nats",
            metavar="[=URL]",
            is_flag=False,
            flag_value=EMBEDDED,
            help="Let NATS clients command, read and follow: through an embedded server, or those at URL.",
        ),
    ):
        command = option(command)
    return command


def nats_facts(engine: Any) -> dict[str, Any]:
    """Where NATS clients find the plane, for people and programs; no passwords: ``secrets`` names the file that holds them."""
    from natant.fabric.nats.connect import safe_url

    root = engine.subjects.root
    if engine.server is None:
        return {"url": safe_url(engine.url), "root": root}
    host, ports = engine.spec.host, engine.server.ports
    facts: dict[str, Any] = {"url": f"nats://{host}:{ports.nats}", "root": root}
    if ports.websocket:
        facts["websocket"] = f"ws://{host}:{ports.websocket}"
    if ports.mqtt:
        facts["mqtt"] = f"mqtt://{host}:{ports.mqtt}"
    if ports.leafs:
        facts["edges"] = f"nats-leaf://{engine.spec.leafs_host or host}:{ports.leafs}"
    if engine.spec.leaf:
        facts["hub"] = safe_url(engine.spec.leaf)
    if engine.spec.operator is None:
        facts["secrets"] = str(engine.spec.folder / "secrets.json")
    return facts
