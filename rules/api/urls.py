"""Routes under /api/."""

from django.urls import path

from rules.api import calls, chains, components, files, lists, queues
from rules.api.urls_v1 import router
from thingsboard.kernel.shared_paths import Theirs, also_under_api

urlpatterns = [
    path("ruleChain", chains.Chains.as_view()),
    path("ruleChain/metadata", chains.SaveMetadata.as_view()),
    path("ruleChain/device/default", chains.DeviceDefault.as_view()),
    path("ruleChain/testScript", chains.TestScript.as_view()),
    path("ruleChain/tbelEnabled", chains.TbelEnabled.as_view()),
    path("ruleChain/autoAssignToEdgeRuleChains", lists.AutoAssigned.as_view()),
    path("ruleChain/<str:chain_id>", chains.OneChain.as_view()),
    path("ruleChain/<str:chain_id>/metadata", chains.Metadata.as_view()),
    path("ruleChain/<str:chain_id>/root", chains.Root.as_view()),
    path("ruleChain/<str:edge_chain_id>/edgeTemplateRoot", chains.EdgeTemplateRoot.as_view()),
    path("ruleChain/<str:edge_chain_id>/autoAssignToEdge", chains.AutoAssignToEdge.as_view()),
    path("ruleChain/<str:chain_id>/output/labels", chains.OutputLabels.as_view()),
    path("ruleChain/<str:chain_id>/output/labels/usage", chains.OutputLabelsUsage.as_view()),
    path("ruleChains/list", lists.ChainList.as_view()),
    path("ruleChains/export", files.Export.as_view()),
    path("ruleChains/import", files.Import.as_view()),
    path("component/<str:clazz>", components.Component.as_view()),
    path("components", components.Components.as_view()),
    path("components/<str:component_type>", components.ComponentsOfType.as_view()),
    path("rule-engine/", calls.RuleEngine.as_view()),
    path("rule-engine/<str:kind>/<str:entity_id>", calls.RuleEngine.as_view()),
    path("rule-engine/<str:kind>/<str:entity_id>/<str:timeout>", calls.RuleEngine.as_view()),
    path("rule-engine/<str:kind>/<str:entity_id>/<str:queue_name>/<str:timeout>", calls.RuleEngine.as_view()),
    path("queues", queues.Queues.as_view()),
    path("queues/name/<str:queue_name>", queues.QueueByName.as_view()),
    path("queues/<str:queue_id>", queues.OneQueue.as_view()),
]

# What ThingsBoard calls import stands above; ours is under /api/v1/ alone.
_shared = [pattern for pattern in router.urls if str(pattern.pattern) != "ruleChains/import"]
_page = Theirs(lists.ChainPage.as_view(), "pageSize", "page", "ruleChainIds")
urlpatterns += also_under_api(_shared, {"ruleChains": _page})
