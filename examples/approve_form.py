"""Start a run that pauses for a person, show what it asks for, and decide. Needs Dify 1.14 or newer."""

import time

from dify_workflow import DifyWorkflow

USER = "reader"

with DifyWorkflow() as client:
    token = ""
    with client.runs.stream({"query": "hi", "pause": "Send this letter?"}, user=USER) as events:
        for event in events:
            if event.event == "human_input_required":
                token = event.data.form_token
    print("the run is", events.status)

    form = client.forms.get(token)
    print(form.form_content)
    action = form.user_actions[0].id
    client.forms.submit(token, inputs={"comment": "fine"}, action=action, user=USER)

    run = client.runs.attach(str(events.workflow_run_id), user=USER)
    while run.get().status == "paused":  # until the server has taken it up again
        time.sleep(0.5)
    print(run.wait(timeout=600).outputs)
