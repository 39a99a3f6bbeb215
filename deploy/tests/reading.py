"""Has the services read their settings, as `config check` does, with secrets and tokens in a folder of the test's."""

import os
import pathlib
import re
import subprocess

import pytest

from manifests import ROOT

# Where pods find their secrets.
SECRETS = "/run/secrets/mainstay"
# What stands in for a secret, by the name of its file: the services look at its form.
STAND_INS = {"url": "postgres://user:password@postgres:5432/mainstay", "secret": "0123456789abcdef" * 4}


def binary(service):
    return pathlib.Path(os.environ["MAINSTAY_BIN_DIR"]) / f"mainstay-{service}"


def is_present(service):
    """Whether the service is in this tree; one that is has to be built."""
    return binary(service).exists() or (ROOT / "services" / service).exists()


def program(service):
    """The service's built binary."""
    if not is_present(service):
        pytest.skip(f"the service {service} is not in this tree yet")
    assert binary(service).exists(), f"{binary(service)} was not built"
    return binary(service)


def config_check(service, variables, folder, file=None):
    """Runs `config check` with these variables and this text as configuration file; gives the exit code, and all it says."""
    secrets = folder / "secrets"
    moved = {name: value.replace(SECRETS, str(secrets)) for name, value in variables.items()}
    arguments = []
    if file is not None:
        path = folder / "settings.toml"
        path.write_text(file.replace(SECRETS, str(secrets)))
        arguments = ["--config", path]
    for path in secret_paths(variables, file):
        stand_in = secrets / path
        stand_in.parent.mkdir(parents=True, exist_ok=True)
        stand_in.write_text(STAND_INS.get(stand_in.name, "stand-in"))
    done = subprocess.run(
        [program(service), *arguments, "config", "check"], env=moved, capture_output=True, text=True, check=False, timeout=30
    )
    return done.returncode, done.stdout + done.stderr


def secret_paths(variables, file=None):
    """The files of secrets that settings name, below the folder of secrets."""
    text = "\n".join([*variables.values(), file or ""])
    return sorted(set(re.findall(re.escape(SECRETS) + r"/([\w./-]+)", text)))


def value_of(said, key):
    """A setting's value in what `config check` says; None when it is not set."""
    match = re.search(rf"^{re.escape(key)} = (.*)$", said, re.M)
    return match and match[1]
