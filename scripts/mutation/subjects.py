"""What is changed, place by place: the modules of the facade and those of the generated package; and who judges."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from mutation.operators import Mutant, mutants

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).resolve().parents[2]
FACADE: Final = ROOT / "src" / "dify_workflow"
GENERATED: Final = ROOT / "generated" / "dify_workflow_api"

NOT_CHANGED: Final = {
    "dify_workflow": "names only, which the tests of the package's interface hold, in processes of their own",
    "dify_workflow._logging": "the wording of what is logged",
    "dify_workflow._version": "a number",
    "dify_workflow.models": "names only",
    "dify_workflow_api": "names only",
    "dify_workflow_api.models": "names only, as are the packages of the operations",
    "dify_workflow_api.specification": "the digest of the spec, which `make check` compares",
}

SAMPLE: Final = 200
"""Changes of the generated package: it repeats itself, so that a part of them, the same each time, tells enough."""

SUITE: Final = (
    "tests/unit/test_bodies.py",
    "tests/unit/test_caller.py",
    "tests/unit/test_checkpoints.py",
    "tests/unit/test_configuration.py",
    "tests/unit/test_crews.py",
    "tests/unit/test_environment.py",
    "tests/unit/test_errors.py",
    "tests/unit/test_filters.py",
    "tests/unit/test_following.py",
    "tests/unit/test_models.py",
    "tests/unit/test_pools.py",
    "tests/unit/test_responses.py",
    "tests/unit/test_results.py",
    "tests/unit/test_retries.py",
    "tests/unit/test_runs.py",
    "tests/unit/test_sse.py",
    "tests/unit/test_streams.py",
    "tests/unit/test_times.py",
    "tests/unit/test_upload_sources.py",
    "tests/unit/test_walks.py",
    "tests/unit/test_walks_histories.py",
    "tests/unit/test_walks_lies.py",
    "tests/unit/test_walks_plans.py",
    "tests/unit/test_following_histories.py",
    "tests/contract/test_completeness.py",
    "tests/contract/test_contract_requests.py",
    "tests/contract/test_contract_answers.py",
    "tests/contract/test_contract_models.py",
    "tests/contract/test_recorded_requests.py",
    "tests/contract/test_sandbox_requests.py",
    "tests/e2e/test_attempts.py",
    "tests/e2e/test_connections.py",
    "tests/e2e/test_details.py",
    "tests/e2e/test_event_loops.py",
    "tests/e2e/test_faults.py",
    "tests/e2e/test_faults_of_transport.py",
    "tests/e2e/test_follow.py",
    "tests/e2e/test_follow_faults.py",
    "tests/e2e/test_follow_leaving.py",
    "tests/e2e/test_monitoring.py",
    "tests/e2e/test_network.py",
    "tests/e2e/test_raw_errors.py",
    "tests/e2e/test_runs.py",
    "tests/e2e/test_secrets.py",
    "tests/e2e/test_streams.py",
    "tests/e2e/test_surplus.py",
    "tests/e2e/test_threads.py",
    "tests/e2e/test_uploads.py",
    "tests/e2e/test_walks.py",
    "tests/e2e/test_walks_faults.py",
    "tests/e2e/test_walks_leaving.py",
)
"""The tests that judge: those that use the SDK in the process that they run in."""


class Change(NamedTuple):
    """One change of a module.

    Attributes:
        module: the module's full name.
        mutant: what is changed; None is no change at all, which no test may notice.
    """

    module: str
    mutant: Mutant | None


def facade() -> dict[str, Path]:
    """The modules of the facade that are written by hand: the sync half changes as the async half does."""
    return _modules(FACADE, [*FACADE.glob("*.py"), *(FACADE / "_async").glob("[!_]*.py")])


def generated() -> dict[str, Path]:
    """The modules of the generated package."""
    return _modules(GENERATED, [path for path in GENERATED.rglob("*.py") if path.name != "__init__.py"])


def changes(modules: dict[str, Path]) -> Iterator[Change]:
    """Every change of some modules, each module's after none at all."""
    for name, file in modules.items():
        yield Change(name, None)
        for mutant in mutants(file.read_text("utf-8")):
            yield Change(name, mutant)


def sample(everything: Sequence[Change], size: int = SAMPLE) -> list[Change]:
    """Some of the changes, the same for the same changes, in their order."""
    chosen = random.Random(0).sample(range(len(everything)), min(size, len(everything)))  # noqa: S311 - to be repeatable
    return [everything[index] for index in sorted(chosen)]


def _modules(package: Path, files: list[Path]) -> dict[str, Path]:
    names = {".".join(file.relative_to(package.parent).with_suffix("").parts): file for file in sorted(files)}
    names = {name.removesuffix(".__init__"): file for name, file in names.items()}
    return {name: file for name, file in names.items() if name not in NOT_CHANGED}
