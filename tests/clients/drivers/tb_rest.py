"""Drives RestClientCE; run by tests/clients/test_tb_rest_client.py in the client's own environment.

`python tb_rest.py URL EMAIL PASSWORD BEHAVIOUR` prints one JSON object with what was seen as its last line.
"""

import json
import sys

from tb_rest_client.models.models_ce import NodeConnectionInfo, RuleChain, RuleChainMetaData, RuleNode
from tb_rest_client.rest import ApiException
from tb_rest_client.rest_client_ce import (
    Customer,
    Device,
    DeviceCredentials,
    RestClientCE,
    Tenant,
    TenantId,
    User,
)


def good(answer):
    """What was answered; the client returns what it cannot read as an exception, where others would raise it."""
    if isinstance(answer, Exception):
        raise answer
    return answer


def refused(call):
    """The status with which a call was refused; 0 when it was not."""
    try:
        good(call())
    except ApiException as error:
        return error.status
    return 0


def titles(page):
    """What is on a page, which must be the only one."""
    assert not good(page).has_next
    return titles_of(page.data)


def tenants(client):
    """A system administrator keeps tenants."""
    profile = good(client.get_default_tenant_profile_info())
    made = good(client.save_tenant(Tenant(title="Initech", country="DE", tenant_profile_id=profile.id)))
    told = {"made": made.name, "read": good(client.get_tenant_by_id(made.id)).country}
    told["info"] = good(client.get_tenant_info_by_id(made.id)).tenant_profile_name
    told["listed"] = titles(client.get_tenants(page_size=100, page=0, sort_property="title", sort_order="ASC"))
    told["infos"] = titles(client.get_tenant_infos(page_size=100, page=0, text_search="init"))
    told["profiles"] = titles(client.get_tenant_profiles(page_size=100, page=0))
    made.title = "Initrode"
    told["changed"] = good(client.save_tenant(made)).title
    client.delete_tenant(made.id)
    told["gone"] = refused(lambda: client.get_tenant_by_id(made.id))
    return told


def customers(client):
    """A tenant administrator keeps customers."""
    made = good(client.save_customer(Customer(title="Canteen", city="Bonn")))
    told = {"made": made.name, "read": good(client.get_customer_by_id(made.id)).city}
    told["listed"] = titles(client.get_customers(page_size=100, page=0))
    told["found"] = good(client.get_tenant_customer(customer_title="Canteen")).city
    told["title"] = good(client.get_customer_title_by_id(made.id))
    made.title = "Mensa"
    told["changed"] = good(client.save_customer(made)).title
    told["taken"] = refused(lambda: client.save_customer(Customer(title="Mensa")))
    client.delete_customer(made.id)
    told["gone"] = refused(lambda: client.get_customer_by_id(made.id))
    return told


def devices(client):
    """A tenant administrator keeps devices, their credentials and whose they are."""
    profile = good(client.get_default_device_profile_info())
    made = good(client.save_device(Device(name="Pump", device_profile_id=profile.id), access_token="pump-token"))
    told = {"made": made.name, "type": good(client.get_device_by_id(made.id)).type}
    told["infos"] = titles(client.get_tenant_device_infos(page_size=100, page=0, device_profile_id=profile.id))
    told["listed"] = titles(client.get_tenant_devices(page_size=100, page=0, type="default", text_search="pum"))
    told["found"] = good(client.get_tenant_device("Pump")).name
    told["by_ids"] = [each.name for each in good(client.get_devices_by_ids([made.id.id]))]
    told["types"] = [each.type for each in good(client.get_device_types())]
    credentials = good(client.get_device_credentials_by_device_id(made.id))
    told["token"] = credentials.credentials_id
    credentials.credentials_id = "other-token"
    told["new_token"] = good(client.update_device_credentials(credentials)).credentials_id
    told["taken"] = refused(
        lambda: client.update_device_credentials(
            DeviceCredentials(device_id=made.id, credentials_type="ACCESS_TOKEN", credentials_id="globex-meter")
        )
    )
    customer = good(client.save_customer(Customer(title="Canteen")))
    told["assigned"] = good(client.assign_device_to_customer(customer.id, made.id)).customer_id.id == customer.id.id
    infos = good(client.get_customer_device_infos(customer.id, page_size=10, page=0)).data
    told["customers"] = [(each.name, each.customer_title, each.active) for each in infos]
    client.unassign_device_from_customer(made.id)
    told["public"] = good(client.assign_device_to_public_customer(made.id)).customer_id.id != customer.id.id
    changed = good(client.get_device_by_id(made.id))
    changed.label = "cellar"
    told["changed"] = good(client.save_device(changed)).label
    client.delete_device(made.id)
    told["gone"] = refused(lambda: client.get_device_by_id(made.id))
    return told


