"""The filters of one page, and the checks of filters that walks have too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .times import Time


def page_filters(
    *,
    keyword: str | None,
    status: str | None,
    created_at__before: Time | None,
    created_at__after: Time | None,
    created_by_end_user_session_id: str | None,
    created_by_account: str | None,
    version: str | None = None,
    **others: object,
) -> tuple[dict[str, Any], str | None]:
    """The filters of one page, checked, by the operation's names; and an undecided keyword, as that of `LogFilters`.

    `version` is the server's, None when it is not known yet. `others` are further parameters of the operation, which
    are sent as they are.

    Raises:
        ValueError: one that cannot be meant, or that the server cannot apply.
    """
    sent: dict[str, Any] = checked_texts(
        keyword=keyword,
        status=status,
        created_by_end_user_session_id=created_by_end_user_session_id,
        created_by_account=created_by_account,
    )
    if created_at__before is not None or created_at__after is not None:
        from . import times  # noqa: PLC0415 - loaded when needed

        times.check_order(created_at__after, created_at__before)
        moments = {"created_at__before": created_at__before, "created_at__after": created_at__after}
        sent |= {name: times.to_utc_text(name, moment) for name, moment in moments.items() if moment is not None}
    sent |= checked_others(others) if others else {}
    undecided = None
    if keyword is not None:
        if "created_by_end_user_session_id" in sent:
            raise ValueError(
                "keyword must be given to logs.list without created_by_end_user_session_id: the server returns 500 for "
                "both; logs.iter takes them together"
            )
        from .keywords import sent_keyword  # noqa: PLC0415 - loaded when needed

        found = sent_keyword(keyword, version)
        undecided = keyword if found is None else None
        sent["keyword"] = keyword if found is None else found
    return sent, undecided


def checked_others(others: Mapping[str, Any]) -> dict[str, Any]:
    """Further parameters of the operation, without those that were left out.

    Raises:
        ValueError: one that the operation does not take.
    """
    from dify_workflow_api.api.logs import list_workflow_logs  # noqa: PLC0415 - loaded when needed

    list_workflow_logs.build_request(**others)
    return {name: value for name, value in others.items() if value is not None}


def checked_texts(
    *,
    keyword: str | None,
    status: str | None,
    created_by_end_user_session_id: str | None,
    created_by_account: str | None,
) -> dict[str, str]:
    """The filters that are text, without those that were left out.

    To the server, empty text is no filter: an application that passes an empty user id would show all users' logs.

    Raises:
        ValueError: one that is not a string, or has no meaning.
    """
    given: dict[str, str] = {}
    for name, text in (
        ("keyword", keyword),
        ("status", status),
        ("created_by_end_user_session_id", created_by_end_user_session_id),
        ("created_by_account", created_by_account),
    ):
        if text is None:
            continue
        given[name] = text
        if not isinstance(text, str):
            raise ValueError(f"{name} must be a string, got {text!r}")
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            raise ValueError(f"{name} must be a string without lone surrogates, got {text!r}")
        from .keywords import Verbatim  # noqa: PLC0415 - loaded when needed

        if isinstance(text, Verbatim) and name in ("keyword", "status"):
            continue
        if name == "status":
            _check_status(text)
        elif not text.strip():
            raise ValueError(
                f"{name} must be left out (None) to mean no filter, got {text!r}: the server returns all users' logs "
                "for empty text"
            )
        elif name == "created_by_account" and text != text.strip():
            raise ValueError(f"{name} must be an account's e-mail address without blanks around it, got {text!r}")
    return given


def _check_status(status: str) -> None:
    from dify_workflow_api.models.workflow_run_status import (  # noqa: PLC0415 - loaded when needed
        WORKFLOW_RUN_STATUS_MEMBERS,
    )

    if status in WORKFLOW_RUN_STATUS_MEMBERS:
        return
    from difflib import get_close_matches  # noqa: PLC0415 - loaded when needed

    nearest = get_close_matches(status.strip().lower(), WORKFLOW_RUN_STATUS_MEMBERS, n=1, cutoff=0.5)
    raise ValueError(
        f"status must be one of {', '.join(map(repr, WORKFLOW_RUN_STATUS_MEMBERS))}, exactly, or left out (None); "
        f"got {str(status)!r}"
        + (f", which may mean {nearest[0]!r}" if nearest else "")
        + "; dify_workflow.Verbatim sends a status that this version does not know"
    )
