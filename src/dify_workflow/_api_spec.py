"""The identity of the OpenAPI document that the package was generated from."""

from typing import Final, NamedTuple

from dify_workflow_api.specification import SHA256, TITLE, VERSION


class APISpec(NamedTuple):
    """The OpenAPI document that the package was generated from: the type of `dify_workflow.API_SPEC`."""

    title: str
    """The title of the OpenAPI document."""

    version: str
    """The version of the OpenAPI document: that of the Dify server it describes."""

    sha256: str
    """The SHA-256 digest of the file `spec/openapi.yaml`, as 64 hexadecimal digits."""


APISpec.__module__ = "dify_workflow.types"  # in the class, mypy takes it for a field

API_SPEC: Final = APISpec(TITLE, VERSION, SHA256)
"""The OpenAPI document that the package was generated from."""
