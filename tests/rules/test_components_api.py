"""/api/component*: the kinds of nodes, as an editor wants to know them."""

from rules import registry
from tests.cast import Cast, api, error

FAMILIES = "FILTER,ENRICHMENT,TRANSFORMATION,ACTION,EXTERNAL,FLOW"


def test_every_kind_of_node_that_there_is_is_described(cast: Cast) -> None:
    alice = api(cast.alice)
    found = {each["clazz"]: each for each in alice.get(f"/api/components?componentTypes={FAMILIES}").json()}
    assert found.keys() == {kind for kind, node in registry.all().items() if "CORE" in node.CHAIN_TYPES}
    for name, each in found.items():
        assert alice.get(f"/api/component/{name}").json() == each
        assert each["type"] in FAMILIES.split(",") and each["scope"] == "TENANT" and each["id"]["id"]
        definition = each["configurationDescriptor"]["nodeDefinition"]
        assert definition["relationTypes"][-1:] == (["Failure"] if definition["outEnabled"] else [])
        assert isinstance(definition["defaultConfiguration"], dict) and definition["configDirective"]


def test_the_families_that_are_asked_for_are_listed_alone(cast: Cast) -> None:
    alice = api(cast.alice)
    for path in ("components/FLOW?ruleChainType=EDGE", "components?componentTypes=FLOW&ruleChainType=EDGE"):
        found = {each["clazz"] for each in alice.get(f"/api/{path}").json()}
        wanted = {
            name for name, kind in registry.all().items() if kind.CATEGORY == "FLOW" and "EDGE" in kind.CHAIN_TYPES
        }
        assert found == wanted


def test_what_there_is_not_is_said(cast: Cast) -> None:
    alice = api(cast.alice)
    assert error(alice.get("/api/component/com.example.Unknown")) == (404, 32)
    assert error(alice.get("/api/components")) == (400, 31)
    assert error(alice.get("/api/components?componentTypes=PLUMBING")) == (400, 31)
    assert error(alice.get("/api/components/FLOW?ruleChainType=CLOUD")) == (400, 31)
    assert error(api(cast.bob).get("/api/components/FLOW")) == (403, 20)
