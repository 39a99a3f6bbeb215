"""The services run with what the dev overlay gives them, on a real PostgreSQL with its roles; only addresses are others."""

import base64
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

import pytest

from manifests import KUBERNETES, SERVICES, containers, environment, migrations, named, pod_spec, rendered, servers, settings
from reading import SECRETS, is_present, program
from rules import background_connections, peers

START_SECONDS_MAX = 60
# The pool of messages that leave is in no service's metrics.
UNSEEN_CONNECTIONS = {"surveys": 4, "interventions": 4}
PRESENT = [service for service in SERVICES if is_present(service)]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def postgres_program(name):
    """A program of PostgreSQL, where it is found as the tests of the services find it."""
    folders = [os.environ.get("MAINSTAY_PG_BIN", ""), *sorted(map(str, pathlib.Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)]
    found = shutil.which(name, path=os.pathsep.join([*filter(None, folders), os.environ["PATH"]]))
    assert found, f"PostgreSQL's {name} is not on this machine"
    return found


def unprivileged_user():
    known = {user.pw_name for user in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


class Database:
    """A server of the tests' own, with the roles of dev."""

    def __init__(self, folder):
        self.port = free_port()
        # PostgreSQL refuses to run as root.
        self.owner = {"user": unprivileged_user()} if os.getuid() == 0 else {}
        if self.owner:
            shutil.chown(folder, self.owner["user"])
        data = folder / "data"
        password = folder / "password"
        password.write_text("dev-only")
        password.chmod(0o644)
        initdb = [postgres_program("initdb"), "-D", data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={password}", "--no-sync"]
        subprocess.run(initdb, cwd="/", check=True, capture_output=True, **self.owner)
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=250", "-c", "fsync=off", "-k", folder, "-p", str(self.port)]
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen([postgres_program("postgres"), "-D", data, *options], cwd="/", stderr=log, **self.owner)
        wait_for("PostgreSQL", lambda: self.query("postgres", "SELECT 1", database="postgres").returncode == 0)
        assert self.query("postgres", "CREATE DATABASE mainstay", database="postgres").returncode == 0
        done = self.query("postgres", (KUBERNETES / "overlays/dev/roles.sql").read_text())
        assert done.returncode == 0, done.stderr

    def query(self, role, statement, database="mainstay"):
        url = f"postgres://{role}:dev-only@127.0.0.1:{self.port}/{database}"
        command = [postgres_program("psql"), "--no-psqlrc", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1", url]
        return subprocess.run(command, input=statement, capture_output=True, text=True, check=False, timeout=30)

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)


def wait_for(what, holds):
    deadline = time.monotonic() + START_SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline, f"{what} does not come up"
        time.sleep(0.1)


class Suite:
    """All services of this tree, migrated by their owners and started by the roles that serve."""

    def __init__(self, database, folder):
        self.database, self.folder = database, folder
        self.manifests = rendered("dev")
        self.ports = {(service, name): free_port() for service in PRESENT for name in ("rpc", "admin", "page")}
        self.migrated = {service: self.run(service, migrations, "migrate") for service in PRESENT}
        self.processes = {}
        for service in PRESENT:
            command, variables = self.command(service, servers, "serve")
            with open(folder / f"{service}.log", "wb") as log:
                self.processes[service] = subprocess.Popen(command, env=variables, stdout=log, stderr=log)

    def command(self, service, part, *arguments):
        """The command and its variables, as the pod has them."""
        workload = part(self.manifests)[service]
        variables = environment(self.manifests, containers(workload)[0])
        place = self.folder / f"{service}-{part.__name__}"
        mounts = {mount["name"]: mount["mountPath"] for mount in containers(workload)[0]["volumeMounts"]}
        for volume in pod_spec(workload)["volumes"]:
            if "secret" in volume:
                secret = named(self.manifests, "Secret", volume["secret"]["secretName"])
                folder = place / pathlib.Path(mounts[volume["name"]]).relative_to(SECRETS)
                folder.mkdir(parents=True, exist_ok=True)
                for name, value in secret["data"].items():
                    text = base64.b64decode(value).decode()
                    (folder / name).write_text(text.replace("@postgres:5432", f"@127.0.0.1:{self.database.port}"))
        prefix = f"MAINSTAY_{service.upper()}__"
        moved = {name: value.replace(SECRETS, str(place)) for name, value in variables.items()}
        for key, name in (("RPC__LISTEN", "rpc"), ("RPC__ADMIN_LISTEN", "admin"), ("PAGE__LISTEN", "page")):
            if prefix + key in moved:
                moved[prefix + key] = f"127.0.0.1:{self.ports[service, name]}"
        for peer in peers(self.manifests, service):
            address = f"{prefix}PEERS__{peer.upper()}__ADDRESS"
            if address in moved:
                moved[address] = f"http://127.0.0.1:{self.ports.get((peer, 'rpc'), 1)}"
        return [str(program(service)), *arguments], moved

    def run(self, service, part, *arguments):
        command, variables = self.command(service, part, *arguments)
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=60)

    def metrics(self, service):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[service, 'admin']}/metrics", timeout=5) as answer:
            return answer.read().decode()

    def log(self, service):
        return (self.folder / f"{service}.log").read_text()[-2000:]


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    # Beside pytest's own folders, which nobody but their maker may enter.
    folder = pathlib.Path(subprocess.run(["mktemp", "--directory"], capture_output=True, text=True, check=True).stdout.strip())
    server = Database(folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def suite(database, tmp_path_factory):
    running = Suite(database, tmp_path_factory.mktemp("suite"))
    yield running
    for process in running.processes.values():
        if process.poll() is None:
            process.kill()
            process.wait()


each_service = pytest.mark.parametrize("service", PRESENT)


@each_service
def test_the_owner_migrates(suite, service):
    done = suite.migrated[service]
    assert (done.returncode, done.stdout[:8]) == (0, "applied "), done.stderr


@each_service
def test_the_serving_role_serves(suite, service):
    wait_for(service, lambda: suite.run(service, servers, "healthcheck").stdout == "SERVING\n" or suite.processes[service].poll() is not None)
    assert suite.processes[service].poll() is None, suite.log(service)


@each_service
def test_the_serving_role_changes_no_table(suite, database, service):
    done = database.query(f"mainstay_{service}", f"CREATE TABLE {service}.intruder (number int)")
    assert "permission denied for schema" in done.stderr


@each_service
def test_neither_role_reads_another_services_schema(suite, database, service):
    other = next(candidate for candidate in PRESENT if candidate != service)
    for role in (f"mainstay_{service}", f"mainstay_{service}_owner"):
        done = database.query(role, f"SELECT count(*) FROM {other}.feed")
        assert "permission denied for schema" in done.stderr
    assert database.query(f"mainstay_{other}", f"SELECT count(*) FROM {other}.feed").returncode == 0


@each_service
def test_pools_are_as_large_as_the_sums_have_it(suite, service):
    pools = re.compile(r'^mainstay_database_pool_connections_max\{pool="(\w+)"\} (\d+)$', re.M)
    wait_for(f"the pools of {service}", lambda: pools.search(suite.metrics(service)))
    given = settings(suite.manifests, service)
    seen = {name: int(size) for name, size in pools.findall(suite.metrics(service))}
    unseen = 0 if "delivery" in seen else UNSEEN_CONNECTIONS.get(service, 0)
    wanted = int(given["database.max_connections"]) + background_connections(service, given)
    assert sum(seen.values()) + unseen == wanted, seen


@each_service
def test_sigterm_ends_it_within_its_time(suite, service):
    suite.processes[service].terminate()
    grace = pod_spec(servers(suite.manifests)[service])["terminationGracePeriodSeconds"]
    assert suite.processes[service].wait(grace) == 0, suite.log(service)
