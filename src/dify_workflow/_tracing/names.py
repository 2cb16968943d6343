"""The names of spans and attributes: those of OpenTelemetry's GenAI conventions 0.1.0, and Dify's own below `dify.`.

The conventions are in development: names change between their versions. All names are here, and `SCHEMA_URL`, which
each span carries, says which version they are of.
"""

from typing import Final

SCOPE: Final = "dify_workflow"
SCHEMA_URL: Final = "https://opentelemetry.io/schemas/gen-ai/0.1.0"

# Spans.
INVOKE_WORKFLOW: Final = "invoke_workflow"
NODE: Final = "dify.node"
LOGS_ITER: Final = "dify.logs.iter"

# Attributes of the conventions.
OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
AGENT_NAME: Final = "gen_ai.agent.name"
AGENT_VERSION: Final = "gen_ai.agent.version"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
ERROR_TYPE: Final = "error.type"
SESSION: Final = "session.id"
USER: Final = "user.id"

# Dify's own.
RUN_ID: Final = "dify.workflow_run.id"
TASK_ID: Final = "dify.task_id"
WORKFLOW_ID: Final = "dify.workflow.id"
LOG_ID: Final = "dify.log.id"
STATUS: Final = "dify.status"
TOTAL_TOKENS: Final = "dify.usage.total_tokens"
TOTAL_PRICE: Final = "dify.usage.total_price"
CURRENCY: Final = "dify.usage.currency"
TOTAL_STEPS: Final = "dify.total_steps"
CREATED_FROM: Final = "dify.created_from"
NODE_ID: Final = "dify.node.id"
NODE_TYPE: Final = "dify.node.type"
NODE_TITLE: Final = "dify.node.title"
INPUTS: Final = "dify.inputs"
OUTPUTS: Final = "dify.outputs"
ROWS: Final = "dify.logs.rows"
REQUESTS: Final = "dify.logs.requests"
SWEEP_REQUESTS: Final = "dify.logs.sweep_requests"

PROVIDER_NAME: Final = "dify"
FAILED: Final = "failed"
"""The status of a run, and of a node, that is an error."""
