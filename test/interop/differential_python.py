"""What the real MSAL Python makes of token responses: python3 differential_python.py < events.json > documents.json"""
import json
import sys

import msal


def document(trial):
    cache = msal.SerializableTokenCache()
    try:
        cache.add(trial["event"], now=trial["now"])
        return {"document": json.loads(cache.serialize())}
    except Exception as error:  # whatever it is, it is the outcome
        return {"error": repr(error)}


json.dump([document(trial) for trial in json.load(sys.stdin)], sys.stdout)
