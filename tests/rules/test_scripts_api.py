"""/api/ruleChain/testScript: scripts tried out in the editor, in a process of their own."""

import os
from collections.abc import Iterator

import pytest

from rules.engine.jails import jail_of_people
from tests.cast import Cast, api

pytestmark = pytest.mark.django_db

URL = "/api/ruleChain/testScript"
BODY = {
    "argNames": ["msg", "metadata", "msgType"],
    "msg": '{"temperature": 22, "n": 1.0}',
    "metadata": {"deviceName": "Ä"},
    "msgType": "POST_TELEMETRY_REQUEST",
}


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    jail_of_people().close()


def tried(cast: Cast, script: str, kind: str, lang: str = "JS", **more: object) -> dict[str, str]:
    body = {**BODY, "script": script, "scriptType": kind, **more}
    answer = api(cast.alice).post(f"{URL}?scriptLang={lang}", body, format="json")
    assert answer.status_code == 200
    return answer.json()


def test_the_editor_is_told_that_there_is_tbel(cast: Cast) -> None:
    assert api(cast.alice).get("/api/ruleChain/tbelEnabled").json() is True


@pytest.mark.parametrize(
    ("kind", "script", "output"),
    [
        ("filter", "return msg.temperature > 20;", "true"),
        ("switch", "return 'one';", '["one"]'),
        ("switch", "return ['one', 'two', 'one'];", '["one","two"]'),
        ("json", "return {of: metadata.deviceName};", '{"of":"Ä"}'),
        ("json", "return null;", "null"),
        ("string", "return msgType + ' of ' + metadata.deviceName;", "POST_TELEMETRY_REQUEST of Ä"),
        (
            "update",
            "return {msg: {t: 1}, metadata: {a: 5}};",
            '{"msg":{"t":1},"metadata":{"a":"5"},"msgType":"POST_TELEMETRY_REQUEST"}',
        ),
        (
            "update",
            "return [{msg: 1, metadata: {}}, {msg: 2, metadata: {}, msgType: 'X'}];",
            '[{"msg":1,"metadata":{},"msgType":"POST_TELEMETRY_REQUEST"},{"msg":2,"metadata":{},"msgType":"X"}]',
        ),
        (
            "generate",
            "return {msg: {t: 1}, metadata: {}, msgType: 'X'};",
            '{"msg":{"t":1},"metadata":{},"msgType":"X"}',
        ),
    ],
)
@pytest.mark.parametrize("lang", ["JS", "TBEL"])
def test_what_a_script_makes_of_a_message_is_shown_by_what_it_is_for(
    cast: Cast, kind: str, script: str, output: str, lang: str
) -> None:
    assert tried(cast, script, kind, lang) == {"output": output, "error": ""}


def test_without_a_language_it_is_javascript(cast: Cast) -> None:
    body = {**BODY, "script": "return [1].map((x) => x)[0] === 1;", "scriptType": "filter"}
    assert api(cast.alice).post(URL, body, format="json").json() == {"output": "true", "error": ""}


def test_a_generators_script_has_its_own_names(cast: Cast) -> None:
    script = "return {msg: {n: prevMsg.n + 1}, metadata: {}, msgType: prevMsgType};"
    names = ["prevMsg", "prevMetadata", "prevMsgType"]
    expected = {"output": '{"msg":{"n":2},"metadata":{},"msgType":"POST_TELEMETRY_REQUEST"}', "error": ""}
    assert tried(cast, script, "generate", argNames=names) == expected


@pytest.mark.parametrize(
    ("kind", "script", "why"),
    [
        ("filter", "return 1;", "Wrong result type: the script returned a number; expected true or false."),
        ("filter", "\nreturn msg.a.b;", "TypeError: cannot read property 'b' of undefined (line 2)"),
        ("filter", "return (;", "SyntaxError: unexpected token in expression: ';' (line 1)"),
        ("filter", "x" * 200_001, "The script has 200001 characters; at most 200000 are accepted."),
        ("update", "return [];", "The script returned an empty array; expected one message or more."),
        ("generate", "return [{}];", "Wrong result type: the script returned an array; expected an object with msg"),
        ("other", "return 1;", "Unsupported script type: other"),
        ("filter", "return process.env;", "ReferenceError: process is not defined (line 1)"),
        ("filter", "for (;;);", "The script ran longer than"),
    ],
)
def test_what_is_wrong_with_a_script_is_told_in_the_answer(cast: Cast, kind: str, script: str, why: str) -> None:
    found = tried(cast, script, kind)
    assert found["output"] == "" and found["error"].startswith(why)


def test_tbel_that_does_not_parse_is_told_with_its_line(cast: Cast) -> None:
    found = tried(cast, "\nreturn (;", "filter", "TBEL")
    assert found["output"] == "" and found["error"].endswith("(line 2)")


def test_a_message_that_is_no_json_is_told(cast: Cast) -> None:
    assert tried(cast, "return true;", "filter", msg="{")["error"] == "The message is not valid JSON."


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"script": None}, "script: expected a string"),
        ({"scriptType": 5}, "scriptType: expected a string"),
        ({"msg": {}}, "msg: expected a string"),
        ({"msgType": None}, "msgType: expected a string"),
        ({"argNames": "msg"}, "argNames: expected an array of strings"),
        ({"metadata": {"a": 1}}, "metadata: expected an object whose members are strings"),
    ],
)
def test_a_request_that_is_wrong_is_refused(cast: Cast, change: dict, why: str) -> None:
    body = {**BODY, "script": "return true;", "scriptType": "filter", **change}
    answer = api(cast.alice).post(URL, body, format="json")
    assert answer.status_code == 400 and answer.json()["message"] == why


def test_an_unknown_language_is_refused(cast: Cast) -> None:
    answer = api(cast.alice).post(
        f"{URL}?scriptLang=COBOL", {**BODY, "script": "", "scriptType": "filter"}, format="json"
    )
    assert answer.status_code == 400 and answer.json()["message"] == "scriptLang: expected JS or TBEL"


def test_the_script_runs_in_another_process(cast: Cast) -> None:
    tried(cast, "return true;", "filter")
    assert jail_of_people().pid not in (None, os.getpid())
