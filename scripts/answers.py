"""Ask an instance everything that it answers, and write the answers down; ``scripts/upgrade.py`` compares two versions.

Run in the folder of a version, which must hold a made instance (``DATABASE_URL``, ``DATA_DIR``):

    python /path/to/scripts/answers.py OUT --at 2026-01-31T12:00:00+00:00 [--ask EARLIER]

``--at`` is the moment at which the clock stands still. ``--ask`` repeats the requests of an earlier file; without it,
they are made up from the schemas and from the links of the pages. The program knows nothing of the version but the
WSGI application, so that it can ask older ones.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator
from http.cookies import SimpleCookie
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import time_machine

sys.path.insert(0, str(Path.cwd()))

#: Pages are followed this far from the first.
MAX_PAGES = 250
_DEPTH = 4
_LINK = re.compile(r'(?:href|hx-get)="([^"#]+)')
#: Answers differ here at every request, or with the names of assets; what stands in their place is the same.
_MASKS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r'(name="csrfmiddlewaretoken" value=")[^"]+', r"\1…"),
        (r'("X-CSRFToken": "|X-CSRFToken&quot;: &quot;)[A-Za-z0-9]+', r"\1…"),
        (r'(nonce=")[^"]+', r"\1…"),
        (r'("fbtrace_id": ?")[^"]+', r"\1…"),
        (r'("(?:access_token|token)": ?")[^"]+', r"\1…"),
        (r"(/static/[^\"'?]+?)\.[0-9a-f]{12}\.", r"\1."),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}(?=[^\"]*recover)", "…"),
    )
]


class Visitor:
    """Sends requests to the WSGI application, and keeps its cookies."""

    def __init__(self, application: Any, **headers: str) -> None:
        self._application = application
        self._headers = headers
        self._cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes = b"", content_type: str = "") -> dict[str, Any]:
        """The answer: status, where it leads, type and body, with what is made anew each time masked."""
        parts = urlsplit(path)
        seen: dict[str, Any] = {}
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost:8000",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": content_type,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **self._headers,
        }
        if self._cookies:
            environ["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            seen["status"] = int(status[:3])
            seen["headers"] = headers

        answer = self._application(environ, start_response)
        text = b"".join(answer).decode("utf-8", "replace")
        if hasattr(answer, "close"):
            answer.close()
        for name, value in seen["headers"]:
            if name.lower() == "set-cookie":
                self._cookies.update({key: one.value for key, one in SimpleCookie(value).items()})
        headers = {name.lower(): value for name, value in seen["headers"]}
        return {
            "status": seen["status"],
            "location": headers.get("location", ""),
            "type": headers.get("content-type", ""),
            "body": text,
        }

    def sign_in(self, email: str, password: str) -> None:
        """By the form, as a person does."""
        page = self.ask("GET", "/auth/login/")["body"]
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)', page)
        form = {"csrfmiddlewaretoken": token[1] if token else "", "login": email, "password": password}
        answer = self.ask("POST", "/auth/login/", urlencode(form).encode(), "application/x-www-form-urlencoded")
        if answer["status"] != 302:
            sys.exit(f"{email} could not sign in: {answer['status']}")


def masked(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without what is made anew each time."""
    body = answer["body"]
    for pattern, replacement in _MASKS:
        body = pattern.sub(replacement, body)
    return {**answer, "body": body}


