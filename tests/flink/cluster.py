"""A Flink session cluster on loopback: a JobManager, TaskManagers, Beam's job server and its pool of Python workers."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
INSTALLED = PROJECT / ".cache" / "flink"
_FRAMEWORK_MB = 128  # of Flink itself, in the heap and outside
_BUFFERS_MB = 384  # between TaskManagers
_PATIENCE = 300.0  # seconds that a server may take on a busy machine
_LIB = INSTALLED / "lib" / "*"
# Flink's own first: the job server comes without it, and runs beside any 1.19.
_CLASSPATH = f"{_LIB}:{INSTALLED / 'job-server.jar'}"
_OPENED = ("lang", "lang.invoke", "lang.reflect", "net", "nio", "io", "text", "time", "util", "util.concurrent")
_JAVA = (
    *("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    *(f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in _OPENED),
    *("--add-opens=java.base/sun.nio.ch=ALL-UNNAMED", "--add-exports=java.base/sun.net.util=ALL-UNNAMED"),
)
_FLINK = "org.apache.flink.runtime"
_LOGGING = """
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = Console
appender.console.name = Console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %-5p %c{1} %m%n
"""


class Cluster:
    """The processes, each with its log in the cluster's folder."""

    def __init__(self, folder: Path, heap_mb: int):
        """Starts nothing yet; `heap_mb` is each TaskManager's for its tasks."""
        self._folder = folder
        self._heap_mb = heap_mb
        self._direct_mb = heap_mb // 4  # Beam hands elements to Python through memory outside of the heap
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._rest, self._rpc, self._jobs, self._artifacts, self._expansion, self._pool = _free_ports(6)

    @property
    def assignments(self) -> list[str]:
        """What sends a run of the pipeline here."""
        return [
            "beam.runner=flink",
            f"beam.job_server=127.0.0.1:{self._jobs}",
            f"beam.environment=pool:127.0.0.1:{self._pool}",
            "beam.parallelism=2",
        ]

    def start(self) -> None:
        """Starts everything, and waits until it is ready."""
        self._configure()
        self._start_java("manager", f"{_FLINK}.entrypoint.StandaloneSessionClusterEntrypoint", "--configDir", ".")
        self._wait(lambda: self.get("/overview")["taskmanagers"] == 0)
        for name in ("worker-0", "worker-1"):
            self.start_task_manager(name)
        self._start_java(
            "job-server",
            "org.apache.beam.runners.flink.FlinkJobServerDriver",
            *(f"--flink-master=127.0.0.1:{self._rest}", "--job-host=127.0.0.1", f"--job-port={self._jobs}"),
            *(f"--artifact-port={self._artifacts}", f"--expansion-port={self._expansion}"),
            f"--artifacts-dir={self._folder / 'staged'}",
        )
        self._start("pool", [sys.executable, str(PROJECT / "tests/flink/worker_pool.py"), str(self._pool)])
        self._wait(lambda: self.get("/overview")["taskmanagers"] == 2)
        self._wait(lambda: _listens(self._jobs) and _listens(self._pool))

    def start_task_manager(self, name: str) -> None:
        """Starts one of the two machines that work."""
        runner, heap = f"{_FLINK}.taskexecutor.TaskManagerRunner", self._heap_mb + _FRAMEWORK_MB
        direct = self._direct_mb + _FRAMEWORK_MB + _BUFFERS_MB
        self._start_java(name, runner, "--configDir", ".", heap=heap, direct=direct)

    def kill(self, name: str) -> None:
        """Ends a process at once, as a machine that dies."""
        process = self._processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Ends everything that was started."""
        for name in list(self._processes):
            with contextlib.suppress(ProcessLookupError):
                self.kill(name)

    def get(self, path: str) -> Any:
        """What Flink's REST interface has to say."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._rest}{path}", timeout=60) as answer:
            return json.load(answer)

    def _configure(self) -> None:
        settings = {
            "jobmanager.rpc.address": "127.0.0.1",
            "jobmanager.rpc.port": self._rpc,
            "jobmanager.bind-host": "127.0.0.1",
            "jobmanager.memory.process.size": "1g",
            "rest.address": "127.0.0.1",
            "rest.bind-address": "127.0.0.1",
            "rest.port": self._rest,
            "web.refresh-interval": 100,  # milliseconds that an answer may be old
            "taskmanager.host": "127.0.0.1",
            "taskmanager.bind-host": "127.0.0.1",
            # Either machine has room for a whole job, so that it goes on with one.
            "taskmanager.numberOfTaskSlots": 2,
            "taskmanager.cpu.cores": 2.0,
            "taskmanager.memory.framework.heap.size": f"{_FRAMEWORK_MB}m",
            "taskmanager.memory.framework.off-heap.size": f"{_FRAMEWORK_MB}m",
            "taskmanager.memory.task.heap.size": f"{self._heap_mb}m",
            "taskmanager.memory.task.off-heap.size": f"{self._direct_mb}m",
            "taskmanager.memory.network.min": f"{_BUFFERS_MB}m",
            "taskmanager.memory.network.max": f"{_BUFFERS_MB}m",
            "cluster.evenly-spread-out-slots": "true",
            "taskmanager.memory.managed.size": "256m",
            "taskmanager.memory.jvm-metaspace.size": "256m",
            "taskmanager.memory.jvm-overhead.min": "128m",
            "taskmanager.memory.jvm-overhead.max": "128m",
            # Where Beam comes with each job, its workers end with each of its stages.
            "classloader.resolve-order": "parent-first",
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": 5,
            "restart-strategy.fixed-delay.delay": "1s",
            # A busy machine is no dead one.
            "pekko.ask.timeout": "300 s",
            "pekko.startup-timeout": "300 s",
            "heartbeat.interval": 2000,
            "heartbeat.timeout": 60000,
            "io.tmp.dirs": self._folder / "tmp",
            "blob.storage.directory": self._folder / "blobs",
        }
        for name in ("tmp", "blobs", "staged"):
            (self._folder / name).mkdir()
        text = "".join(f"{key}: {value}\n" for key, value in settings.items())
        (self._folder / "flink-conf.yaml").write_text(text)
        (self._folder / "log4j.properties").write_text(_LOGGING)

    def _start_java(self, name: str, main: str, *arguments: str, heap: int = 512, direct: int = 640) -> None:
        logging = f"-Dlog4j.configurationFile={self._folder / 'log4j.properties'}"
        memory = (f"-Xmx{heap}m", f"-XX:MaxDirectMemorySize={direct}m")
        self._start(name, [*_JAVA, *memory, logging, "-cp", _CLASSPATH, main, *arguments])

    def _start(self, name: str, command: Sequence[str]) -> None:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # the pool starts its workers by `python`
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command,
                cwd=self._folder,
                env={**os.environ, "PATH": path, "PYTHONPATH": str(PROJECT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait(self, ready: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                if ready():
                    return
            for name, process in self._processes.items():
                log = self._folder / f"{name}.log"
                assert process.poll() is None, f"{name} has ended:\n{log.read_text(errors='replace')[-3000:]}"
            time.sleep(0.2)
        raise TimeoutError(f"the cluster was not ready within {_PATIENCE:.0f} s; its logs: {self._folder}")


@contextlib.contextmanager
def running_cluster(folder: Path, heap_mb: int) -> Iterator[Cluster]:
    """A cluster for as long as it lasts."""
    cluster = Cluster(folder, heap_mb)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
