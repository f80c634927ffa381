"""Plays cases with the real MSAL Python: python3 msal_python.py < cases.json > documents.json

In: an array of cases (cases.mjs). Out: {"version": ..., "documents": {name: text}}.
"""
import json
import sys
import time
from urllib.parse import urlparse

# The library asks time.time() for the time; it must be set before the library is loaded.
clock = {"now": 0}
time.time = lambda: float(clock["now"])

import msal  # noqa: E402



class Answer:
    """The part of a `requests` response that MSAL Python reads."""

    def __init__(self, body, status=200):
        self.status_code = status
        self.text = json.dumps(body)
        self.headers = {}

    def raise_for_status(self):
        if self.status_code >= 400:
            raise RuntimeError("HTTP %d" % self.status_code)


class Network:
    """All of the internet that a case sees, as network.mjs is for MSAL Node."""

    def __init__(self, case, response):
        self.case = case
        self.response = response
        self.redeemed = []  # what was sent to the token endpoint

    def answer(self, url, data=None, **_ignored):
        parts = urlparse(url)
        host = next((cloud["preferred_network"] for cloud in self.case["clouds"]["metadata"]
                     if parts.hostname in cloud["aliases"]), parts.hostname)
        path = ("https://" + host + parts.path).lower()
        if path.endswith("/discovery/instance"):
            return Answer(self.case["clouds"])
        for provider in self.case["providers"].values():
            openid = provider["openid"]
            discovery = path.endswith("/.well-known/openid-configuration")
            if discovery and path.startswith(provider["authority"].lower() + "/"):
                return Answer(openid)
            if path == openid["token_endpoint"].lower():
                self.redeemed.append(data)
                return Answer(self.response)
            if path == openid["device_authorization_endpoint"].lower():
                return Answer({
                    "device_code": "synthetic-device-code", "user_code": "SYNTHETIC", "interval": 1,
                    "expires_in": 900, "verification_uri": "https://example.org/device", "message": "synthetic"})
        raise RuntimeError("The network is not part of a case, and was asked for " + path)

    get = post = answer

    def close(self):
        pass


def application(case, step, cache, network):
    provider = case["providers"][step["provider"]]
    kind = msal.ConfidentialClientApplication if step["app"].get("secret") else msal.PublicClientApplication
    return kind(
        step["app"]["client_id"],
        client_credential=step["app"].get("secret"),
        authority=provider["authority"],
        validate_authority=not provider.get("known"),
        token_cache=cache,
        http_client=network,
    )


def by_code(app, step):
    return app.acquire_token_by_authorization_code("synthetic-code", step["scopes"], redirect_uri="http://localhost")


def by_device_code(app, step):
    return app.acquire_token_by_device_flow(app.initiate_device_flow(scopes=step["scopes"]))


def silently(app, step):
    account = next(a for a in app.get_accounts() if a["home_account_id"] == step["home_account_id"])
    bound = {}
    if "sshKey" in step:
        key = json.dumps(step["sshKey"], sort_keys=True)
        bound["data"] = {"token_type": "ssh-cert", "key_id": step["sshKey"]["kid"], "req_cnf": key}
    return app.acquire_token_silent(step["scopes"], account, force_refresh=True, **bound)


ROUTES = {
    "code": by_code,
    "device": by_device_code,
    "silent": silently,
    "family": silently,
    "app": lambda app, step: app.acquire_token_for_client(step["scopes"]),
    "on-behalf-of": lambda app, step: app.acquire_token_on_behalf_of(step["assertion"], step["scopes"]),
}


def play(case):
    cache = msal.SerializableTokenCache()
    cache.deserialize(case.get("document"))
    for step in case["steps"]:
        clock["now"] = step["at"]
        network = Network(case, step["response"])
        result = ROUTES[step["route"]](application(case, step, cache, network), step) or {}
        if len(network.redeemed) != 1 or result.get("access_token") != step["response"]["access_token"]:
            raise RuntimeError("%s: %s redeemed %d times: %s" % (
                case["name"], step["route"], len(network.redeemed), result.get("error_description", "no token")))
        cache.deserialize(cache.serialize())
    return cache.serialize()


if __name__ == "__main__":
    json.dump(
        {"version": msal.__version__, "documents": {case["name"]: play(case) for case in json.load(sys.stdin)}},
        sys.stdout)
