"""The Dockerfile, and whether what is sent to its builder is enough. No image is built here: that needs a registry."""

import fnmatch
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from manifests import DEPLOY, ROOT, SERVICES

DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def is_sent(path):
    """Whether .dockerignore lets a file of the repository through: the last pattern that fits it or a folder above decides."""
    parts = pathlib.PurePath(path).parts
    prefixes = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        name = pattern.removeprefix("!")
        if any(fnmatch.fnmatchcase(prefix, name) or fnmatch.fnmatchcase(prefix, name.removeprefix("**/")) for prefix in prefixes):
            sent = pattern.startswith("!")
    return sent


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """A folder with the files that the builder would get."""
    folder = tmp_path_factory.mktemp("context")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for path in filter(is_sent, listed.stdout.splitlines()):
        if (ROOT / path).exists():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, folder / path)
    return folder


def test_the_linter_has_nothing_to_say():
    done = subprocess.run(["hadolint", str(DEPLOY / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_as_a_numbered_user_that_is_not_root():
    [user] = re.findall(r"^USER (\d+):\d+$", DOCKERFILE, re.M)
    assert int(user) > 0


def test_base_images_have_fixed_tags():
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    assert len(bases) == 2
    assert all(re.fullmatch(r"[\w./-]+:[\w.-]+", base) and not base.endswith(":latest") for base in bases)


def test_the_toolchain_is_the_repositorys():
    channel = re.search(r'channel = "(.+)"', (ROOT / "rust-toolchain.toml").read_text())[1]
    assert f"FROM rust:{channel}-" in DOCKERFILE and f"RUSTUP_TOOLCHAIN={channel}" in DOCKERFILE


def test_no_secret_and_nothing_needless_is_sent():
    assert is_sent("crates/rpc/src/lib.rs") and is_sent("Cargo.lock") and is_sent(".sqlx/query-1.json")
    for path in (".git/config", "target/debug/mainstay", "deploy/compose.yaml", ".env", "docs/a.md", "crates/rpc/target/x"):
        assert not is_sent(path), path


@pytest.mark.parametrize("service", SERVICES)
def test_the_build_command_finds_all_it_needs_in_what_is_sent(context, service):
    """Cargo plans the very command of the Dockerfile, from those files alone, up to where it would compile."""
    if not (ROOT / "services" / service).exists():
        pytest.skip(f"the service {service} is not in this tree yet")
    command = re.search(r"^\s+cargo build .*?(?= \\$)", DOCKERFILE, re.M)[0].strip()
    command = re.sub(r'"mainstay-\$\{SERVICE:\?[^}]*\}"', f"mainstay-{service}", command)
    # The plan is printed by a flag that only asks for more rights than a release of cargo gives by itself.
    environment = {**os.environ, "RUSTC_BOOTSTRAP": "1", "CARGO_TARGET_DIR": str(context / "target")}
    done = subprocess.run(
        [*command.split(), "--offline", "-Z", "unstable-options", "--unit-graph"],
        cwd=context, env=environment, capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stderr
    units = json.loads(done.stdout)["units"]
    binaries = {unit["target"]["name"] for unit in units if unit["target"]["kind"] == ["bin"]}
    assert binaries == {f"mainstay-{service}"} and f"target/release/mainstay-{service}\"" in DOCKERFILE.replace("${SERVICE}", service)
    sources = {pathlib.Path(unit["target"]["src_path"]) for unit in units}
    ours = [path for path in sources if path.is_relative_to(context)]
    assert ours
    assert missing_includes(ours) == []


def missing_includes(roots):
    """Files that the crates take into themselves, their tests apart, and that are not there."""
    missing = []
    for source in {path for root in roots for path in root.parent.rglob("*.rs")}:
        if source.stem.endswith("tests"):
            continue
        text = source.read_text().split("#[cfg(test)]\nmod tests {")[0]
        for name in re.findall(r'include_(?:str|bytes)!\("([^"]+)"\)', text):
            if not (source.parent / name).exists():
                missing.append(f"{source}: {name}")
    return missing
