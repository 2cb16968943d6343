"""Print the text of a run as it is made, and what each node of the workflow did."""

import asyncio

from dify_workflow import AsyncDifyWorkflow


async def main() -> None:
    """Run the workflow once."""
    async with AsyncDifyWorkflow() as client:
        inputs = {"query": "The quick brown fox jumps over the lazy dog", "chunks": 5}
        async with client.runs.stream(inputs, user="reader") as events:
            async for event in events:
                if event.event == "text_chunk":
                    print(event.data.text, end="", flush=True)
        print()
        print(events.status)
        for node in events.nodes:
            print(f"{node.title}: {node.status}, {node.elapsed_time} s")


asyncio.run(main())
