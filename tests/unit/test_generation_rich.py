"""A package from a spec with everything that further operations will need: `specs/rich.yaml`."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import subprocess
import sys
import typing
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from support.generated_packages import SPECS, imported

import dify_workflow.models

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER = {"name": "Ann", "part": {"id": "p-2", "parts": [], "grid": [], "status": "x-y"}}
PART: dict[str, Any] = {
    "id": "p-1",
    "parts": [{"id": "p-3", "parts": [{"id": "p-4"}]}, None, 5],
    "grid": [[OWNER, None], [], None, [[OWNER]]],
    "status": "unheard-of",
    "sizes": ["small", "new", None, 3, ["small"]],
    "level": 5,
    "maybe": "yes",
    "owner": OWNER,
    "maker": None,
    "either": [OWNER, "Ann"],
    "icons": {"a": "url", "b": {"background": "red", "content": "x", "by": OWNER, "odd": 1}, "c": None},
    "sizes_by_name": {"one": "LARGE", "two": "huge", "three": None},
    "inputs": {"a": {"b": [1]}},
    "anything": [{"deep": None}],
    "nothing": None,
    "kind": "part",
    "mode": "off",
    "mode_or_null": None,
    "detail": {"deep": {"x": 0.5}, "new": 1},
    "made_at": 0,
    "gone_at": None,
    "seen_at": "2026-11-22T00:00:00Z",
    "started_at": 1,
    "started_at_utc": "text",
    "form": [{"text-input": {"label": "A"}}, {"select": {"label": "B"}}, {"number": {"label": "C"}}, "odd"],
    "list_or_map": {"a": 1},
    "number_or_text": "5",
    "ratio": 1,
    "on": False,
    "tuple": ["a", 1],
    "untyped_list": [None, {}],
}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with (
        imported(SPECS / "rich.yaml", tmp_path_factory.mktemp("rich")) as module,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name in ("Part", "Awkward"):  # where a pickle looks for them
            patch.setattr(dify_workflow.models, name, getattr(module.models, name), raising=False)
        yield module


@pytest.fixture
def models(package: Any) -> Any:
    return package.models


@pytest.fixture
def part(models: Any) -> Any:
    return models.Part.from_dict(copy.deepcopy(PART))


def exact(value: object) -> str:
    return json.dumps(value)


# --- models ----------------------------------------------------------------------------------------------------------


def test_all_of_it_is_given_back_exactly(models: Any, part: Any):
    assert exact(part.to_dict()) == exact(PART)
    assert part.additional_properties == {}
    for key in PART:
        less = {name: value for name, value in PART.items() if name != key}
        assert exact(models.Part.from_dict(less).to_dict()) == exact(less)
        for odd in (None, 1, True, "small", [], {}, [{}], {"a": {}}, 0.5):
            source = {**PART, key: odd}
            assert exact(models.Part.from_dict(source).to_dict()) == exact(source)


def test_copies_and_pickles_are_equal(part: Any):
    for other in (copy.copy(part), copy.deepcopy(part), pickle.loads(pickle.dumps(part))):  # noqa: S301 - our own
        assert other == part
        assert exact(other.to_dict()) == exact(PART)


def test_type_hints_resolve_between_models(models: Any):
    hints = typing.get_type_hints(models.Part)
    assert hints["parts"] == list[models.Part]
    assert hints["owner"] == models.Owner | None
    assert models.Part in typing.get_args(typing.get_type_hints(models.Owner)["part"])
    for name in models.__all__:
        for hint in typing.get_type_hints(getattr(models, name)).values():
            assert not isinstance(hint, str)


def test_models_nest_in_themselves_in_others_and_in_lists(models: Any, part: Any):
    assert type(part.parts[0].parts[0]) is models.Part
    assert part.parts[1:] == [None, 5]
    assert type(part.grid[0][0]) is type(part.owner) is models.Owner
    assert type(part.owner.part) is models.Part
    assert part.grid[0][1] is part.grid[2] is None
    assert part.grid[3] == [[OWNER]]


def test_a_value_is_decoded_by_the_alternative_that_it_is(models: Any, part: Any):
    assert [type(item) for item in part.either] == [models.Owner, str]
    assert type(models.Part.from_dict({"either": OWNER}).either) is models.Owner
    assert models.Part.from_dict({"either": "Ann"}).either == "Ann"


def test_a_union_is_the_model_that_knows_the_fields_or_a_dict(models: Any, part: Any):
    assert [type(item) for item in part.form] == [models.PartFormItem1, models.PartFormItem2, dict, str]
    assert part.form[0].text_input.label == "A"
    events = [{"event": "started", "data": "a"}, {"event": "stopped", "data": "b"}, {"event": "new", "data": "c"}]
    run = models.Run.from_dict({"events": events, "last": events[1]})
    assert [type(event) for event in run.events] == [models.Started, models.Stopped, dict]
    assert type(run.last) is models.Stopped
    assert run.to_dict() == {"events": events, "last": events[1]}


def test_an_object_without_fields_is_a_dict_of_decoded_values(models: Any, part: Any):
    assert type(part.icons) is type(part.sizes_by_name) is type(part.inputs) is dict
    assert [type(icon) for icon in part.icons.values()] == [str, models.Icon, type(None)]
    assert part.sizes_by_name["one"] is models.Size.LARGE
    assert part.sizes_by_name["two"] == "huge"
    request = models.RunRequest.from_dict({"inputs": {"file": [{"type": "image", "url": "u"}], "n": 1}, "user": "u"})
    assert type(request.inputs["file"][0]) is models.FileInput
    assert request.inputs["n"] == 1


def test_further_fields_of_a_described_type_are_decoded(models: Any, part: Any):
    icon = part.icons["b"]
    assert type(icon.additional_properties["by"]) is models.Owner
    assert icon.additional_properties["odd"] == 1
    partial = models.Icon.from_dict({"by": OWNER})
    assert type(partial.additional_properties["by"]) is models.Owner
    assert partial.to_dict() == {"by": OWNER}


def test_a_named_object_without_fields_is_a_class(models: Any):
    free = models.Free.from_dict({"a": 1})
    assert free.additional_properties == {"a": 1}
    assert free.to_dict() == {"a": 1}
    assert models.Free.from_dict({}) == models.Free()


def test_an_object_closed_in_the_spec_keeps_new_fields(models: Any):
    assert models.Closed.from_dict({"a": 1, "b": 2}).to_dict() == {"a": 1, "b": 2}


def test_allof_has_the_fields_of_all_members_in_order(models: Any):
    names = [field.alias for field in attrs.fields(models.Extended)]
    assert names == ["id", "at", "more", "deeper_at", "additional_properties"]
    extended = models.Extended.from_dict({"id": "1", "at": 2, "more": "m", "deeper_at": 0})
    assert extended.deeper_at_utc.year == 1970
    assert [field.alias for field in attrs.fields(models.Beside)] == ["id", "at", "own", "additional_properties"]


def test_properties_beside_a_oneof_of_requirements_are_kept(models: Any):
    file = models.FileInput.from_dict({"type": "image", "upload_file_id": "f"})
    assert file.type is models.FileInputType.IMAGE
    assert file.upload_file_id == "f"


def test_a_reference_by_way_of_another_is_one_class(models: Any):
    assert "Alias" not in models.__all__
    assert "Input" in models.__all__


def test_enums_of_text_and_of_integers_are_open(models: Any, part: Any):
    assert issubclass(models.Size, StrEnum)
    assert issubclass(models.Level, IntEnum)
    assert part.level is models.Level(5)
    assert part.sizes == [models.Size.SMALL, "new", None, 3, ["small"]]
    assert part.mode is models.PartMode.OFF
    assert type(part.to_dict()["level"]) is int
    for value in (True, 5.0, 7, "5", None):
        level = models.Part.from_dict({"level": value}).level
        assert (type(level), level) == (type(value), value)
    assert [member.value for member in models.Size] == ["small", "LARGE", "2x", "", "x-y", "x_y", "中"]
    assert [member.value for member in models.Level] == [-1, 0, 5]
    assert [member.value for member in models.PartModeOrNull] == ["on", "off"]


def test_times_are_integers_and_companion_names_are_left_alone(models: Any, part: Any):
    assert part.made_at_utc.isoformat() == "1970-01-01T00:00:00+00:00"
    assert part.gone_at_utc is None
    assert part.started_at_utc == "text"
    assert not hasattr(models.Part, "seen_at_utc")


def test_required_arrays_are_named(models: Any):
    assert models.Part.array_fields == ("parts", "grid")
    assert models.Run.array_fields == ("events",)


def test_fields_of_any_name_make_a_working_class(models: Any):
    names = models.Awkward._names
    source = {wire: f"value {number}" for number, wire in enumerate(names)}
    awkward = models.Awkward.from_dict(source)
    assert awkward.to_dict() == source
    assert awkward.additional_properties == {}
    assert {wire: getattr(awkward, name) for wire, name in names.items()} == source
    assert len(set(names.values())) == len(names)
    for taken in ("class", "from", "self", "to_dict", "from_dict", "additional_properties"):
        assert names[taken] == f"{taken}_"
    for same in ("id", "type", "cls", "copy", "src", "mro", "a__b", "title", "default", "properties"):
        assert names[same] == same
    for part in ({name: 1} for name in names):
        assert models.Awkward.from_dict(part).to_dict() == part
    made = models.Awkward(**{name: wire for wire, name in names.items()}, additional_properties={"x": 1})
    assert made.to_dict() == {**{wire: wire for wire in names}, "x": 1}
    assert pickle.loads(pickle.dumps(made)) == made == copy.deepcopy(made)  # noqa: S301 - our own
    assert repr(made).startswith("Awkward(class_='class', ")
    dunder = models.Dunder.from_dict({"__class__": "c", "__slots__": 1, "__eq__": None})
    assert dunder.to_dict() == {"__class__": "c", "__slots__": 1, "__eq__": None}
    assert type(dunder) is models.Dunder


def test_docs_beside_a_reference_are_kept(package: Any):
    source = Path(inspect.getfile(package.models.Part.from_dict)).read_text(encoding="utf-8")
    assert 'level: Level | int | None = ABSENT\n    """Described beside its reference."""' in source


# --- requests --------------------------------------------------------------------------------------------------------


@pytest.fixture
def get_part(package: Any) -> Any:
    return package.api.things.get_part.build_request


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", "/things/a/parts/0"),
        ("a/b?c#d", "/things/a%2Fb%3Fc%23d/parts/0"),
        ("é 中+%", "/things/%C3%A9%20%E4%B8%AD%2B%25/parts/0"),
        ("...", "/things/.../parts/0"),
    ],
)
def test_a_path_is_percent_encoded(get_part: Any, text: str, path: str):
    assert get_part(thing_id=text, part_number=0, size="2x").path == path


@pytest.mark.parametrize(
    ("given", "params"),
    [
        ({}, ()),
        ({"verbose": True}, (("verbose", "true"),)),
        ({"verbose": False}, (("verbose", "false"),)),
        ({"order": -1}, (("order", "-1"),)),
        ({"tags": ["b", "a", "b"]}, (("tags", "b"), ("tags", "a"), ("tags", "b"))),
        ({"tags": []}, ()),
        ({"sizes": ("small", "")}, (("sizes", "small"), ("sizes", ""))),
        ({"ratio": 0.5}, (("ratio", "0.5"),)),
        ({"ratio": 2}, (("ratio", "2"),)),
        ({"above": 4}, (("above", "4"),)),
        ({"above": 8}, (("above", "8"),)),
        ({"code": "abcd"}, (("code", "abcd"),)),
        ({"class_": "c\\d"}, (("class", "c\\d"),)),
        ({"from_": "x", "self": "y"}, (("from", "x"), ("self", "y"))),
        ({"page_size": -5}, (("pageSize", "-5"),)),
        ({"filter_x": "1", "query": "2", "str": "3"}, (("filter[x]", "1"), ("query", "2"), ("str", "3"))),
    ],
)
def test_each_kind_of_argument_has_its_text_on_the_wire(get_part: Any, given: dict[str, Any], params: tuple[Any, ...]):
    request = get_part(thing_id="a", part_number=1, size="small", **given)
    assert tuple(pair for pair in request.params if pair[0] != "size") == params
    assert ("size", "small") in request.params


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"thing_id": ""}, "thing_id must be a string that can be a part of a path, got ''"),
        ({"thing_id": ".."}, "thing_id must be a string that can be a part of a path, got '..'"),
        ({"thing_id": None}, "thing_id must be given"),
        ({"thing_id": 5}, "thing_id must be a string, got 5"),
        ({"part_number": -1}, "part_number must be an integer of at least 0, got -1"),
        ({"part_number": True}, "part_number must be an integer of at least 0, got True"),
        ({"size": None}, "size must be given"),
        ({"size": "tiny"}, "size must be one of 'small', 'LARGE', '2x', '', 'x-y', 'x_y', '中', got 'tiny'"),
        ({"verbose": 1}, "verbose must be True or False, got 1"),
        ({"order": 1}, "order must be one of -1, 0, 5, got 1"),
        ({"tags": "a"}, "tags must be a list, got 'a'"),
        ({"tags": ["a", ""]}, "tags[1] must be a string with a length of at least 1, got ''"),
        ({"tags": [None]}, "tags[0] must be given"),
        ({"sizes": ["tiny"]}, "sizes[0] must be one of"),
        ({"ratio": 0.4}, "ratio must be a number from 0.5 to 2, got 0.4"),
        ({"ratio": float("nan")}, "ratio must be a finite number, got nan"),
        ({"ratio": "1"}, "ratio must be a finite number, got '1'"),
        ({"above": 3}, "above must be an integer from 4 to 8, got 3"),
        ({"above": 9}, "above must be an integer from 4 to 8, got 9"),
        ({"page_size": 6}, "page_size must be an integer of at most 5, got 6"),
        ({"code": "a"}, "code must be a string with a length from 2 to 4, got 'a'"),
        ({"code": "AB"}, "code must be a string that matches '^[a-z]+$', got 'AB'"),
        ({"class_": "d"}, "class_ must be one of 'a',"),
        ({"query": "\ud800"}, "query must be a string without lone surrogates"),
        ({"query": ["x" * 10_000]}, "query must be a string, got ['xxx"),
    ],
)
def test_an_argument_that_the_spec_does_not_allow_is_refused(get_part: Any, given: dict[str, Any], message: str):
    with pytest.raises(ValueError, match="must be") as caught:
        get_part(**{"thing_id": "a", "part_number": 1, "size": "small", **given})
    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 200


def test_members_of_enums_are_arguments(package: Any, get_part: Any):
    size, level = package.models.Size, package.models.Level
    request = get_part(thing_id="a", part_number=1, size=size.LARGE, order=level(5), sizes=[size.X_Y])
    assert request.params == (("order", "5"), ("sizes", "x-y"), ("size", "LARGE"))
    assert all(type(text) is str for pair in request.params for text in pair)


def test_a_body_is_a_model_or_a_dict_and_is_sent_as_json_values(package: Any):
    start_run, models = package.api.runs.start_run.build_request, package.models
    file = models.FileInput(type=models.FileInputType.IMAGE, url="u")
    request = start_run(body=models.RunRequest(inputs={"f": [file], "n": None}, user="u"))
    assert request.json == {"inputs": {"f": [{"type": "image", "url": "u"}], "n": None}, "user": "u"}
    json.dumps(request.json)
    given: dict[str, Any] = {"inputs": {"f": [file]}, "user": "u"}
    request = start_run(body=given)
    assert request.json == {"inputs": {"f": [{"type": "image", "url": "u"}]}, "user": "u"}
    assert given["inputs"]["f"] == [file]
    assert request.response is models.Run
    with pytest.raises(ValueError, match=r"^body must be given$"):
        start_run(body=None)
    with pytest.raises(ValueError, match=r"^body must be a model or a dict, got 'x'$"):
        start_run(body="x")
    assert package.api.forms.submit_form.build_request(token="t").json is None


def test_the_class_of_a_response_is_its_model_or_what_it_is(package: Any):
    api = package.api
    assert api.things.get_part.build_request(thing_id="a", part_number=1, size="").response is package.models.Part
    assert api.things.delete_part.build_request(thing_id="a", part_number=1).response is object
    assert api.files.preview_file.build_request(file_id="0" * 32).response is bytes
    assert api.forms.submit_form.build_request(token="t").response is dict
    assert api.runs.stream_events.build_request().response is bytes
    assert api.runs.start_job.build_request(body={}).response is package.models.Run
    assert api.files.store_file.build_request(main_file=b"", user="u", sizes=[]).response is package.models.Free


def test_form_parts_are_arguments_and_files_are_left_alone(package: Any):
    store_file, file = package.api.files.store_file.build_request, object()
    request = store_file(main_file=file, user="é", sizes=["small", "2x"], keep=False, class_="new", id="any", dry=True)
    assert (request.method, request.path, request.json) == ("POST", "/files", None)
    assert request.params == (("dry", "true"),)
    assert request.fields == (
        *(("user", "é"), ("sizes", "small"), ("sizes", "2x"), ("keep", "false"), ("class", "new"), ("id", "any")),
    )
    assert request.files == (("main-file", file),)
    assert request.files[0][1] is file
    picture = ("p.png", b"", "image/png")
    request = store_file(main_file=b"", user="u", sizes=[], thumbnail=picture)
    assert request.files == (("main-file", b""), ("thumbnail", picture))
    assert request.fields == (("user", "u"),)
    parameters = inspect.signature(store_file).parameters
    assert list(parameters) == ["dry", "main_file", "user", "thumbnail", "sizes", "keep", "class_", "id"]
    assert parameters["main_file"].annotation == parameters["thumbnail"].annotation == "object"
    assert parameters["main_file"].default is inspect.Parameter.empty
    assert "main_file: The file." in store_file.__doc__
    assert "thumbnail: A picture." in store_file.__doc__


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"main_file": None}, "main-file must be given"),
        ({"user": None}, "user must be given"),
        ({"user": ""}, "user must be a string with a length of at least 1, got ''"),
        ({"sizes": ["tiny"]}, "sizes[0] must be one of 'small',"),
        ({"keep": "yes"}, "keep must be True or False, got 'yes'"),
        ({"id": 5}, "id must be a string, got 5"),
    ],
)
def test_a_part_that_the_spec_does_not_allow_is_refused(package: Any, given: dict[str, Any], message: str):
    with pytest.raises(ValueError, match="must be") as caught:
        package.api.files.store_file.build_request(**{"main_file": b"", "user": "u", "sizes": [], **given})
    assert str(caught.value).startswith(message)


def test_requests_without_a_form_have_no_parts(package: Any):
    request = package.api.runs.start_job.build_request(body={"a": 1})
    assert (request.fields, request.files, request.json) == ((), (), {"a": 1})


@pytest.mark.parametrize(
    "text", ["0b6ad0fc-7a3e-4e1c-8d5f-2f1b9c3d4e5a", "0B6AD0FC-7A3E-4E1C-8D5F-2F1B9C3D4E5A", "0" * 32]
)
def test_a_uuid_in_a_path_is_sent_as_it_was_given(package: Any, text: str):
    assert package.api.files.preview_file.build_request(file_id=text).path == f"/files/{text}/preview"


@pytest.mark.parametrize(
    "text",
    [
        *("not-a-uuid", "0" * 31, "0" * 33, "0b6ad0fc-7a3e-4e1c-8d5f2f1b9c3d4e5a", "g" * 32, "0" * 32 + "\n", "٠" * 32),
        *("{0b6ad0fc-7a3e-4e1c-8d5f-2f1b9c3d4e5a}", "urn:uuid:0b6ad0fc-7a3e-4e1c-8d5f-2f1b9c3d4e5a"),
    ],
)
def test_what_is_no_uuid_is_refused_where_a_path_needs_one(package: Any, text: str):
    with pytest.raises(
        ValueError, match=r"^file_id must be a UUID, 32 hexadecimal digits with or without dashes, got "
    ):
        package.api.files.preview_file.build_request(file_id=text)


def test_stream_events_have_their_models_or_the_general_one(package: Any):
    module, models = package.api.runs.start_job, package.models
    events = module.EVENTS
    assert events == {"started": "Started", "stopped": "Stopped", "halted": "Stopped"}
    assert [module.load_event(name) for name in events] == [models.Started, models.Stopped, models.Stopped]
    for other in ("new", "", "Started", "EVENTS", "__class__", None, 5, [], {}):
        assert module.load_event(other) is models.Other
    event = module.load_event("new").from_dict({"event": "new", "data": {"x": [1]}})
    assert event.to_dict() == {"event": "new", "data": {"x": [1]}}


def test_a_stream_without_distinct_events_has_no_models(package: Any):
    for module in (package.api.runs.stream_events, package.api.runs.start_run, package.api.things.get_part):
        assert not hasattr(module, "EVENTS")
        assert not hasattr(module, "load_event")


def test_path_parameters_apply_unless_operations_override_them(package: Any):
    delete_part = package.api.things.delete_part.build_request
    assert delete_part(thing_id="a", part_number=-3, verbose="text").params == (("verbose", "text"),)
    assert delete_part(thing_id="a", part_number=-3).path == "/things/a/parts/-3"


# --- types -----------------------------------------------------------------------------------------------------------


def test_the_package_is_clean_for_mypy_and_pyright(package: Any, tmp_path: Path):
    folder = Path(package.__file__).parent
    program = tmp_path / "program.py"
    program.write_text(
        f"from {package.__name__}.models import Owner, Part\n"
        "part = Part(id='1', owner=Owner(name='Ann'))\n"
        "name: str = part.owner.name if part.owner else ''\n"
        "names: list[list[Owner]] = part.grid\n",
        encoding="utf-8",
    )
    settings = tmp_path / "pyrightconfig.json"
    settings.write_text(
        json.dumps({"include": [str(folder), str(program)], "extraPaths": [str(folder.parent)]}), encoding="utf-8"
    )
    commands: list[list[str | Path]] = [
        ["mypy", "--strict", f"--cache-dir={tmp_path / 'cache'}", "--config-file=", folder, program],
        ["pyright", "--pythonpath", sys.executable, "-p", settings],
    ]
    for tool, *arguments in commands:
        done = subprocess.run(
            [Path(sys.executable).with_name(str(tool)), *arguments],
            capture_output=True,
            check=False,
            cwd=folder.parent,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stdout + done.stderr
