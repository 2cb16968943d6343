"""What is decided about logs: filters, walks, follows, ranges. Nothing here sends or sleeps."""
