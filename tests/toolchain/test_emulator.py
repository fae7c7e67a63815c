"""Whose emulator answers: proved by the clone's secret, refused with both paths named."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from project.credentials import credentials_of
from project.emulator import (
    CHALLENGE_HEADER,
    PORTS,
    OwnerError,
    ask,
    ports_of,
    proof,
    remember,
    require_own,
)
from tests.live.sts import listening
from tests.support.ports import free_ports


def at(port: int) -> dict[str, str]:
    return {"LOCAL_AWS_PORT": str(port)}


def test_a_clones_ports_are_the_shells_else_remembered_else_the_usual(tmp_path: Path) -> None:
    assert ports_of(tmp_path, {}) == PORTS
    remember(tmp_path, {name: 5000 + n for n, name in enumerate(PORTS)})

    assert list(ports_of(tmp_path, {}).values()) == [5000, 5001, 5002]
    assert ports_of(tmp_path, {"LOCAL_DNS_PORT": "53"})["LOCAL_DNS_PORT"] == 53


@pytest.mark.parametrize("content", ["", "{", "[]", '{"LOCAL_AWS_PORT": 1}', "null"])
def test_ports_that_cant_be_read_are_forgotten(tmp_path: Path, content: str) -> None:
    (tmp_path / "ports.json").write_text(content)

    assert ports_of(tmp_path, {}) == PORTS


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1"])
def test_what_is_no_port_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(OwnerError, match=f"LOCAL_HTTPS_PORT={text} is no port"):
        ports_of(tmp_path, {"LOCAL_HTTPS_PORT": text})


def test_ones_own_is_let_through_and_nobody_is_not_there(tmp_path: Path) -> None:
    with listening("0", tmp_path) as own:
        assert require_own(tmp_path, at(own.port)) is True
    assert require_own(tmp_path, at(own.port)) is False


def test_another_clones_is_refused_with_both_paths(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    with listening("0", theirs) as other, pytest.raises(OwnerError) as refused:
        require_own(mine, at(other.port))

    assert f"is the embedded AWS of {theirs}, and not that of this clone, {mine}" in str(
        refused.value
    )


def test_what_proves_nothing_is_refused_and_learns_no_secret(tmp_path: Path) -> None:
    own = credentials_of(tmp_path)
    refused = pytest.raises(OwnerError, match="doesn't prove to be an embedded AWS")
    with listening("0") as stranger, refused:
        require_own(tmp_path, at(stranger.port))

    (heard,) = stranger.calls
    assert heard.key_id == ""
    # A question that it could answer with another's proof, and nothing that it could make one of.
    assert CHALLENGE_HEADER.lower() in heard.headers.lower()
    for secret in (own.control_token, own.secret_access_key):
        assert secret not in f"{heard}"


def test_a_proof_is_good_for_one_port_and_one_challenge(tmp_path: Path) -> None:
    known = credentials_of(tmp_path)

    proofs = [proof(known, 1, "a"), proof(known, 2, "a"), proof(known, 1, "b")]
    assert len(set(proofs)) == 3
    assert proof(known, 1, "a") == proofs[0]


def test_what_takes_connections_and_says_nothing_is_not_waited_for_long(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = ask(silent.getsockname()[1], credentials_of(tmp_path), seconds=0.1)

    assert answer is not None
    assert not answer.own


def test_ports_of_the_shell_that_are_not_those_it_runs_on_are_one_sentence(tmp_path: Path) -> None:
    other = free_ports(1)[0]
    with listening("0", tmp_path) as own:
        remember(tmp_path, {**PORTS, "LOCAL_AWS_PORT": own.port})

        assert require_own(tmp_path, {}) is True
        with pytest.raises(OwnerError) as refused:
            require_own(tmp_path, at(other))
        with pytest.raises(OwnerError, match=r"unset LOCAL_DNS_PORT"):
            require_own(tmp_path, {"LOCAL_DNS_PORT": str(other)})

    assert (
        f"runs with LOCAL_AWS_PORT={own.port}, but this shell says LOCAL_AWS_PORT={other}"
        in str(refused.value)
    )
    # Stopped, it may move.
    assert require_own(tmp_path, at(other)) is False
