"""The command line, `dify-workflow`, of the extra `cli` (click, rich).

- `main` (the entry point), `program` (the root command), `errors` (exit codes, messages);
- one module for each command or group: `logs`, `runs`, `files`, `forms`, `end_users`, `app`, `config`, `completion`,
  `sandbox`, `help`;
- what they share: `commands` (classes of click), `options` (filters, output format, profile), `connection` (clients of
  profiles or of the environment), `output` and `log_output` (formats), `state` (the file of `logs follow --state`).

Modules load click and nothing else: the SDK, httpx and rich are loaded inside the commands that use them, so that
`--help` is fast.
"""
