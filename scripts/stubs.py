"""The gRPC stubs of infra/stack, as grpcio-tools write them from the proto."""

from __future__ import annotations

import tempfile
from functools import cache
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STACK = ROOT / "infra" / "stack"
PROTO = "soma/memory/v1/memory.proto"
_STEM = PROTO.removesuffix(".proto")
NAMES = tuple(f"infra/stack/{_STEM}{end}" for end in ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py"))


def text(name: str) -> str:
    """Give the text of a stub."""
    return _generated()[name]


@cache
def _generated() -> dict[str, str]:
    from grpc_tools import protoc

    with tempfile.TemporaryDirectory() as out:
        outputs = [f"--{kind}={out}" for kind in ("python_out", "pyi_out", "grpc_python_out")]
        includes = [f"-I{STACK / 'proto'}", f"-I{files('grpc_tools') / '_proto'}"]
        if protoc.main(["protoc", *includes, *outputs, PROTO]) != 0:
            raise RuntimeError(f"protoc refuses {PROTO}")
        return {name: (Path(out) / name.removeprefix("infra/stack/")).read_text() for name in NAMES}
