"""Verifies tokens with PyJWT, once per line on standard input, and prints the processor time of one
in microseconds.

Arguments: the algorithm, the issuer, the audience, and a JSON file of {"key": PEM, or secret bytes
as latin1, "tokens": […]}.
"""

import json
import sys
import time

import jwt

algorithm, issuer, audience, path = sys.argv[1:]
with open(path) as file:
    content = json.load(file)
key, tokens = content["key"], content["tokens"]
if key.startswith("-----"):
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    key = load_pem_public_key(key.encode())
else:
    key = key.encode("latin1")
changed = tokens[0][:-6] + ("A" if tokens[0][-6] != "A" else "B") + tokens[0][-5:]
try:
    jwt.decode(changed, key, algorithms=[algorithm], issuer=issuer, audience=audience)
    sys.exit("a changed token was accepted")
except jwt.InvalidSignatureError:
    print("ready", flush=True)

for _ in sys.stdin:
    start = time.process_time_ns()
    for token in tokens:
        jwt.decode(token, key, algorithms=[algorithm], issuer=issuer, audience=audience)
    print((time.process_time_ns() - start) / 1000 / len(tokens), flush=True)
