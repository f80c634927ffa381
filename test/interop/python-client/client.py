"""MSAL Python as a client of Tokenkeep's cache: python3 client.py NODE SERVER > steps.json

For each kind of authority, over MSAL Python's own cache and over Tokenkeep's, which lives in a Node process: sign in, list, get a token
silently, refresh, start again from the text, sign out. Prints what each step came to, for the test to compare.
"""
import base64
import itertools
import json
import logging
import subprocess
import sys
import time
from urllib.parse import urlparse

import msal

logging.disable(logging.CRITICAL)
TYPES = ("AccessToken", "Account", "IdToken", "RefreshToken", "AppMetadata")


class Server:
    """The Node process. What Tokenkeep throws is raised here."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def call(self, method, **arguments):
        self.process.stdin.write(json.dumps(dict(arguments, method=method), default=list) + "\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply["value"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


server = Server(sys.argv[1:3])


class TokenkeepCache:
    """What MSAL Python's applications call of a token cache. Decides nothing: names differ, and are translated."""
    CredentialType = msal.TokenCache.CredentialType
    AuthorityType = msal.TokenCache.AuthorityType
    _numbers = itertools.count(1)

    def __init__(self):
        self.id = next(self._numbers)
        server.call("new", cache=self.id)

    def add(self, event, now=None):
        event = {name: value for name, value in event.items() if name in (
            "client_id", "scope", "token_endpoint", "response", "environment", "grant_type", "data", "authority_type",
            "home_account_id", "skip_account_creation")}
        if event.pop("skip_account_creation", False):
            event["skipAccountCreation"] = True
        server.call("add", cache=self.id, event=event)

    def find(self, credential_type, target=None, query=None, now=None):
        filter_ = dict({} if target is None else {"target": list(target)}, **({} if query is None else {"query": query}))
        return server.call("find", cache=self.id, type=credential_type, filter=filter_)

    search = find

    def _get_app_metadata(self, environment, client_id, default=None):
        found = self.find("AppMetadata", query={"environment": environment, "client_id": client_id})
        return found[0] if found else default

    def modify(self, credential_type, old, changes=None):
        server.call("modify", cache=self.id, type=credential_type, old=old, changes=changes or None)

    def remove_rt(self, token):
        self.modify("RefreshToken", token)

    def update_rt(self, token, secret):
        self.modify("RefreshToken", token, {"secret": secret, "last_modification_time": str(int(time.time()))})

    def remove_at(self, token):
        self.modify("AccessToken", token)

    def remove_idt(self, token):
        self.modify("IdToken", token)

    def remove_account(self, account):
        self.modify("Account", account)

    def serialize(self):
        return server.call("serialize", cache=self.id)

    def deserialize(self, state):
        server.call("deserialize", cache=self.id, state=state)


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


class Answer:
    headers = {}

    def __init__(self, body):
        self.text, self.status_code = json.dumps(body), 200

    def raise_for_status(self):
        pass


