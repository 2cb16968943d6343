"""Print last week's figures, and write them as a page with charts: report.html."""

from dify_workflow import DifyWorkflow, stats

with DifyWorkflow() as client:
    figures = stats.collect(client.logs.iter(created_at__after="7d"), tz="UTC", price_per_1k=0.002)
    name = client.app.info().name

print(f"{figures.logs} logs, {figures.statuses.failed} failed runs")
print(f"95 % of runs took at most {figures.duration.p95} seconds")
for group in figures.errors[:3]:
    print(f"{group.count:5}  {group.error}")
for user in figures.users[:3]:
    print(f"{user.tokens:12,} tokens  {user.user}")
stats.render_html(figures, "report.html", title=f"{name}: last week")
print("report.html")
