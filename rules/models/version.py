"""Versions of a rule chain: what it was and is."""

from typing import Any

from django.db import models

from rules.models.chain import RuleChain
from rules.querysets import RuleChainVersionQuerySet
from thingsboard.kernel.time import now_ms


class RuleChainVersion(models.Model):
    """The whole chain as it was saved once; never changed. The newest is what runs: its number is the chain's version.

    `definition`: {"name", "type", "debugMode", "additionalInfo", "configuration": of the chain,
    "first": "<node id>" | null,
    "nodes": [{"id", "createdTime", "type", "name", "configuration", "configurationVersion", "debugSettings",
    "singletonMode", "queueName", "additionalInfo", "externalId"}, ...],
    "connections": [["<from node id>", "<to node id>", "<label>"], ...]}.
    """

    chain = models.ForeignKey(RuleChain, on_delete=models.CASCADE, related_name="versions")
    number = models.BigIntegerField(help_text="The chain's version.")
    created_time = models.BigIntegerField(default=now_ms, help_text="Milliseconds since 1970.")
    user_id = models.UUIDField(null=True, help_text="Who saved it; null: the platform itself.")
    user_name = models.CharField(max_length=255, blank=True)
    note = models.CharField(max_length=255, blank=True, help_text="What made it, where it was not the editor.")
    definition = models.JSONField()

    objects = RuleChainVersionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "number"], name="rule_chain_version_number")]

    def __str__(self) -> str:
        return f"Version {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert it. Raises TypeError for one that is stored: what was true once stays true."""
        if not self._state.adding:
            raise TypeError("A version of a rule chain is never changed.")
        super().save(*args, **kwargs)
