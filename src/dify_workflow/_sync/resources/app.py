"""The app's description, inputs and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_workflow_api.api.app import get_app_info, get_app_meta, get_app_parameters, get_app_site

from . import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..._http.config import TimeoutOption
    from ...models import AppInfo, AppMeta, AppParameters, AppSite
    from .raw_resources import RawApp


class App(Resource):
    """The app that the API key belongs to."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    @property
    def with_raw_response(self) -> RawApp:
        """The same methods, which return the response: its status, its headers, and `.parse()` for the result."""
        from .raw_resources import RawApp  # noqa: PLC0415 - loaded when needed

        return RawApp(self._base_client)

    def info(self, *, timeout: TimeoutOption = None) -> AppInfo:
        """The app's name, description, tags, mode and author: `GET /info`.

        Args:
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            DifyError: no usable response came, or one with an error status.
        """
        return self._base_client.call(get_app_info.build_request(), timeout)

    def parameters(self, *, timeout: TimeoutOption = None) -> AppParameters:
        """The inputs that the workflow takes, and the limits for files: `GET /parameters`.

        Args:
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            BadRequestError: the app is not published (`app_unavailable`).
            DifyError: no usable response came, or one with an error status.
        """
        return self._base_client.call(get_app_parameters.build_request(), timeout)

    def check_inputs(self, inputs: Mapping[str, Any], *, timeout: TimeoutOption = None) -> None:
        """Check inputs of a run against the app's form: `GET /parameters`.

        The names, required inputs, types, lengths, options of a selection, and kinds and number of files are checked,
        by the rules of Dify servers; the contents of files are not. The form is read once for each client, and again
        when inputs do not fit the form that was read before. A name that the form does not have is an error only if
        the form names at least one input: a server ignores such an input silently.

        Args:
            inputs: the inputs by name, as `runs.run` takes them.
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: the inputs do not fit; the message lists every problem, and what the form takes.
            DifyError: no usable response came, or one with an error status.
        """
        from ..._runs.arguments import checked_inputs  # noqa: PLC0415 - as above
        from ..._runs.input_form import check_inputs, form_of  # noqa: PLC0415 - loaded when needed

        if (known := self._base_client.form) is not None:
            try:
                return check_inputs(inputs, known)
            except ValueError:  # the app may have been published again
                self._base_client.form = None
        checked_inputs(inputs)
        self._base_client.form = form_of(self.parameters(timeout=timeout))
        return check_inputs(inputs, self._base_client.form)

    def meta(self, *, timeout: TimeoutOption = None) -> AppMeta:
        """The icons of the app's tools: `GET /meta`.

        Args:
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            DifyError: no usable response came, or one with an error status.
        """
        return self._base_client.call(get_app_meta.build_request(), timeout)

    def site(self, *, timeout: TimeoutOption = None) -> AppSite:
        """The appearance of the app's web page: `GET /site`.

        Args:
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            PermissionDeniedError: the app has no web page.
            DifyError: no usable response came, or one with an error status.
        """
        return self._base_client.call(get_app_site.build_request(), timeout)
