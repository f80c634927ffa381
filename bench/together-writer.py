"""As together-writer.ts, by MSAL Python's extensions: together-writer.py FILE NAME COUNT, with Debian's own Python."""
import sys
import time
import warnings

warnings.simplefilter("ignore")
import msal  # noqa: E402
import msal_extensions  # noqa: E402

file, name, count = sys.argv[1], sys.argv[2], float(sys.argv[3])
cache = msal_extensions.PersistedTokenCache(msal_extensions.FilePersistence(file))
kind = msal.TokenCache.CredentialType.ACCESS_TOKEN
some = {
    "credential_type": "AccessToken",
    "secret": "x" * 1900,
    "home_account_id": "uid.utid",
    "environment": "login.windows.net",
    "client_id": "4f0d8e6a-53c1-4b7e-9d2f-6a1c0b9e8d71",
    "realm": "utid",
    "cached_at": "1760000000",
    "expires_on": "4102444800",
    "extended_expires_on": "4102444800",
}

print("ready", flush=True)
sys.stdin.readline()
index = 0
while index < count:
    scope = "api://%s-%d/read" % (name, index)
    token = dict(some, target=scope)
    begin = time.perf_counter()
    try:
        cache.modify(kind, token, token)
        print(scope, (time.perf_counter() - begin) * 1000, flush=True)
    except Exception as error:
        print("error %s" % type(error).__name__, flush=True)
    index += 1
