"""Every node that ThingsBoard has too is what ThingsBoard says of it: facts.tsv has a row for each of ThingsBoard's node types.

Columns: the Java class behind org.thingsboard.rule.engine., name, family, labels but Failure (`*`: the test of the node has
them; `+`: and whatever people connect), configurationVersion, the configuration of a new node ("<text>": some text of our own),
configDirective, icon, and what is otherwise than usual.
"""

import csv
import json
from typing import Any

import pytest

from rules import registry
from rules.api.components import component_json
from thingsboard.settings.env import BASE_DIR

PACKAGE = "org.thingsboard.rule.engine."

# ThingsBoard's nodes that have no class here yet, by name.
MISSING: tuple[str, ...] = (
    "kafka",
    "mqtt",
    "rabbitmq",
    "rest api call",
    "send email",
    "send to slack",
)


def rows() -> list[dict[str, str]]:
    with (BASE_DIR / "tests" / "rules" / "nodes" / "facts.tsv").open(newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))


ROWS = rows()
PRESENT = [row for row in ROWS if registry.find(PACKAGE + row["type"]) is not None]


def described(row: dict[str, str]) -> dict[str, Any]:
    """The component descriptor that the row asks for, without texts and ids."""
    labels = [label for label in row["relations"].split("|") if label and label != "+"]
    flags = dict(flag.partition("=")[::2] for flag in row["flags"].split(",") if flag)
    leaves = flags.get("outEnabled") != "false"
    return {
        "type": row["family"],
        "name": row["name"],
        "clazz": PACKAGE + row["type"],
        "scope": "TENANT",
        "clusteringMode": flags.get("clusteringMode", "ENABLED"),
        "configurationVersion": int(row["version"]),
        "hasQueueName": "hasQueueName" in flags,
        "actions": None,
        "inEnabled": flags.get("inEnabled") != "false",
        "outEnabled": leaves,
        "relationTypes": sorted([*labels, "Failure"]) if leaves else [],
        "customRelations": "+" in row["relations"].split("|"),
        "ruleChainNode": "ruleChainNode" in flags,
        "configDirective": row["directive"],
        "icon": row["icon"],
        "defaultConfiguration": json.loads(row["defaults"]),
        "chainTypes": tuple(sorted(flags.get("ruleChainTypes", "CORE EDGE").split())),
    }


def present(row: dict[str, str], wanted: dict[str, Any]) -> dict[str, Any]:
    """The same of the class; what the row leaves open is taken from it."""
    kind = registry.find(PACKAGE + row["type"])
    assert kind is not None
    descriptor = component_json(kind)
    definition = descriptor["configurationDescriptor"]["nodeDefinition"]
    found = {**descriptor, **definition, "chainTypes": tuple(sorted(kind.CHAIN_TYPES))}
    configuration = {
        key: "<text>"
        if wanted["defaultConfiguration"].get(key) == "<text>" and value and isinstance(value, str)
        else value
        for key, value in found["defaultConfiguration"].items()
    }
    labels = wanted["relationTypes"] if row["relations"] == "*" else sorted(found["relationTypes"])
    found |= {"defaultConfiguration": configuration, "relationTypes": labels}
    return {key: found[key] for key in wanted}


@pytest.mark.parametrize("row", PRESENT, ids=lambda row: row["name"])
def test_a_node_is_what_the_facts_say(row: dict[str, str]) -> None:
    wanted = described(row)
    assert present(row, wanted) == wanted


def test_the_nodes_that_are_missing_are_known() -> None:
    there = {row["name"] for row in PRESENT}
    assert sorted(MISSING) == sorted(row["name"] for row in ROWS if row["name"] not in there)


def test_every_node_has_a_row() -> None:
    assert registry.all().keys() == {PACKAGE + row["type"] for row in PRESENT}
    assert len(ROWS) == len({row["type"] for row in ROWS}) == 77
