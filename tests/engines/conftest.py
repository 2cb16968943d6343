"""What `make test-engines` runs has a Spark session, which only its environment can make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.spark_session import few, folder, sandbox, spark
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

__all__ = ["few", "folder", "sandbox", "spark"]


class ByEngine(LoadScopeScheduling):
    """Runs all tests of Spark in one process, which has one session, and all others in another."""

    def _split_scope(self, nodeid: str) -> str:
        return "spark" if "spark" in nodeid else "dlt"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Any:
    """Distribute by engine: the groups of `--dist loadgroup` have no effect in pytest 9.2."""
    return ByEngine(config, log)
