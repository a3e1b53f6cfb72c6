"""Files of one idea, functions of one page."""

import ast

from tests.architecture.sources import PACKAGES, python_files
from thingsboard.settings.env import BASE_DIR

LONGEST_FILE = 300  # lines
LONGEST_FUNCTION = 60


def test_no_file_is_longer_than_300_lines() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in python_files(*PACKAGES, "tests", "benchmarks")}
    assert {str(path.relative_to(BASE_DIR)): n for path, n in lengths.items() if n > LONGEST_FILE} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    found = {}
    for path in python_files(*PACKAGES, "tests", "benchmarks"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    found[f"{path.relative_to(BASE_DIR)}:{node.lineno} {node.name}"] = lines
    assert found == {}
