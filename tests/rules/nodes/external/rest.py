"""A server that answers, and a node that calls it."""

from typing import Any

from rules.nodes.external.rest_api_call import RestApiCall
from tests.rules.nodes.external.http_server import HttpServer, Reply
from tests.rules.nodes.outside import outside_node

FINE = Reply(201, "Created", [("Content-Type", "application/json"), ("X-Id", "7")], b'{"stored": true}')


def server(reply: Reply = FINE) -> HttpServer:
    return HttpServer(lambda heard: reply)


def node(server: HttpServer, path: str = "/api", scheme: str = "http", **configuration: Any) -> Any:
    url = f"{scheme}://127.0.0.1:{server.port}{path}"
    return outside_node(RestApiCall, **{"restEndpointUrlPattern": url, **configuration})
