"""Forms are read as they arrive, whatever they contain and wherever they are cut."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dify_workflow._http.library import httpx
from dify_workflow.sandbox.multipart import MultipartError, Part, boundary_of, read_parts

BOUNDARY = b"edge"


def read(body: bytes, *cuts: int, boundary: bytes = BOUNDARY) -> list[Part]:
    """Read a body that arrives in pieces, cut at these places."""
    places = [0, *sorted(cuts), len(body)]

    async def chunks() -> AsyncIterator[bytes]:
        for start, end in pairwise(places):
            yield body[start:end]

    return asyncio.run(read_parts(chunks(), boundary))


def form(*contents: bytes, headers: bytes = b'Content-Disposition: form-data; name="file"; filename="a"') -> bytes:
    parts = b"".join(b"--edge\r\n" + headers + b"\r\n\r\n" + content + b"\r\n" for content in contents)
    return parts + b"--edge--\r\n"


# Content in which boundaries seem to begin.
contents = st.lists(
    st.sampled_from([b"\r", b"\n", b"-", b"--", b"\r\n--", b"edge", b"\r\n--edg", b"--edge", b"x", b"\0", b"\r\n\r\n"]),
    max_size=12,
).map(b"".join).filter(lambda content: b"\r\n--edge" not in b"\r\n" + content)  # fmt: skip


@settings(deadline=None)
@given(parts=st.lists(contents, max_size=4), data=st.data())
def test_a_form_is_read_alike_wherever_it_is_cut(parts: list[bytes], data: st.DataObject) -> None:
    body = b"before the first\r\n" + form(*parts) + b"after the last"
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=20))
    found = read(body, *cuts)
    assert [part.size for part in found] == [len(content) for content in parts]
    assert [part.sha256 for part in found] == [hashlib.sha256(content).hexdigest() for content in parts]


def test_a_form_is_read_alike_when_it_comes_byte_by_byte() -> None:
    body = form(b"one", b"", b"\r\n--edg\r\n")
    assert read(body, *range(len(body))) == read(body)
    assert [part.size for part in read(body)] == [3, 0, 9]


@given(cut=st.integers(0, 10_000))
def test_a_form_that_breaks_off_is_an_error(cut: int) -> None:
    body = form(b"one", b"two")
    whole = len(body) - len(b"\r\n")  # the very last line's end does not matter
    with pytest.raises(MultipartError):
        read(body[: cut % whole])


def test_the_last_boundary_needs_no_line_end() -> None:
    assert [part.size for part in read(form(b"one").removesuffix(b"\r\n"))] == [3]


@pytest.mark.parametrize(
    ("disposition", "name", "filename"),
    [
        ('form-data; name="file"; filename="a.txt"', "file", "a.txt"),
        ("form-data; name=file; filename=a.txt", "file", "a.txt"),
        ('form-data; name="user"', "user", None),
        ('form-data; name="file"; filename=""', "file", ""),
        ('form-data; name="file"; filename="文件.txt"', "file", "文件.txt"),
        ('form-data; name="file"; filename="a%22b;c.txt"', "file", 'a"b;c.txt'),
        (r'form-data; name="file"; filename="a\"b\\c.txt"', "file", 'a"b\\c.txt'),
        ("form-data; name=\"file\"; filename*=UTF-8''%E6%96%87%20x.txt", "file", "文 x.txt"),
        ('form-data; name="file"; filename="plain"; filename*=utf-8\'en\'na%C3%AFve', "file", "naïve"),
        ("form-data", "", None),
    ],
)
def test_names_are_read_in_each_of_the_ways_to_write_them(disposition: str, name: str, filename: str | None) -> None:
    (part,) = read(form(b"x", headers=f"content-DISPOSITION:{disposition}".encode()))
    assert (part.name, part.filename) == (name, filename)


def test_a_plain_field_has_a_text_and_a_file_has_a_type() -> None:
    (field,) = read(form("中".encode(), headers=b'Content-Disposition: form-data; name="user"'))
    assert (field.text, field.content_type) == ("中", "")
    headers = b'Content-Disposition: form-data; name="f"; filename="a"\r\nContent-Type: Text/Plain; charset=utf-8'
    (file,) = read(form(b"x", headers=headers))
    assert (file.text, file.content_type) == ("", "text/plain")


def test_headers_and_fields_without_end_are_refused() -> None:
    with pytest.raises(MultipartError):
        read(form(b"x", headers=b"X: " + b"y" * 100_000))
    with pytest.raises(MultipartError):
        read(form(b"x", headers=b"\r\n".join([b"X: " + b"y" * 1000] * 100)))
    with pytest.raises(MultipartError):
        read(form(b"y" * 2_000_000, headers=b'Content-Disposition: form-data; name="user"'))


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=edge", b"edge"),
        ('Multipart/Form-Data; charset=utf-8; boundary="a b"', b"a b"),
        ("multipart/form-data", None),
        ("multipart/mixed; boundary=edge", None),
        ("", None),
    ],
)
def test_the_boundary_is_in_the_content_type_of_a_form(content_type: str, boundary: bytes | None) -> None:
    assert boundary_of(content_type) == boundary


@given(
    filename=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    content=st.binary(max_size=300),
    user=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_what_httpx_writes_is_read(filename: str, content: bytes, user: str) -> None:
    request = httpx.Request(
        "POST",
        "http://127.0.0.1",
        files={"file": (filename, content, "text/plain")},
        data={"user": user},
    )
    boundary = boundary_of(request.headers["Content-Type"])
    assert boundary is not None
    parts = {part.name: part for part in read(request.read(), boundary=boundary)}
    assert parts["user"].text == user
    assert parts["file"].sha256 == hashlib.sha256(content).hexdigest()
    if filename.isprintable() and not set('%\\"') & set(filename):  # what httpx escapes does not come back whole
        assert parts["file"].filename == filename
