"""The end users for whom the app ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_workflow_api.api.end_users import get_end_user

from ..._runs.arguments import checked_id
from . import AsyncResource

if TYPE_CHECKING:
    from ..._http.config import TimeoutOption
    from ...models import EndUserDetail
    from .raw_resources import AsyncRawEndUsers


class AsyncEndUsers(AsyncResource):
    """End users of the app. Newer servers have this operation; Dify 1.11 responds 404."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    @property
    def with_raw_response(self) -> AsyncRawEndUsers:
        """The same methods, which return the response: its status, its headers, and `.parse()` for the result."""
        from .raw_resources import AsyncRawEndUsers  # noqa: PLC0415 - loaded when needed

        return AsyncRawEndUsers(self._base_client)

    async def get(self, end_user_id: str, *, timeout: TimeoutOption = None) -> EndUserDetail:
        """An end user: `GET /end-users/{end_user_id}`.

        Args:
            end_user_id: the end user's id: `log.created_by_end_user.id`, which is not the session id.
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: the id is not a UUID; raised before any request is sent.
            NotFoundError: there is no such end user, or the server does not have this operation.
            DifyError: no usable response came, or one with an error status.
        """
        call = get_end_user.build_request(end_user_id=checked_id("end_user_id", end_user_id))
        return await self._base_client.call(call, timeout)
