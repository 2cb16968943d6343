"""The files that an app's runs can use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_workflow_api.api.files import upload_file

from ..._http import decode
from ..._http.advice import after_upload
from ..._runs import upload
from ..._runs.arguments import checked_user
from ...results import Upload
from . import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..._http.config import TimeoutOption
    from ..._runs.upload import FileSource
    from .raw_resources import RawFiles


class Files(Resource):
    """Files for the app's runs."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    @property
    def with_raw_response(self) -> RawFiles:
        """The same methods, which return the response: its status, its headers, and `.parse()` for the result."""
        from .raw_resources import RawFiles  # noqa: PLC0415 - loaded when needed

        return RawFiles(self._base_client)

    def upload(
        self,
        file: FileSource,
        *,
        user: str,
        filename: str | None = None,
        content_type: str | None = None,
        timeout: TimeoutOption = None,
    ) -> Upload:
        """Upload a file for the inputs of a run: `POST /files/upload`.

        It is read from disk as it is sent; what can be read only once, such as a pipe, is first copied to a temporary
        file. It is sent again only when the server cannot have received it.

        Args:
            file: a path, the bytes, or a file object that is open for bytes; a file object is read from its beginning.
            user: id of the end user, 1 to 255 characters: only a run for the same user can use the file.
            filename: what the file is called; the path's or the file object's own name unless given. Dify detects the
                kind of a file by its end.
            content_type: what the file is, such as "application/pdf"; guessed from the name unless given.
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: the file has no name, or an argument is invalid; raised before any request is sent.
            OSError: the file cannot be read.
            PayloadTooLargeError: over the server's limit; as Dify 1.11 comes, 15 MB, for images 10, for audio 50, for
                video 100.
            UnsupportedMediaTypeError: a kind of file that the server refuses.
            DifyError: no usable response came, or one with an error status.
        """
        user = checked_user(user)
        with upload.Source(file, filename, content_type) as source:
            call = upload_file.build_request(file=self._base_client.pool.run_blocking(source.part), user=user)
            return self._base_client.send(call, decode.reader_as(Upload), timeout, after_upload)

    def upload_all(self, inputs: Mapping[str, Any], *, user: str, timeout: TimeoutOption = None) -> dict[str, Any]:
        """Upload every file among the inputs of a run: `POST /files/upload` for each path.

        >>> inputs = client.files.upload_all({"query": "hi", "doc": Path("report.pdf")}, user="u-1")
        >>> client.runs.run(inputs, user="u-1")

        A path is an object of `pathlib`, at any depth. Strings are not paths. `runs.start` and `runs.batch` do so, too.

        Args:
            inputs: the inputs by name.
            user: id of the end user, 1 to 255 characters: only a run for the same user can use the files.
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Returns:
            The inputs, with an upload in the place of each path. Each path is uploaded once.

        Raises:
            ValueError: an argument is invalid; raised before any request is sent.
            OSError: a file cannot be read; of one that is not there, this is raised before any request is sent.
            DifyError: no usable response came, or one with an error status.
        """
        from ..._runs.file_inputs import paths_in, to_check, with_paths_replaced  # noqa: PLC0415 - loaded when needed

        to_check(inputs)
        uploads = {path: self.upload(path, user=user, timeout=timeout) for path in paths_in(inputs)}
        sent: dict[str, Any] = with_paths_replaced(inputs, uploads.__getitem__)
        return sent
