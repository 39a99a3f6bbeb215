"""Python code made from `proto/`, as any user of the services makes it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROTO_FOLDERS = (ROOT / "proto", ROOT / "third_party" / "googleapis")


def generate(folder: Path) -> None:
    """Writes the modules of all protos into `folder`."""
    protos = sorted(str(proto) for place in PROTO_FOLDERS for proto in place.rglob("*.proto"))
    includes = [f"-I{place}" for place in PROTO_FOLDERS]
    outputs = [f"--python_out={folder}", f"--grpc_python_out={folder}"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *includes, *outputs, *protos], check=True)
