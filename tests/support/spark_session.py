"""A Spark session on `local[2]`, and the sandboxes that it reads: fixtures of tests/engines."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from dify_workflow.sandbox.sample_data import generate_logs
from dify_workflow.testing import Sandbox, new_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
KEY = "app-key-in-the-environment-of-the-workers"
APPS = ("shop", "support", "sales")
ATTEMPTS = 20
UNSTARTED = "failed to connect back"
"""Spark gives a stream's Python process ten seconds to start, which no setting changes."""
LOG_SETTINGS = """
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = {file}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %p %c: %m%n%ex
"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Spark writes is in here: logs, event logs, and the configuration with the profiles."""
    return tmp_path_factory.mktemp("spark")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """25,000 logs, 350 of them in one second, all older than a stream's `lag`; and three other apps."""
    with Sandbox(rows=0, api_key=KEY) as sandbox:
        sandbox.add_logs(generate_logs(25_000, now=int(time.time()) - 3600, days=60, crowd=350))
        with sandbox.client() as client:
            newest = client.logs.list(limit=1).data[0].created_at
        for number, app in enumerate(APPS):
            sandbox.add_app(app)
            seconds = [newest - 3600 - 7 * place for place in range(100 + 10 * number)]
            sandbox.add_logs([new_log(created_at=second) for second in seconds], app=app)
        yield sandbox


@pytest.fixture
def few() -> Iterator[Sandbox]:
    """A sandbox of a test's own, with the key of the workers."""
    with Sandbox(rows=0, api_key=KEY) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def spark(folder: Path, sandbox: Sandbox) -> Iterator[Any]:
    """A session with the data source; a task is tried up to four times. Workers have the environment of now."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - only tests of Spark need it

    from dify_workflow.spark import register  # noqa: PLC0415 - as above

    settings = folder / "log4j2.properties"
    settings.write_text(LOG_SETTINGS.format(file=folder / "spark.log"))
    (folder / "events").mkdir()
    profiles = folder / "dify-workflow" / "config.toml"
    profiles.parent.mkdir()
    profiles.touch(mode=0o600)
    profiles.write_text(
        "".join(f"[profiles.{app}]\nbase_url = '{sandbox.base_url}'\napi_key = '{sandbox.keys[app]}'\n" for app in APPS)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # Java stays there: relative paths of a query are in it
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("DIFY_API_KEY", KEY)
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        patch.delenv("DIFY_BASE_URL", raising=False)
        options = {
            "spark.ui.enabled": "false",
            "spark.driver.memory": "1g",
            "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={settings.as_uri()}",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": (folder / "events").as_uri(),
            "spark.local.dir": str(folder),
            "spark.python.authenticate.socketTimeout": "300s",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
        }
        builder = SparkSession.builder.master("local[2,4]").appName("dify_logs")
        for name, value in options.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        register(session)
        yield session
        session.stop()


def repeated(call: Callable[[], T]) -> T:
    """What a call gives that runs a stream; it is made again where a busy machine did not start the stream in time."""
    for _ in range(ATTEMPTS):
        try:
            return call()
        except Exception as error:
            if UNSTARTED not in str(error):
                raise
    raise AssertionError(UNSTARTED)


def python_workers() -> list[int]:
    """The processes in which Spark runs Python tasks: children of its daemon, which has the same command line."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if b"pyspark.daemon" in (folder / "cmdline").read_bytes() and _is_ours(folder):
                    parents[int(folder.name)] = _parent(folder)
            except OSError:
                continue  # it has ended
    return [process for process, parent in parents.items() if parent in parents]


def _parent(folder: Path) -> int:
    return int((folder / "stat").read_text().rpartition(")")[2].split()[1])


def _is_ours(folder: Path) -> bool:
    """Whether this process, or one that it started, started it."""
    while folder.name != "1":
        if folder.name == str(os.getpid()):
            return True
        folder = folder.with_name(str(_parent(folder)))
        if folder.name == "0":
            return False
    return False
