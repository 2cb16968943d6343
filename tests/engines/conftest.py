"""What `make test-engines` runs has a Spark session, which only its environment can make."""

from support.spark_session import few, folder, sandbox, spark

__all__ = ["few", "folder", "sandbox", "spark"]
