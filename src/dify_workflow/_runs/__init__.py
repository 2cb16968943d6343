"""What is decided about runs: their arguments, files, streams and forms. Nothing here sends or sleeps."""