def users(client):
    """A system administrator keeps a tenant's administrators."""
    tenant = good(client.get_tenants(page_size=1, page=0, text_search="Acme")).data[0]
    body = User(
        email="new@acme.example", authority="TENANT_ADMIN", tenant_id=TenantId(tenant.id.id, "TENANT"), first_name="N"
    )
    made = good(client.save_user(body, send_activation_mail=False))
    told = {"made": made.email, "tenant": made.tenant_id.id == tenant.id.id}
    told["link"] = "activateToken=" in good(client.get_activation_link(made.id))
    listed = good(client.get_tenant_admins(tenant.id, page_size=100, page=0)).data
    told["listed"] = sorted(each.email for each in listed)
    made.first_name = "Neo"
    told["changed"] = good(client.save_user(made, send_activation_mail=False)).first_name
    client.delete_user(made.id)
    told["gone"] = refused(lambda: client.get_user_by_id(made.id))
    return told


def rule_chains(client):
    """A tenant administrator keeps rule chains. Metadata the client sends, and cannot read: it takes null for a mistake."""
    tenant_id = good(client.get_user()).tenant_id
    made = good(client.save_rule_chain(RuleChain(name="Pumps", tenant_id=tenant_id, type="CORE", root=False)))
    told = {"made": made.name, "listed": titles(client.get_rule_chains(page_size=100, page=0))}
    engine = "org.thingsboard.rule.engine"
    nodes = [
        RuleNode(type=f"{engine}.filter.TbMsgTypeSwitchNode", name="switch", configuration={"version": 0}),
        RuleNode(type=f"{engine}.flow.TbRuleChainOutputNode", name="done", configuration={"version": 0}),
    ]
    lines = [NodeConnectionInfo(from_index=0, to_index=1, type="Other")]
    inside = RuleChainMetaData(
        rule_chain_id=made.id, first_node_index=0, nodes=nodes, connections=lines, rule_chain_connections=[]
    )
    told["saved"] = str(client.save_rule_chain_meta_data(inside))
    told["labels"] = good(client.get_rule_chain_output_labels(made.id))
    told["version"] = good(client.get_rule_chain_by_id(made.id)).first_rule_node_id is not None
    told["exported"] = titles_of(good(client.export_rule_chains(10)).rule_chains)
    described = good(client.get_component_descriptors_by_types(component_types="FLOW", rule_chain_type="CORE"))
    told["output"] = [each.name for each in described if each.clazz == nodes[1].type]
    roots = [each for each in good(client.get_rule_chains(page_size=100, page=0)).data if each.root]
    told["root"] = good(client.set_root_rule_chain(made.id)).root
    told["kept"] = refused(lambda: client.delete_rule_chain(made.id))
    client.set_root_rule_chain(roots[0].id)
    client.delete_rule_chain(made.id)
    told["gone"] = refused(lambda: client.get_rule_chain_by_id(made.id))
    return told


def titles_of(found):
    """Their names."""
    return sorted(each.name for each in found)


BEHAVIOURS = {
    "tenants": tenants,
    "customers": customers,
    "devices": devices,
    "users": users,
    "rule_chains": rule_chains,
}


def main(url, email, password, behaviour):
    """Log in, behave, tell."""
    client = RestClientCE(base_url=url)
    client.login(username=email, password=password)
    me = good(client.get_user())
    told = BEHAVIOURS[behaviour](client)
    client.refresh()
    told["still"] = good(client.get_user_by_id(me.id)).email
    print(json.dumps({"me": me.email, **told}))


if __name__ == "__main__":
    main(*sys.argv[1:])
