"""What the app says about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_workflow_api.api.app import get_app_info, get_app_meta, get_app_parameters, get_app_site

from .resource import Resource

if TYPE_CHECKING:
    from .._configuration import TimeoutOption
    from ..models import AppInfo, AppMeta, AppParameters, AppSite


class App(Resource):
    """The app that the API key belongs to."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    def info(self, *, timeout: TimeoutOption = None) -> AppInfo:
        """The app's name, description, tags, mode and author: `GET /info`.

        Args:
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            DifyError: as every method does.
        """
        return self._caller.call(get_app_info.build_request(), timeout)

    def parameters(self, *, timeout: TimeoutOption = None) -> AppParameters:
        """The inputs that the workflow takes, and the limits for files: `GET /parameters`.

        Args:
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            BadRequestError: the app is not published (`app_unavailable`).
            DifyError: as every method does.
        """
        return self._caller.call(get_app_parameters.build_request(), timeout)

    def meta(self, *, timeout: TimeoutOption = None) -> AppMeta:
        """The icons of the app's tools: `GET /meta`.

        Args:
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            DifyError: as every method does.
        """
        return self._caller.call(get_app_meta.build_request(), timeout)

    def site(self, *, timeout: TimeoutOption = None) -> AppSite:
        """How the app's web page looks: `GET /site`.

        Args:
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            PermissionDeniedError: the app has no web page.
            DifyError: as every method does.
        """
        return self._caller.call(get_app_site.build_request(), timeout)
