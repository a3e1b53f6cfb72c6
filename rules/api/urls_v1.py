"""Routes under /api/v1/."""

from rest_framework.routers import SimpleRouter

from rules.api.v1 import chains

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("ruleChains", chains.RuleChains, basename="rule_chain")

urlpatterns = router.urls
