"""The OpenAPI document and its page."""

import re

import pytest
from openapi_spec_validator import validate

from api.keys import SCOPES


@pytest.fixture(scope="module")
def document(app):
    return app.test_client().get("/openapi.json").json


def operations_of(document):
    return [(path, method, one) for path, methods in document["paths"].items() for method, one in methods.items()]


def test_the_document_is_valid(document):
    validate(document)


def test_the_document_names_every_route(app, document):
    rules = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.split(".")[0] not in {"static", "openapi"}}
    assert set(document["paths"]) == {rule.replace("<identifier:", "{").replace(">", "}") for rule in rules}


def test_every_operation_names_its_scope_and_its_problems(document):
    for path, method, operation in operations_of(document):
        is_open = path in {"/healthz", "/readyz"}
        assert ("security" not in operation) == is_open, path
        wanted = {"422", "500", "503"} | (set() if is_open else {"401", "403"})
        assert wanted <= set(operation["responses"]), (path, method)
        assert is_open or operation["security"][0]["key"][0] in SCOPES
        for status in wanted:
            content = operation["responses"][status]["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert content["example"]["status"] == int(status)


def test_every_json_answer_and_every_body_has_an_example(document):
    for path, _, operation in operations_of(document):
        for response in [one for status, one in operation["responses"].items() if status.startswith("2")]:
            assert "example" in response.get("content", {}).get("application/json", {"example": None}), path
        if "requestBody" in operation:
            assert operation["requestBody"]["content"]["application/json"]["example"]
            assert operation["requestBody"]["required"]


def test_every_parameter_is_explained(document):
    for path, _, operation in operations_of(document):
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (path, parameter["name"])
            assert parameter["schema"]["type"] != "null", (path, parameter["name"])


def test_every_reference_leads_somewhere(document):
    names = set(re.findall(r"#/components/schemas/([\w.]+)", str(document)))
    assert names <= set(document["components"]["schemas"])


def test_the_document_names_no_host_of_a_request(app):
    document = app.test_client().get("/openapi.json", headers={"Host": "evil.example"}).json
    assert document["servers"] == [{"url": "/"}]


def test_the_page_and_what_it_loads_come_from_this_server(ask):
    page = ask("GET", "/docs")
    assert re.findall(r"https?://(?!swagger\.io/docs)[^\"'\s]+", page.text) == []
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 4
    for path in loaded:
        assert ask("GET", path).status_code == 200
    assert ask("GET", "/static/swagger-ui/LICENSE").status_code == 200
