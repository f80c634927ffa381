"""Has the real MSAL Python use documents: python3 judge_python.py < trials.json > verdicts.json

For each trial (see judges.ts): lists the accounts, asks for the token, asks for a new one.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors", "make"))
sys.dont_write_bytecode = True

from msal_python import Network, application, clock  # noqa: E402  (sets the clock before it loads the library)
import msal  # noqa: E402


# From version 1.23 on, `acquire_token_silent` is for users only: `acquire_token_for_client` looks into the cache itself.
LOOKS_ITSELF = tuple(map(int, msal.__version__.split(".")[:2])) >= (1, 23)


def judge(trial, verdict):
    """Fills in the verdict step by step, so that what came before an error is in it."""
    clock["now"] = trial["at"]
    cache = msal.SerializableTokenCache()
    cache.deserialize(trial["document"])
    network = Network(trial, trial["response"])
    app = application(trial, trial, cache, network)
    accounts = app.get_accounts()
    verdict["accounts"] = [a["home_account_id"] for a in accounts]
    home = trial["home_account_id"]
    account = None if home is None else next(a for a in accounts if a["home_account_id"] == home)
    verdict["tenant"] = None
    cached = from_cache(app, trial["scopes"], account, network)
    verdict["cached"] = cached and cached["access_token"]
    asked = verdict["asked"] = len(network.redeemed)
    if account:
        refreshed = app.acquire_token_silent(trial["scopes"], account, force_refresh=True)
    else:
        if LOOKS_ITSELF:
            app.remove_tokens_for_client()
        refreshed = app.acquire_token_for_client(trial["scopes"])
    verdict["refreshed"] = refreshed and refreshed["access_token"]
    verdict["redeemed"] = (network.redeemed[asked:] or [{}])[0].get("refresh_token")
    verdict["document"] = cache.serialize()


def from_cache(app, scopes, account, network):
    if account or not LOOKS_ITSELF:
        return app.acquire_token_silent(scopes, account)
    found = app.acquire_token_for_client(scopes)
    return None if network.redeemed else found


def verdict(trial):
    said = {}
    try:
        judge(trial, said)
    except Exception as error:  # whatever it is, it is the verdict
        said["error"] = repr(error)
    return said


json.dump([verdict(trial) for trial in json.load(sys.stdin)], sys.stdout)