def documents(graphql_schema: Any, tenant_id: str, pixel_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """For every query of a schema: a document that asks for all that it can answer, and its variables."""
    known = {"tenantId": tenant_id, "pixelId": pixel_id}
    root = graphql_schema.query_type.fields
    for name, field in root.items():
        if name == "tenantQueries":
            for below, one in field.type.fields.items():
                inner = _field(below, one, known, _DEPTH)
                yield f'{{ tenantQueries(tenantId: "{tenant_id}") {{ {inner} }} }}', {}
        else:
            yield f"{{ {_field(name, field, known, _DEPTH)} }}", {}


def _field(name: str, field: Any, known: dict[str, str], depth: int) -> str:
    from graphql import get_named_type, is_leaf_type, is_required_argument

    given = [f'{argument}: "{known[argument]}"' for argument, one in field.args.items() if is_required_argument(one)]
    text = name + (f"({', '.join(given)})" if given else "")
    below = get_named_type(field.type)
    if is_leaf_type(below):
        return text
    fields = [
        _field(key, one, known, depth - 1)
        for key, one in below.fields.items()
        if is_leaf_type(get_named_type(one.type))
        or (depth > 1 and not any(map(is_required_argument, one.args.values())))
    ]
    return f"{text} {{ {' '.join(fields)} }}"


def requests_of(version: Any, tenant_id: str, pixel_id: str) -> list[dict[str, Any]]:
    """What software asks: both schemas with every query, introspection, health, refusals, events."""
    from graphql import get_introspection_query

    asked: list[dict[str, Any]] = []
    for path, schema in version.items():
        for document, variables in documents(schema.graphql_schema, tenant_id, pixel_id):
            asked.append({"as": "software", "path": path, "json": {"query": document, "variables": variables}})
        others = (get_introspection_query(), "{ nothing }", "{")
        asked += [{"as": "software", "path": path, "json": {"query": document}} for document in others]
        asked.append({"as": "stranger", "path": path, "json": {"query": "{ __typename }"}})
    asked += [
        {"as": "stranger", "path": path} for path in ("/healthz", "/api/openapi.json", "/capi/1/events", "/nothing/")
    ]
    for data in ([], [{"event_name": "Purchase"}]):
        asked.append({"as": "stranger", "path": f"/capi/{pixel_id}/events", "json": {"data": data}})
    return asked


def crawl(visitor: Visitor, name: str) -> Iterator[dict[str, Any]]:
    """Every page outside admin that links lead to, from the first on."""
    line, seen = ["/hub/"], {"/hub/"}
    while line and len(seen) < MAX_PAGES:
        path = line.pop(0)
        answer = visitor.ask("GET", path)
        yield {"as": name, "path": path}
        links = _LINK.findall(answer["body"]) if "text/html" in answer["type"] else []
        for link in [*links, answer["location"]]:
            target = urljoin(path, link.replace("&amp;", "&"))
            is_page = target.startswith(("/hub/", "/auth/")) and "/logout" not in target
            if is_page and target not in seen:
                seen.add(target)
                line.append(target)


def main() -> None:
    """Ask, and write what was asked and answered."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--at", required=True)
    parser.add_argument("--ask", type=Path)
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    with time_machine.travel(arguments.at, tick=False):
        from portal.wsgi import application

        visitors = {"stranger": Visitor(application), "software": _software(application)}
        for name in ("HOST", "ADVERTISER"):
            visitors[name.lower()] = visitor = Visitor(application)
            visitor.sign_in(os.environ[f"{name}_EMAIL"], os.environ["PORTAL_PASSWORD"])
        if arguments.ask:
            asked = [one["asked"] for one in json.loads(arguments.ask.read_text(encoding="utf-8"))]
        else:
            asked = list(_all_requests(visitors))
        answers = [{"asked": one, "answer": masked(_send(visitors[one["as"]], one))} for one in asked]
    arguments.out.write_text(json.dumps(answers, indent=1), encoding="utf-8")


def _software(application: Any) -> Visitor:
    form = {"grant_type": "client_credentials", "client_id": "Upgrade", "client_secret": os.environ["CLIENT_SECRET"]}
    answer = Visitor(application).ask(
        "POST", "/clients/token", urlencode(form).encode(), "application/x-www-form-urlencoded"
    )
    return Visitor(application, HTTP_AUTHORIZATION=f"Bearer {json.loads(answer['body'])['access_token']}")


def _all_requests(visitors: dict[str, Visitor]) -> Iterator[dict[str, Any]]:
    from portal.graphql import capig, hub

    version = {"/hub/graphql/": hub.schema, "/capig/graphql/": capig.schema}
    yield from requests_of(version, os.environ["TENANT_ID"], os.environ["PIXEL_ID"])
    for name in ("host", "advertiser"):
        yield from crawl(visitors[name], name)


def _send(visitor: Visitor, asked: dict[str, Any]) -> dict[str, Any]:
    if "json" in asked:
        return visitor.ask("POST", asked["path"], json.dumps(asked["json"]).encode(), "application/json")
    return visitor.ask("GET", asked["path"])


if __name__ == "__main__":
    main()
