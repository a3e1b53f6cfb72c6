"""docs/reference/loadtest.md follows the command."""

from pathlib import Path

from django.core.management.base import CommandParser

from thingsboard.loadtest.report import Report
from thingsboard.management.commands.loadtest import Command

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "loadtest.md").read_text()


def test_every_option_is_explained() -> None:
    parser = CommandParser(add_help=False)
    Command().add_arguments(parser)
    options = [option for action in parser._actions for option in action.option_strings]
    assert [option for option in options if f"`{option}" not in PAGE] == []


def test_every_figure_of_the_json_is_explained() -> None:
    figures = Report(devices=1, points=3, qos=1).as_json()
    assert [name for name in figures if name != "points_per_message" and f"`{name}`" not in PAGE] == []
