"""A program on MSAL Python's extensions that runs on while others change its cache. A word a line: refresh, list, seed, quit."""
import json
import sys

import msal
import msal_extensions

file, client, tenant, kind = sys.argv[1:5]
if kind == "keyring":  # as azure-cli does where encryption is on
    store = msal_extensions.LibsecretPersistence(
        file, schema_name="Microsoft Azure CLI", attributes={"type": "Token cache"}, label="Azure CLI"
    )
else:
    store = msal_extensions.FilePersistence(file)
cache = msal_extensions.PersistedTokenCache(store)
app = msal.PublicClientApplication(
    client, authority=f"https://login.microsoftonline.com/{tenant}", token_cache=cache
)
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    word, _, name = line.strip().partition(" ")
    if word == "quit":
        break
    if word == "seed":  # the document that it has written itself, into the file or the keyring
        store.save(json.loads(name))
        print(json.dumps({"saved": True}), flush=True)
        continue
    accounts = app.get_accounts()
    if word == "refresh":
        account = next((one for one in accounts if one["username"].startswith(name)), None)
        scopes = ["https://management.azure.com/.default"]
        result = account and app.acquire_token_silent(scopes, account, force_refresh=True)
        print(json.dumps({"token": result and result.get("access_token")}), flush=True)
    else:
        print(json.dumps({"accounts": sorted(one["username"] for one in accounts)}), flush=True)
