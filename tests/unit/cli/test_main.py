"""The command line as a person meets it: helps, complaints and exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gatewaycanary import cli
from gatewaycanary.api.crd import crd_yaml
from gatewaycanary.cli import parsing
from gatewaycanary.cli.errors import CommandError
from gatewaycanary.engine.options import Options
from gatewaycanary.kube.errors import UnreachableError

COMMANDS = ("run", "crd", "wait", "plan")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` of each command tells what it does, and exits well."""
    with pytest.raises(SystemExit) as exited:
        cli.main([command, "--help"])
    assert exited.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: gatewaycanary {command}")
    assert out.count("\n") > 4


def test_every_option_has_a_help() -> None:
    """No option of any command is left unexplained."""
    described = parsing.parser()
    commands = next(action for action in described._actions if action.choices)
    assert isinstance(commands.choices, dict)
    assert set(commands.choices) == set(COMMANDS)
    for command in commands.choices.values():
        assert all(action.help for action in command._actions)


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["fly"],
        ["wait"],
        ["wait", "x", "--timeout", "3d"],
        ["run", "--workers", "0"],
        ["run", "--workers", "many"],
        ["run", "--qps", "-1"],
        ["run", "--metrics-port", "70000"],
        ["run", "--log-level", "loud"],
        ["plan"],
    ],
)
def test_a_wrong_command_line_is_no_verdict(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It exits with 64, which no command gives as an answer, and says what is wrong."""
    with pytest.raises(SystemExit) as exited:
        cli.main(argv)
    assert exited.value.code == 64
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "error: " in captured.err


def test_crd_prints_what_is_applied(capsys: pytest.CaptureFixture[str]) -> None:
    """`gatewaycanary crd` prints the CRD and nothing else."""
    assert cli.main(["crd"]) == 0
    assert capsys.readouterr().out == crd_yaml()


def test_options_default_to_those_of_the_operator() -> None:
    """A bare `run` is `Options()`."""
    assert parsing.options(parsing.parser().parse_args(["run"])) == Options()


def test_options_are_read() -> None:
    """Each option of `run` arrives in the frozen options."""
    argv = [
        *("run", "--kubeconfig", "k", "--context", "c", "--namespace", "a", "--namespace", "b"),
        *("--exclude-namespace", "x", "--metrics-port", "1", "--probe-port", "2"),
        *("--no-leader-elect", "--lease-name", "l", "--lease-namespace", "ln", "--workers", "3"),
        *("--qps", "4.5", "--burst", "6", "--log-level", "debug", "--log-format", "json"),
        *("--cluster-domain", "example.org", "--allow-test-roles"),
    ]
    assert parsing.options(parsing.parser().parse_args(argv)) == Options(
        kubeconfig="k",
        context="c",
        namespaces=("a", "b"),
        excluded_namespaces=("x",),
        metrics_port=1,
        probe_port=2,
        leader_elect=False,
        lease_name="l",
        lease_namespace="ln",
        workers=3,
        qps=4.5,
        burst=6,
        log_level="debug",
        log_format="json",
        cluster_domain="example.org",
        allow_test_roles=True,
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CommandError("no such file"), 64),
        (UnreachableError("refused"), 69),
        (KeyboardInterrupt(), 130),
    ],
)
def test_expected_errors_are_one_line(
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What can go wrong outside is told without a stack trace."""

    def fail(_: object) -> int:
        raise error

    monkeypatch.setattr(parsing, "_crd", fail)
    assert cli.main(["crd"]) == code
    assert capsys.readouterr().err.count("\n") == (0 if code == 130 else 1)


def test_a_cluster_that_is_not_there_is_unavailable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A kubeconfig that does not exist is told, with a code of its own."""
    assert cli.main(["wait", "x", "--kubeconfig", str(tmp_path / "none")]) == 69
    assert capsys.readouterr().err.startswith("error: no way to the cluster")


def test_a_closed_pipe_is_no_error() -> None:
    """`gatewaycanary crd | head -1` ends quietly."""
    script = f"{sys.executable} -m gatewaycanary crd | head -1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith("# Generated")


def test_other_commands_start_without_the_operator() -> None:
    """`crd`, `wait` and `plan` load neither kopf nor the operator."""
    script = "import sys, gatewaycanary.cli; print('kopf' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
