"""Tenants that exist get the asset profile that new ones have."""

from django.db import migrations


def give(apps, schema_editor):
    Tenant = apps.get_model("tenants", "Tenant")
    AssetProfile = apps.get_model("devices", "AssetProfile")
    have = AssetProfile.objects.filter(is_default=True).values("tenant_id")
    AssetProfile.objects.bulk_create(
        (
            AssetProfile(tenant_id=key, name="default", is_default=True, description="Default asset profile")
            for key in Tenant.objects.exclude(pk__in=have).values_list("pk", flat=True)
        ),
        batch_size=500,
    )


class Migration(migrations.Migration):

    dependencies = [
        ('devices', '0005_assets_relations_views_rpcs'),
    ]

    operations = [
        migrations.RunPython(give, migrations.RunPython.noop),
    ]
