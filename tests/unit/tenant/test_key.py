"""Keys and tokens of NATS: what is written is read back, and what was tampered with is refused."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest

from natant.errors import TenantError
from natant.fabric.nats import jwt, nkey
from natant.fabric.nats.nkey import ACCOUNT, OPERATOR, USER, KeyPair, is_public, verify

#: the example of NATS' own documentation
SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
PUBLIC = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"


def refused(code: str) -> pytest.RaisesExc[TenantError]:
    return pytest.raises(TenantError, match=code)


def test_the_key_of_the_documentation_is_read_and_written() -> None:
    pair = KeyPair.read(SEED, USER)

    assert (pair.kind, pair.public, pair.seed) == (USER, PUBLIC, SEED)


@pytest.mark.parametrize("kind", [OPERATOR, ACCOUNT, USER])
def test_a_new_key_shows_its_kind(kind: str) -> None:
    pair = KeyPair.make(kind)

    assert pair.public.startswith(kind)
    assert pair.seed.startswith("S" + kind)
    assert KeyPair.read(pair.seed).public == pair.public
    assert is_public(pair.public, kind)


def test_a_signature_is_of_one_text_and_one_key() -> None:
    pair = KeyPair.make(USER)
    signature = pair.sign(b"nonce")

    assert verify(pair.public, b"nonce", signature)
    assert not verify(pair.public, b"other", signature)
    assert not verify(KeyPair.make(USER).public, b"nonce", signature)
    assert not verify("U" * 56, b"nonce", signature)


@pytest.mark.parametrize("text", ["", "SU", SEED[:-1], SEED[:-1] + "A", PUBLIC, SEED.lower(), "é" * 58])
def test_what_is_no_seed_is_refused_without_showing_it(text: str) -> None:
    with refused("NT-TENANT-001") as caught:
        KeyPair.read(text)

    assert not text or text not in str(caught.value)


def test_the_seed_of_another_kind_is_refused() -> None:
    with refused("NT-TENANT-001"):
        KeyPair.read(SEED, ACCOUNT)


@pytest.mark.parametrize("text", [None, 7, "", PUBLIC[:-1], PUBLIC[:-1] + "A", "O" + PUBLIC[1:]])
def test_what_is_no_public_key_is_seen(text: object) -> None:
    assert not is_public(text, USER)


def test_a_token_is_read_back() -> None:
    pair = KeyPair.make(ACCOUNT)
    claims = jwt.read(jwt.write({"sub": PUBLIC, "name": "ann"}, pair), ACCOUNT)

    assert (claims["iss"], claims["sub"], claims["name"]) == (pair.public, PUBLIC, "ann")


def test_a_token_of_another_kind_of_signer_is_refused() -> None:
    with refused("NT-TENANT-002"):
        jwt.read(jwt.write({}, KeyPair.make(USER)), ACCOUNT)


def test_a_token_that_was_changed_is_refused() -> None:
    pair = KeyPair.make(ACCOUNT)
    head, _, signature = jwt.write({"name": "ann"}, pair).split(".")
    changed = urlsafe_b64encode(b'{"name":"bob","iss":"%s"}' % pair.public.encode()).rstrip(b"=").decode()

    with refused("NT-TENANT-002"):
        jwt.read(f"{head}.{changed}.{signature}", ACCOUNT)


def other_algorithm() -> str:
    head = urlsafe_b64encode(b'{"typ":"JWT","alg":"none"}').rstrip(b"=").decode()
    return f"{head}.{jwt.write({}, KeyPair.make(ACCOUNT)).split('.')[1]}."


@pytest.mark.parametrize(
    "token",
    ["", "a.b", "a.b.c.d", "!.!.!", "W10.W10.W10", "é.é.é", "e30.e30.", "x" * (jwt.TOKEN_SIZE + 1), other_algorithm()],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with refused("NT-TENANT-002"):
        jwt.read(token, ACCOUNT)


def test_without_cryptography_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)

    with refused("NT-TENANT-014"):
        nkey.KeyPair.make(USER)
