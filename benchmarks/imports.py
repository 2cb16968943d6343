"""What it costs to import the SDK, and to make a client that is ready for its first call.

Usage: imports.py
"""

from __future__ import annotations

from measure import programs_in_turn, table

ROUNDS = 40


def main() -> None:
    """Measure and print."""
    imports = {"bare interpreter": "pass", "import dify_workflow": "import dify_workflow"}
    table(
        "import, whole process",
        programs_in_turn(imports, rounds=ROUNDS),
        base="bare interpreter",
        promises={"import dify_workflow": 1.3},
    )
    ready = {
        "httpx.Client": "import httpx; client = httpx.Client(); client.get",
        "DifyWorkflow": (
            "from dify_workflow import DifyWorkflow; client = DifyWorkflow(api_key='app-x');"
            "client.logs.list; client._caller.pool.http()"
        ),
    }
    table(
        "client made and first call ready, whole process",
        programs_in_turn(ready, rounds=ROUNDS // 2),
        base="httpx.Client",
        promises={"DifyWorkflow": 1.1},
    )


if __name__ == "__main__":
    main()
