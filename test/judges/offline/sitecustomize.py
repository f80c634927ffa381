"""For a Python program that signs in with Microsoft: no network. Discovery and the token endpoint are answered here."""
import base64
import json
import os
import re
import time

ALIASES = ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"]


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def token_response(fields):
    """The user is the one whose refresh token was sent: `rt-ada`, or what this provider gave for it."""
    name = fields["refresh_token"].split("-")[1]
    tenant = os.environ["TENANT"]
    claims = {
        "iss": f"https://login.microsoftonline.com/{tenant}/v2.0",
        "aud": fields["client_id"],
        "sub": name,
        "oid": name,
        "tid": tenant,
        "preferred_username": f"{name}@contoso.example",
        "iat": int(time.time()),
        "exp": int(time.time()) + 3600,
    }
    return {
        "token_type": "Bearer",
        "expires_in": 4000,
        "access_token": f"fresh-{name}",
        "refresh_token": f"rt-{name}-{time.time_ns()}",
        "foci": "1",
        "scope": fields.get("scope", ""),
        "client_info": encoded({"uid": name, "utid": tenant}),
        "id_token": f"{encoded({'alg': 'none'})}.{encoded(claims)}.x",
    }


def answer(url, body):
    path = url.split("?")[0]
    host = re.match(r"https://([^/]+)", url).group(1)
    if "openid-configuration" in path:
        base = f"https://{host}/" + path.split("/")[3]
        return {
            "authorization_endpoint": base + "/oauth2/v2.0/authorize",
            "token_endpoint": base + "/oauth2/v2.0/token",
            "device_authorization_endpoint": base + "/oauth2/v2.0/devicecode",
            "issuer": base + "/v2.0",
        }
    if "discovery/instance" in path:
        return {
            "tenant_discovery_endpoint": "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration",
            "metadata": [{"preferred_network": ALIASES[0], "preferred_cache": ALIASES[0], "aliases": ALIASES}],
        }
    if path.endswith("/oauth2/v2.0/token"):
        from urllib.parse import parse_qs

        return token_response({name: values[0] for name, values in parse_qs(body).items()})
    return None


try:
    import requests

    def send(self, request, **kwargs):
        body = request.body.decode() if isinstance(request.body, bytes) else request.body or ""
        said = answer(request.url, body)
        if said is None:
            raise requests.exceptions.ConnectionError("There is no network here: " + request.url)
        response = requests.Response()
        response.status_code, response.request, response.url = 200, request, request.url
        response.headers["Content-Type"] = "application/json"
        response._content = json.dumps(said).encode()
        return response

    requests.adapters.HTTPAdapter.send = send
except ImportError:
    pass