ALIASES = [["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
           ["login.microsoftonline.us", "login.usgovcloudapi.net"]]


class Provider:
    """An identity provider that says yes, and counts."""

    def __init__(self, kind):
        self.kind, self.asked = kind, []

    def close(self):
        pass

    def get(self, url, **_):
        parts = urlparse(url)
        if "discovery/instance" in parts.path:
            return Answer({"tenant_discovery_endpoint": "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration",
                           "metadata": [{"preferred_network": a[0], "preferred_cache": a[0], "aliases": a} for a in ALIASES]})
        if "openid-configuration" not in parts.path:
            raise RuntimeError("nobody was to ask for " + url)
        base = "https://" + parts.netloc + parts.path.replace("/.well-known/openid-configuration", "").replace("/v2.0", "")
        return Answer({"authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token",
                       "device_authorization_endpoint": base + "/oauth2/v2.0/devicecode", "issuer": base})

    def post(self, url, data=None, **_):
        self.asked.append(data["grant_type"])
        number = len(self.asked)
        if data["grant_type"] == "client_credentials":
            return Answer({"access_token": "app token %d" % number, "token_type": "Bearer", "expires_in": 3600})
        microsoft = self.kind not in ("adfs", "generic")
        claims = {"iss": url.split("/oauth2")[0], "aud": "app", "sub": "ada-sub", "exp": int(time.time()) + 3600, "iat": int(time.time())}
        claims.update({"upn": "ada@example.org"} if self.kind == "adfs" else {"preferred_username": "ada@example.org"})
        if microsoft:
            claims.update(oid="ada-oid", tid="utid")
        body = {"access_token": "token %d" % number, "token_type": "Bearer", "expires_in": 3600, "refresh_token": "refresh %d" % number,
                "id_token": "%s.%s.x" % (encoded({"alg": "none"}), encoded(claims))}
        if microsoft:
            body["client_info"] = encoded({"uid": "ada-B2C_1_susi" if self.kind == "b2c" else "ada", "utid": "utid"})
        if self.kind == "family":
            body["foci"] = "1"
        return Answer(body)


KINDS = {
    "tenant": "https://login.microsoftonline.com/contoso.onmicrosoft.com",
    "common": "https://login.microsoftonline.com/common",
    "organizations": "https://login.microsoftonline.com/organizations",
    "family": "https://login.microsoftonline.com/organizations",
    "alias": "https://login.windows.net/contoso.onmicrosoft.com",
    "government": "https://login.microsoftonline.us/contoso.onmicrosoft.com",
    "adfs": "https://fs.contoso.example/adfs",
    "b2c": "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_susi",
    "ciam": "https://contoso.ciamlogin.com/contoso.onmicrosoft.com",
    "generic": "https://id.example.org/realms/shop",
}


def run(kind, authority, new_cache):
    provider, cache, said = Provider(kind), new_cache(), {}
    options = {"authority": authority, "http_client": provider, "validate_authority": "microsoftonline" in authority or kind == "alias"}

    def client(over, **more):
        return msal.PublicClientApplication("app", token_cache=over, **dict(options, **more))

    def silent(app, account, scopes=("s1",), **more):
        return (app.acquire_token_silent(list(scopes), account, **more) or {}).get("access_token")

    app = client(cache)
    said["sign in"] = app.acquire_token_by_authorization_code("code", ["s1", "s2"], redirect_uri="http://localhost").get("access_token")
    accounts = app.get_accounts()
    said["list"] = [(a["username"], a["home_account_id"]) for a in accounts]
    said["by name"] = len(app.get_accounts(username="ADA@example.org"))
    if not accounts:
        return said
    said["silent"] = silent(app, accounts[0])
    said["refreshed"] = silent(app, accounts[0], force_refresh=True)
    said["silent after"] = silent(app, accounts[0])
    said["other scope"] = silent(app, accounts[0], ("s9",))
    again = new_cache()
    again.deserialize(cache.serialize())
    app = client(again)
    accounts = app.get_accounts()
    said["list again"] = len(accounts)
    said["silent again"] = silent(app, accounts[0], ("s9",)) if accounts else None
    said["asked"] = list(provider.asked)
    if kind in ("tenant", "common", "organizations", "family", "alias"):
        other = client(again, authority="https://login.microsoft.com/contoso.onmicrosoft.com")
        said["under another name"] = len(other.get_accounts())
    daemon = msal.ConfidentialClientApplication("app", client_credential="x", token_cache=again, **options)
    said["app token"] = daemon.acquire_token_for_client(["x/.default"]).get("access_token", "").split(" ")[0]
    if accounts:
        app.remove_account(accounts[0])
    said["left"] = [len(list(again.find(name))) for name in ("Account", "RefreshToken", "IdToken")]
    said["of the app"] = len(list(again.find("AccessToken")))
    said["list after"] = len(app.get_accounts())
    return said


def outcome(kind, authority, new_cache):
    try:
        return run(kind, authority, new_cache)
    except Exception as error:  # whatever it is, it is the outcome
        return {"error": repr(error)}


print(json.dumps({kind: {"own": outcome(kind, authority, msal.SerializableTokenCache), "tokenkeep": outcome(kind, authority, TokenkeepCache)}
                  for kind, authority in KINDS.items()}))
server.close()
