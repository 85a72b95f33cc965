"""Several modules as one."""

import gzip

import pytest

from adapters.front_page import packed_front_page
from adapters.page_bundle import bundle
from adapters.task_page import task_page


def test_each_module_comes_once_after_those_it_imports():
    modules = {
        "a/main.js": 'import { b } from "./b.js";\nimport { c as d } from "../c.js";\nb(d);\n',
        "a/b.js": '/** Of b. */\nimport { c } from "../c.js";\nexport function b() {}\n',
        "c.js": "export const c = 1;\nexport class C {}\n",
    }
    assert bundle(modules, "a/main.js") == (
        "// c.js\nconst module0 = (() => {\nconst c = 1;\nclass C {}\n\nreturn {c, C};\n})();\n"
        "// a/b.js\nconst module1 = (() => {\nconst { c } = module0;\nfunction b() {}\n\nreturn {b};\n})();\n"
        "// a/main.js\nconst module2 = (() => {\nconst { b } = module1;\nconst { c: d } = module0;\nb(d);\n\n"
        "return {};\n})();\n"
    )


@pytest.mark.parametrize(
    ("modules", "says"),
    [
        ({"a.js": 'import b from "./b.js";\n'}, "isn't understood"),
        ({"a.js": 'export * from "./b.js";\n'}, "isn't understood"),
        ({"a.js": "export let b = 1;\n"}, "isn't understood"),
        ({"a.js": 'import { b } from "./b.js";\n'}, "a.js imports b.js, which isn't there"),
        (
            {"a.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./a.js";\n'},
            "a.js imports itself by way of b.js",
        ),
    ],
)
def test_what_it_does_not_understand_is_an_error(modules, says):
    with pytest.raises(ValueError, match=says):
        bundle(modules, "a.js")


def test_the_portal_and_a_tasks_page_weigh_60_kb_at_most():
    """As they are sent for the first task: the front page, and our part of the task's page."""
    task = task_page("<crowd-form></crowd-form>", {}, str).html
    assert len(packed_front_page()) + len(gzip.compress(task.encode(), 6)) <= 60_000
